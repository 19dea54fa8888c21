"""Look for known vulnerabilities with pip-audit, and tell a machine that can't ask from one that has found some.

``python .ci/audit.py [--feed URL] -- COMMAND``: the command is pip-audit with ``--format json``. Ends with 0 if nothing
was found, or if the advisories can't be reached, and says which; with 1 if something was found, or if pip-audit failed
in any other way.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

FEED = "https://pypi.org/pypi/pip/json"
"""Where pip-audit asks for advisories: each release's own page there."""
PATIENCE = 15.0


def main() -> int:
    """Run pip-audit and judge what came of it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feed", default=FEED, help="what is asked to see whether advisories can be reached")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    done = subprocess.run(arguments.command, check=False, capture_output=True, text=True)
    report = _report(done.stdout)
    if report is not None:
        return _judge(report, done.returncode)
    cause = unreachable(arguments.feed)
    if cause:
        sys.stdout.write(f"NOT AUDITED: {arguments.feed} can't be reached from here ({cause}); nothing is known\n")
        return 0
    sys.stderr.write(f"pip-audit failed (exit code {done.returncode}):\n{done.stderr}")
    return 1


def unreachable(feed: str) -> str:
    """Say why a server can't be reached; empty if it answers, whatever it says."""
    try:
        with urllib.request.urlopen(feed, timeout=PATIENCE):  # noqa: S310  this file's own URL, or the caller's
            return ""
    except urllib.error.HTTPError:
        return ""
    except OSError as error:
        return str(getattr(error, "reason", error)) or type(error).__name__


def _report(text: str) -> list[dict[str, Any]] | None:
    """Read what pip-audit has found: an entry for each distribution; None if it has told nothing."""
    try:
        found = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, list) and found else None


def _judge(report: list[dict[str, Any]], code: int) -> int:
    found = [(each, advisory) for each in report for advisory in each.get("vulns", [])]
    for each, advisory in found:
        mended = ", ".join(advisory.get("fix_versions", [])) or "none yet"
        sys.stdout.write(f"{each['name']} {each['version']}: {advisory['id']}; mended in: {mended}\n")
    skipped = [each for each in report if "skip_reason" in each]
    if len(skipped) == len(report) and not code:
        # A mirror may stand in for the index and have the files alone.
        sys.stdout.write(f"NOT AUDITED: who answers here knows none of {len(report)} distributions; nothing is known\n")
        return 0
    for each in skipped:
        sys.stdout.write(f"{each['name']}: not audited: {each['skip_reason']}\n")
    audited = len(report) - len(skipped)
    sys.stdout.write(f"{audited} distributions audited, {len(skipped)} not; {len(found)} known vulnerabilities\n")
    return 1 if found or code else 0


if __name__ == "__main__":
    sys.exit(main())
