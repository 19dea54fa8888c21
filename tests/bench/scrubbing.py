"""What scrubbing costs: the default scrubber's own time for texts of several lengths, with and without findings."""

from __future__ import annotations

import asyncio
import statistics
from time import process_time

from part import Options, Report

from jackfield import Build
from jackfield_presidio.component import PresidioScrubber
from jackfield_presidio.settings import PresidioSettings

PROSE = (
    "The committee met again after lunch and went through the remaining points of the agenda without much debate, "
    "although some members would have liked to hear more about the new building and what it is going to cost them. "
)
PERSONAL = (
    "Please write to jane.doe@example.com or call 415-555-2671 about the invoice for card 4111 1111 1111 1111, the "
    "server at 10.1.2.3 has the rest of what we know, and the account is DE89 3704 0044 0532 0130 00 as before. "
)
MEBIBYTE = 1 << 20
CASES = {
    "50 tokens, clean": (PROSE[:220], 0.25),
    "50 tokens, with PII": (PERSONAL[:220], 0.8),
    "500 tokens, clean": ((PROSE * 11)[:2200], 0.8),
    "500 tokens, with PII": ((PERSONAL * 3 + PROSE * 9)[:2200], 2.5),
    "1 MB of prose": ((PROSE * (MEBIBYTE // len(PROSE) + 1))[:MEBIBYTE], 1000.0),
}


def report(options: Options) -> Report:
    """Scrub each text some times; the median counts, in milliseconds of CPU."""
    scrubber = PresidioScrubber(Build("scrubber", "scrubber.presidio", PresidioSettings()))
    asyncio.run(scrubber.start())
    out, exceeded = f"{'scrubbing':<22}{'ms CPU':>8} {'limit':>7} {'found':>6}\n", []
    for name, (text, limit) in CASES.items():
        rounds = 3 if len(text) > MEBIBYTE // 2 else 200
        found = len(scrubber.find(text))
        times = []
        for _ in range(rounds):
            before = process_time()
            scrubber.find(text)
            times.append((process_time() - before) * 1000)
        middle = statistics.median(times)
        out += f"{name:<22}{middle:>8.2f} {limit:>7g} {found:>6}\n"
        if middle > limit:
            exceeded.append(f"scrubbing {name}: {middle:.2f} ms")
    return Report(out, exceeded)
