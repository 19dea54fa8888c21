"""How a scrubber starts, and what it does to the process it runs in."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jackfield import Build
from jackfield_presidio import PresidioScrubber, PresidioSettings

HEAVY = "{'presidio_analyzer', 'spacy', 'phonenumbers', 'tldextract', 'regex', 'numpy'}"
TEXT = "jane@example.com, +1 415 555 2671, 020 7946 0958, GB29NWBK60161331926819, 10.0.0.1 and 123 Main Street"
MAKE = """
import asyncio
from jackfield import Build
from jackfield_presidio import PresidioScrubber, PresidioSettings
scrubber = PresidioScrubber(Build(name="x", type_name="scrubber.presidio", settings=PresidioSettings()))
"""


def run(code: str, **variables: str) -> str:
    """Run code in a process of its own, and return what it prints."""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={"PATH": "", **variables}
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_nothing_heavy_is_imported_before_start() -> None:
    """Finding the plugin, reading settings and making a scrubber import neither Presidio nor what it brings."""
    code = f"{MAKE}\nimport sys, jackfield_presidio.plugin\nscrubber.digest\nprint(sorted({HEAVY} & set(sys.modules)))"
    assert run(code) == "[]\n"


def test_no_network_and_no_files(tmp_path: Path) -> None:
    """It starts and scrubs where no socket can be opened and there is no home to cache in."""
    code = f"""
import socket, sys
def refuse(*args, **named):
    raise AssertionError("the network was used")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
{MAKE}
asyncio.run(scrubber.start())
print(len(scrubber.find({TEXT!r})))
"""
    assert run(code, HOME=str(tmp_path / "none"), TMPDIR=str(tmp_path)) == "6\n"
    assert list(tmp_path.iterdir()) == []


def test_the_loop_runs_while_it_starts() -> None:
    """Importing and warming happen beside the event loop, which is never away for long."""
    code = f"""{MAKE}
import time
async def main():
    task = asyncio.create_task(scrubber.start())
    longest, ticks, last = 0.0, 0, time.perf_counter()
    while not task.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last, ticks = max(longest, now - last), now, ticks + 1
    await task
    print(longest, ticks)
asyncio.run(main())
"""
    longest, ticks = run(code).split()
    assert float(longest) < 0.25
    assert int(ticks) > 20


def test_the_first_scrub_is_no_slower() -> None:
    """All patterns and numbering plans are ready after the start."""
    code = f"""{MAKE}
import sys, time
asyncio.run(scrubber.start())
modules = set(sys.modules)
begun = time.perf_counter()
scrubber.find({TEXT!r} + " +49 30 901820, +81 3 1234 5678, +55 11 91234-5678")
print(time.perf_counter() - begun, len(set(sys.modules) - modules - {{"jackfield_presidio.stream"}}))
"""
    seconds, imported = run(code).split()
    assert float(seconds) < 0.1
    assert imported == "0"


def test_before_the_start() -> None:
    """A scrubber that hasn't been started gives no text through."""
    scrubber = PresidioScrubber(Build(name="pii", type_name="scrubber.presidio", settings=PresidioSettings()))
    with pytest.raises(RuntimeError, match=r"pii was used before it was started; await its start\(\) first"):
        scrubber.find("a@b.co")
    with pytest.raises(RuntimeError, match="before it was started"):
        scrubber.stream()
    asyncio.run(scrubber.close())


def test_threads(scrubber: PresidioScrubber) -> None:
    """Eight threads at once find what one finds."""
    texts = [f"{TEXT} {number} " * (number % 7 + 1) for number in range(64)]
    expected = [scrubber.find(text) for text in texts]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(3):
            assert list(threads.map(scrubber.find, texts)) == expected


def test_no_text_in_logs(scrubber: PresidioScrubber, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is logged, and at any level, a text isn't."""
    with caplog.at_level(logging.DEBUG):
        for text in (TEXT, "GB00NWBK60161331926819", "+999999999999", "4111111111111112"):
            scrubber.find(text)
    logged = caplog.text + " ".join(str(record.args) for record in caplog.records)
    assert not any(word in logged for text in (TEXT, "GB00NWBK60161331926819") for word in text.split())


UNITS = [
    "415 555 2671 ", "1234 ", "1234-", "a.b@c.de ", "a@b ", "a@", "a.b@", "@", ".", ":", "7", "a", "_", "%40",
    "ab:", "12-", "+1 ", "(4) ", "0 12 34 ", "AB12 CDEF ", "PO ", "12 Oak ", "12 a ", "sk-", "eyJ", "\\",
    "\\u00", "的", "é", "::1 ", "1.2.3.4 ", "1.", "0x", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa ", "https://a/",
    "ISBN 0", "CA ", "CA 94105 ", '{"a":"b1"},', "\n", "the quick brown fox ", "x415-555-2671", "a1.b2-c3_",
    "GB29NWBK60161331926819", "#1 ", "1/",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_time_is_linear(unit: str, scrubber: PresidioScrubber) -> None:
    """Twice the text takes about twice the time, whatever is repeated."""

    def seconds(length: int) -> float:
        text = (unit * (length // len(unit) + 1))[:length]
        best = 9e9
        for _ in range(3):
            begun = time.process_time()
            scrubber.find(text)
            best = min(best, time.process_time() - begun)
        return best

    for length in (8_000, 16_000, 32_000):
        ratio = (seconds(2 * length) + 0.002) / (seconds(length) + 0.002)
        if ratio < 3:
            return
    pytest.fail(f"time grows {ratio:.1f} times where the text doubles")
