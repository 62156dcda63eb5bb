"""The requirements of pyproject.toml, one a line: ``python requirements.py [--lowest] [--without NAME ...]``.

``--lowest`` asks for the lowest version that is allowed of each, extras ``lab`` and ``test`` apart, which only test.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def requirements(lowest: bool, without: list[str]) -> list[str]:
    """Return what pip is asked for."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [re.sub(r">=([^,]+).*", r"==\1", line) if lowest else line for line in project["dependencies"]]
    for extra in ("lab", "test"):
        needed += [line for line in project["optional-dependencies"][extra] if not line.startswith("stylewidgets")]
    return [line for line in needed if re.match(r"[\w.-]+", line)[0] not in without]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lowest", action="store_true")
    parser.add_argument("--without", nargs="*", default=[])
    given = parser.parse_args()
    print("\n".join(requirements(given.lowest, given.without)))
