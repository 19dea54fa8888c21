"""The host's own scrubbing: what is marked is masked on its way in, and what a reply says on its way out.

The scrubber finds; what is scrubbed, when, on which thread, and what happens when it fails is decided here.
"""

from __future__ import annotations

from typing import Any

from jackfield import ChainBuild, Scrubber, ScrubStages, Supply, hookimpl
from jackfield.builtin.scrub.runner import Runner
from jackfield.builtin.scrub.scrub_in import ScrubIn
from jackfield.builtin.scrub.scrub_out import ScrubOut

__all__ = ["provide_scrubber"]


@hookimpl(trylast=True)
def provide_scrubber(build: ChainBuild) -> ScrubStages | None:
    """Give the stages for the scrubber that the manifest names, or for the default one.

    Without any there are no stages, and the host refuses a request that asks for scrubbing.
    """
    kind: type[Scrubber[Any]] = Scrubber
    supply: Supply[Scrubber[Any]] | None = build.supply(kind, build.policies.scrubber, setting="scrubber")
    if supply is None:
        return None
    runner = Runner(supply)
    return ScrubStages(lambda handler: ScrubIn(handler, runner), lambda handler: ScrubOut(handler, runner))
