"""The house: rooms whose imports only go down, no circle of files, small folders, and light rooms that load no torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import stylewidgets

ROOT = Path(stylewidgets.__file__).parent
LEVELS = (
    "core",
    "latent jobs settings",
    "ops",
    "generators",
    "checkpoints",
    "weights",
    "session",
    "render directions metrics",
    "remote mixing stylespace avatars text domain exchange",
    "inversion",
    "editing",
    "film",
    "widgets",
    "lesson",
    "tools server server_extension training bench cli __main__",
)
"""Rooms from the bottom to the top. An import goes to a lower line or stays on its own; between two rooms of one line it goes
one way only."""

LEVEL = {room: i for i, line in enumerate(LEVELS) for room in line.split()}
LIGHT = ("core", "latent", "jobs", "settings", "remote", "widgets", "render.pump", "render.ladder")
"""Rooms and modules that a session on another machine needs: none of them loads torch when it is imported."""

JUPYTER = ("ipywidgets", "anywidget", "ipycanvas", "IPython")
DOORS = ("session", "training", "bench")
"""Rooms that may look behind a session."""


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__").rstrip(".")


MODULES = {name_of(path): path for path in ROOT.rglob("*.py")}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def nodes(tree: ast.AST, *, inside_functions: bool) -> Iterator[ast.AST]:
    """All nodes, but not those under ``if TYPE_CHECKING``."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if not inside_functions and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        yield child
        yield from nodes(child, inside_functions=inside_functions)


def imports(name: str, *, inside_functions: bool = True) -> set[str]:
    """What a module imports: modules of ours without the package's name, others by their first part after a colon."""
    package = name.split(".") if MODULES[name].name == "__init__.py" else name.split(".")[:-1]
    package = [part for part in package if part]
    found: set[str] = set()
    for node in nodes(TREES[name], inside_functions=inside_functions):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = ["stylewidgets", *package[: len(package) - node.level + 1]] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            targets = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            parts = target.split(".")
            if parts[0] != "stylewidgets":
                found.add(":" + parts[0])
                continue
            inner = ".".join(parts[1:])
            found.add(inner if inner in MODULES else inner.rpartition(".")[0])
    return found - {name}


IMPORTS = {name: imports(name) for name in MODULES}


def room(name: str) -> str:
    return name.partition(".")[0]


def test_every_room_has_its_place_in_the_order() -> None:
    assert {room(name) for name in MODULES} - {""} <= set(LEVEL)


def test_imports_only_go_down() -> None:
    up = [
        f"{name} imports {target}"
        for name, targets in IMPORTS.items()
        for target in targets
        if name and target and not target.startswith(":") and LEVEL[room(target)] > LEVEL[room(name)]
    ]
    assert up == []


def test_between_rooms_of_one_level_imports_go_one_way() -> None:
    arrows = {
        (room(name), room(target))
        for name, targets in IMPORTS.items()
        for target in targets
        if name and target and not target.startswith(":") and room(name) != room(target)
    }
    assert [pair for pair in arrows if pair[::-1] in arrows] == []


def test_no_circle_of_files() -> None:
    left = {name: {t for t in targets if t in MODULES and t} for name, targets in IMPORTS.items()}
    while True:  # take away what imports nothing that is left, and what nothing left imports; circles stay
        used = set().union(*left.values())
        free = {name for name, targets in left.items() if not targets or name not in used}
        if not free:
            break
        left = {name: targets - free for name, targets in left.items() if name not in free}
    assert left == {}


def test_folders_and_files_are_small() -> None:
    folders = Counter(path.parent for path in MODULES.values())
    assert [str(folder) for folder, files in folders.items() if files > 20] == []
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: n for name, n in lines.items() if n > 400} == {}


def loaded_with(name: str) -> set[str]:
    """Everything that importing a module imports: its packages, what they import, and so on."""
    done: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in done:
            continue
        done.add(current)
        if current in MODULES:
            waiting += imports(current, inside_functions=False)
            waiting += [current.rpartition(".")[0]] if "." in current else [""]
    return done


def light(name: str) -> bool:
    return any(name == part or name.startswith(part + ".") for part in LIGHT)


def test_light_rooms_load_no_torch() -> None:
    assert {name: True for name in MODULES if light(name) and ":torch" in loaded_with(name)} == {}


def test_light_rooms_can_be_imported_where_there_is_no_torch() -> None:
    names = [f"stylewidgets.{name}" for name in MODULES if light(name)]
    program = f"""
import sys
from importlib import import_module
sys.modules["torch"] = sys.modules["torchvision"] = sys.modules["lpips"] = None
for name in {names!r}:
    import_module(name)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_no_module_loads_both_torch_and_widgets() -> None:
    outside = {name: {t[1:] for t in IMPORTS[name] if t.startswith(":")} for name in MODULES}
    assert [name for name, found in outside.items() if "torch" in found and found & set(JUPYTER)] == []


def test_only_widgets_import_widget_libraries() -> None:
    allowed = ("widgets", "lesson", "bench", "__main__")
    strangers = [
        name for name in MODULES if {t[1:] for t in IMPORTS[name]} & set(JUPYTER) and room(name) not in allowed
    ]
    assert strangers == []


def test_only_the_session_touches_the_generator() -> None:
    """Others ask the session: for activations, affine weights, noise maps, tuned parameters, samples of w."""
    behind = []
    for name, tree in TREES.items():
        if room(name) in DOORS:
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name | ast.Attribute):
                continue
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if owner in ("session", "_session") and (node.attr == "generator" or node.attr.startswith("_")):
                behind.append(f"{name}:{node.lineno} {owner}.{node.attr}")
    assert behind == []


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import stylewidgets", "torch matplotlib ipywidgets numpy PIL"),
        ("import stylewidgets; dir(stylewidgets); stylewidgets.Latent()", "torch matplotlib ipywidgets"),
        ("import stylewidgets.latent", "torch matplotlib ipywidgets PIL"),
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


def test_the_package_lists_and_finds_its_names() -> None:
    names = dir(stylewidgets)
    for name in stylewidgets.__all__:
        assert name in names and getattr(stylewidgets, name).__name__ == name
    with pytest.raises(AttributeError, match="did you mean 'LatentExplorer'"):
        stylewidgets.LatentExplorrer  # noqa: B018
    assert not hasattr(stylewidgets, "__wrapped__")
    assert (ROOT / "py.typed").is_file()
