"""What importing costs, and that imports only go down: widgets, render, session, generators, ops."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import stylewidgets

ROOT = Path(stylewidgets.__file__).parent
MODULES = {
    ".".join(("stylewidgets", *p.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): p
    for p in ROOT.rglob("*.py")
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import stylewidgets", "torch matplotlib ipywidgets numpy PIL"),
        ("import stylewidgets; dir(stylewidgets); stylewidgets.Latent()", "torch matplotlib ipywidgets"),
        ("import stylewidgets.latent.latent", "torch matplotlib ipywidgets PIL"),
        ("import stylewidgets.render.pump", "torch ipywidgets numpy PIL"),
        ("import stylewidgets.render.ladder, stylewidgets.render.stats", "torch ipywidgets numpy PIL"),
        ("import stylewidgets.render.encode", "torch ipywidgets"),
        (
            "import stylewidgets.session.session, stylewidgets.render.renderer",
            "ipywidgets anywidget matplotlib traitlets",
        ),
    ],
)
def test_an_import_loads_nothing_that_it_does_not_need(statement: str, absent: str) -> None:
    check = f"{statement}\nimport sys\nloaded = [n for n in {absent.split()!r} if n in sys.modules]\nassert not loaded, loaded"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def imported(path: Path, name: str) -> set[str]:
    """Absolute names of all modules that a file imports, wherever in it, but not those for type checking only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    typing_only = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for child in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


IMPORTS = {name: imported(path, name) for name, path in MODULES.items()}
JUPYTER = ("ipywidgets", "anywidget", "ipycanvas", "IPython")


def roots(name: str) -> set[str]:
    return {entry.split(".")[0] for entry in IMPORTS[name]}


def test_no_module_imports_both_torch_and_widgets() -> None:
    assert [n for n in MODULES if "torch" in roots(n) and roots(n) & set(JUPYTER)] == []


def test_only_widgets_import_widget_libraries() -> None:
    allowed = ("stylewidgets.widgets", "stylewidgets.bench", "stylewidgets.__main__")
    assert [n for n in MODULES if roots(n) & set(JUPYTER) and not n.startswith(allowed)] == []


@pytest.mark.parametrize(
    ("layer", "above"),
    [
        ("ops", ("generators", "session", "render", "widgets", "checkpoints", "directions")),
        ("generators", ("session", "render", "widgets", "checkpoints", "directions")),
        ("checkpoints", ("session", "render", "widgets", "directions")),
        ("latents", ("ops", "generators", "session", "render", "widgets", "checkpoints", "directions")),
        ("session", ("render", "widgets")),
        ("render", ("widgets",)),
        ("directions", ("render", "widgets")),
        ("avatars", ("session", "render", "widgets", "training")),
    ],
)
def test_imports_only_go_down(layer: str, above: tuple[str, ...]) -> None:
    banned = tuple(f"stylewidgets.{name}" for name in above)
    for name in MODULES:
        if name == f"stylewidgets.{layer}" or name.startswith(f"stylewidgets.{layer}."):
            up = [entry for entry in IMPORTS[name] if entry.startswith(banned)]
            assert not up, f"{name} imports {up}"


def test_the_package_lists_and_finds_its_names() -> None:
    names = dir(stylewidgets)
    for name in stylewidgets.__all__:
        assert name in names and getattr(stylewidgets, name).__name__ == name
    with pytest.raises(AttributeError, match="did you mean 'LatentExplorer'"):
        stylewidgets.LatentExplorrer  # noqa: B018
    assert not hasattr(stylewidgets, "__wrapped__")
    assert (ROOT / "py.typed").is_file()
