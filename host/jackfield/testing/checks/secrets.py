"""Checks that neither a secret nor what was said gets where others read it."""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from typing import Final

import pytest

from jackfield.errors import InvokeError
from jackfield.testing.checking import check
from jackfield.testing.checks.base import Checks, said
from jackfield.testing.script import Cut, Fail, Hang, Raw, Reply, say

__all__ = ["SecretChecks"]

_QUESTION: Final = "nobody else may read this question"
_ANSWER: Final = "nobody else may read this answer"
_SECRET: Final = re.compile(r"(?i)(key|token|secret|password)$")


class SecretChecks(Checks):
    """Errors, logs and ``repr`` hold no secret; logs and ``repr`` hold no message text."""

    def secrets(self) -> list[str]:
        """Return the values of ``metadata`` that nobody may read: those of names that end in ``key`` or ``token``."""
        return [str(value) for name, value in self.metadata.items() if _SECRET.search(name) and value]

    @check("no secret is in an error")
    @pytest.mark.parametrize("form", ["unary", "streamed"])
    async def test_errors_hold_no_secret(self, form: str) -> None:
        """An upstream that quotes what it was sent gives nothing away."""
        async with self.opened() as opened:
            secrets = self.secrets()
            quoted = Fail(401, f"what you sent is wrong: {' '.join(secrets)} Bearer {secrets[:1]}")
            page = Raw(" ".join(["<title>", *secrets, "</title>"]).encode())
            opened.script.replies += [quoted, page]
            for _ in range(2):
                with pytest.raises(InvokeError) as caught:
                    await (opened.converse if form == "unary" else opened.collected)()
                told = f"{caught.value} {caught.value!r} {caught.value.args} {caught.value.detail}"
                assert not [secret for secret in secrets if secret in told], "a secret is in the error"

    @check("no secret and no text is in the log")
    async def test_logs_hold_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        """Neither when all goes well nor when it fails; ``DEBUG`` of the plugin and of the host included."""
        replies: list[Reply] = [say(_ANSWER), Fail(500, _ANSWER), Cut(say(_ANSWER).result), Raw(b"<html>"), Hang()]
        caplog.set_level(logging.INFO)
        caplog.set_level(logging.DEBUG, "jackfield")
        caplog.set_level(logging.DEBUG, self.parts.module.partition(".")[0])
        async with self.opened(*replies, timeout="200ms") as opened:
            secrets = self.secrets()
            for _ in replies:
                with suppress(InvokeError):
                    await opened.converse(said(_QUESTION))
        written = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
        assert not [secret for secret in secrets if secret in written], "a secret is in the log"
        assert _QUESTION not in written, "what was said is in the log"
        assert _ANSWER not in written, "what was answered is in the log"

    @check("no secret is in a repr", upstream=False)
    async def test_repr_holds_no_secret(self) -> None:
        """A component and its settings may be printed."""
        async with self.opened() as opened:
            component = opened.instance.component
            shown = f"{component!r} {component.settings!r} {component.settings}"
            assert not [secret for secret in self.secrets() if secret in shown], "a secret is in the repr"
