"""Where the time goes, by the reports of the last run in tests/artifacts: ``python tests/slowest.py [SECONDS]``.

Lists the time of each layer, and the unit tests that took over half a second (or SECONDS) without being marked slow.
Seconds depend on the machine and on what else it does: look twice before marking.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

ARTIFACTS = Path(__file__).parent / "artifacts"


def cases(report: Path) -> Iterator[tuple[float, bool, str]]:
    """Yield seconds, whether it is marked slow, and the name of every test in a report."""
    for case in ElementTree.parse(report).iter("testcase"):
        slow = case.find("properties/property[@name='slow']") is not None
        yield float(case.get("time", 0)), slow, f"{case.get('classname')}::{case.get('name')}"


def main(limit: float) -> None:
    """Print both lists."""
    reports = {path.stem: list(cases(path)) for path in sorted(ARTIFACTS.glob("*.xml"))}
    for name, found in reports.items():
        fast = sum(seconds for seconds, slow, _ in found if not slow)
        print(f"{name:24} {len(found):5} tests {sum(case[0] for case in found):7.1f} s, of these {fast:.1f} s not slow")
    for seconds, slow, name in sorted(reports.get("unit", []), reverse=True):
        if seconds > limit and not slow:
            print(f"{seconds:6.2f} s  {name}")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.5)
