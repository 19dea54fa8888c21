"""What one edit among 1,000 components costs the event loop: CPU time of the host's main thread."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from part import Options, Report
from process import Process, serving
from running import component

LIMIT = 5.0
COMPONENTS = 1000
EDITS = 21


def edit(process: Process, folder: Path, number: int) -> float:
    """Edit one manifest and wait until it is live; returns milliseconds. Nobody asks the host meanwhile."""
    before = process.main_thread_cpu()
    (folder / "c500.yaml").write_text(component(f"edited{number}"))
    process.wait_for(f"component loaded.*component=edited{number} ")
    return (process.main_thread_cpu() - before) * 1000


def report(options: Options) -> Report:
    """Edit one of many components again and again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(COMPONENTS):
            (folder / f"c{number}.yaml").write_text(component(f"c{number}"))
        with serving(folder) as process:
            process.wait_for("component loaded.*component=c999 ")
            spent = sorted(edit(process, folder, number) for number in range(EDITS))
    middle = median(spent)
    text = f"one edit among {COMPONENTS} components: {middle:.1f} ms of the event loop's CPU "
    text += f"(best {spent[0]:.1f}, limit {LIMIT})\n"
    return Report(text, [f"an edit: {middle:.1f} ms"] if middle > LIMIT else [])
