"""How large the package is: files, lines, statements and ``Any`` of each folder. ``python tests/statements.py [FOLDER]``.

Statements are those of the syntax tree, docstrings included. ``Any`` counts where it stands for a whole value
(``x: Any``, ``-> Any``, ``list[Any]``), not for the values of a mapping.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "stylewidgets"
SAYS_NOTHING = re.compile(r"(?:: |-> |\[)Any\b")


def count(source: str) -> Counter[str]:
    """Return what one file adds to the table."""
    tree = ast.parse(source)
    return Counter(
        files=1,
        lines=source.count("\n"),
        statements=sum(isinstance(node, ast.stmt) for node in ast.walk(tree)),
        Any=len(SAYS_NOTHING.findall(source)),
    )


def main(root: Path) -> None:
    """Print a table."""
    folders: dict[str, Counter[str]] = {}
    for path in sorted(root.rglob("*.py")):
        name = path.parent.relative_to(root.parent).as_posix()
        folders.setdefault(name, Counter()).update(count(path.read_text(encoding="utf-8")))
    folders["all"] = sum(folders.values(), Counter())
    columns = ("files", "lines", "statements", "Any")
    print(f"{'':40}" + "".join(f"{column:>12}" for column in columns))
    for name, counts in folders.items():
        print(f"{name:40}" + "".join(f"{counts[column]:12,}" for column in columns))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else PACKAGE)
