"""README, docs/ and the cards of the weights: every link leads somewhere, and the site builds."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder, pattern in ((".", "*.md"), ("docs", "**/*.md"), ("stylewidgets/weights", "*.md"))
    for path in (ROOT / folder).glob(pattern)
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
GENERATED = re.compile(r"(^|/)(methods|reference)/\w+\.md$")
"""Pages that docs/generated.py makes; the build of the site checks links to those."""


def anchors(text: str) -> set[str]:
    """What headings can be called in a link: lower case, dashes for blanks, other signs left out."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    broken = []
    for link in LINK.findall(FENCE.sub("", text)):
        target, _, anchor = link.partition("#")
        if "://" in target or target.startswith("mailto:") or GENERATED.search(target):
            continue
        file = (ROOT / page).parent / target if target else ROOT / page
        if not file.exists() or (
            anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8"))
        ):
            broken.append(link)
    assert not broken


def test_no_picture_in_docs_is_left_over() -> None:
    texts = "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
    index = nbformat.read(ROOT / "notebooks" / "index.ipynb", as_version=4)
    attached = {name for cell in index.cells for name in cell.get("attachments", {})}
    pictures = [path for path in (ROOT / "docs").rglob("*") if path.suffix in (".png", ".jpg", ".webp")]
    assert [path.name for path in pictures if path.name not in texts and path.name not in attached] == []


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    for module in ("mkdocs", "material", "mkdocstrings_handlers.python"):
        try:
            found = importlib.util.find_spec(module)
        except ModuleNotFoundError:
            found = None
        if found is None:
            if os.environ.get("CI"):
                pytest.fail(f"{module} is not installed: pip install '.[docs]'")
            pytest.skip(f"{module} is not installed: pip install '.[docs]'")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for page in ("index", "gallery", "widgets/latent_explorer", "methods/hybrid", "reference/latent", "systems/index"):
        assert "<h1" in (tmp_path / f"{page}.html").read_text(encoding="utf-8"), page
    assert 'id="stylewidgets.session.load.load"' in (tmp_path / "reference/session.html").read_text(encoding="utf-8")
