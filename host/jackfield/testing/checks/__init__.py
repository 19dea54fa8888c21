"""The kit's checks, one module for each thing they are about; ``ConversationKit`` is made of them.

Their assertions are rewritten by pytest, so that a failure shows both sides, however the kit was imported. This module
itself has none: PYTEST_DONT_REWRITE.
"""

import pytest

pytest.register_assert_rewrite(__name__)
