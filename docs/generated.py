"""What the documentation site has besides the files of docs/: a hook of mkdocs, see mkdocs.yml.

* a page for each inversion method, from the catalogue and the docstrings;
* a page for each room of the package, with every public name of it, from the docstrings;
* the pages of docs/systems, in the navigation as they come, and CHANGELOG and CONTRIBUTING;
* links that leave docs/ lead to the repository if `repo_url` is set, or else become plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import stylewidgets

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {
    "session": "Sessions",
    "latent": "Latents and edits",
    "directions": "Directions",
    "editing": "Editing",
    "inversion": "Inversion",
    "mixing": "Mixing",
    "stylespace": "StyleSpace",
    "film": "Film",
    "jobs": "Long work",
    "metrics": "Metrics",
    "avatars": "Avatars",
    "domain": "Domains",
    "tools": "Tools of your own",
    "generators": "Generators",
    "checkpoints": "Checkpoints",
}
"""Rooms with public names, in the order of the reference. The widgets have pages of their own."""

SYSTEMS = {
    "editing.flow": "StyleFlow",
    "editing.rig": "StyleRig",
    "editing.words": "StyleCLIP",
    "text": "Text encoders",
}
"""The same for systems that edit, where this package has them; what is written about them by hand stands before."""
ABOUT_SYSTEMS = ("styleflow.md", "stylerig.md", "styleclip.md", "text.md", "editing.md")

ELSEWHERE = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}
OUTSIDE = re.compile(r"(?<!!)\[([^\]]+)\]\((?:\.\./)+([^)\s]+)\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the sections of the navigation that are not written by hand."""
    systems = sorted(path.name for path in (ROOT / "docs" / "systems").glob("*.md"))
    about = [name for name in ABOUT_SYSTEMS if (ROOT / "docs" / name).is_file()]
    placed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    others = sorted(
        path.name for path in (ROOT / "docs").glob("*.md") if f" {path.name}\n" not in placed and path.name not in about
    )
    listed = {
        "Measured": others,
        "Systems": [
            *(f"systems/{name}" for name in sorted(systems, key=lambda name: (name != "index.md", name))),
            *about,
            *(f"reference/{room}.md" for room in _present(SYSTEMS)),
        ],
        "Inversion methods": [f"methods/{name}.md" for name, _ in _methods()],
        "Reference": [f"reference/{room}.md" for room in ROOMS],
    }
    for section in config.nav or []:
        for title in listed:
            if isinstance(section, dict) and title in section:
                section[title] = [*section[title], *listed[title]]
    config.nav = [*(config.nav or []), *ELSEWHERE]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here."""
    pages = {f"methods/{name}.md": _method(method) for name, method in _methods()}
    told: set[str] = set()
    # The systems first: what they and a room have in common stands on their page alone.
    rooms = {**_present(SYSTEMS), **ROOMS}
    pages |= {f"reference/{room}.md": "\n\n".join(_room(room, title, told)) for room, title in rooms.items()}
    pages |= {page: (ROOT / file).read_text(encoding="utf-8") for page, file in ELSEWHERE.items()}
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: MkDocsConfig, files: Files) -> str:
    """Lead links to files outside docs/ to where they are."""
    known = {file: name for name, file in ELSEWHERE.items()}

    def link(match: re.Match[str]) -> str:
        text, target = match.groups()
        if files.get_file_from_path(target.split("#")[0]):
            return match.group()  # a page of the site after all
        if target in known:
            return f"[{text}]({'../' * page.file.src_uri.count('/')}{known[target]})"
        return f"[{text}]({config.repo_url.rstrip('/')}/blob/main/{target})" if config.repo_url else text

    if page.file.src_uri in ELSEWHERE:  # written to be read at the root of the repository
        markdown = re.sub(r"\]\(docs/", "](", markdown)
    return OUTSIDE.sub(link, markdown)


def _methods() -> Iterator[tuple[str, Any]]:
    yield from import_module("stylewidgets.inversion").METHODS.items()


def _present(rooms: dict[str, str]) -> dict[str, str]:
    return {room: title for room, title in rooms.items() if (ROOT / "stylewidgets" / room.replace(".", "/")).is_dir()}


def _method(method: Any) -> str:
    """The page of an inversion method: what it is, its settings, what its code says of it."""
    lines = [f"# {method.title}", "", method.line, "", f"*{method.kind.capitalize()}. {method.source}*", ""]
    lines += ["```python", f'result = inversion.invert(session, "me.jpg", "{method.name}")', "```", ""]
    if method.settings:
        lines += ["| setting | default | accepted | |", "|---|---|---|---|"]
    for setting in method.settings:
        ends = [f"{end:.10g}" if end is not None else "" for end in (setting.low, setting.high)]
        accepted = ", ".join(setting.choices) or " … ".join(ends) if any(ends) or setting.choices else ""
        unit = f" {setting.unit}" if setting.unit else ""
        lines.append(f"| `{setting.name}` | {setting.default}{unit} | {accepted} | {setting.help.replace('|', '/')} |")
    if where := _home(method.start):
        lines += ["", f"::: {where}"]
    lines += ["", "What it is worth beside the others was [measured](../inversion.md)."]
    return "\n".join(lines)


def _home(start: Any) -> str:
    """Where the function that begins a method is written down; nothing for one that is made when it is asked for."""
    if isinstance(start, str):
        module, name = start.split(":")
        start = getattr(import_module(module), name)
    named = getattr(start, "__qualname__", "<") if start.__doc__ else "<"
    return "" if "<" in named else f"{start.__module__}.{named}"


def _room(room: str, title: str, told: set[str]) -> Iterator[str]:
    """The page of a room: its docstring, and every public name of it that is not in `told`, which grows by them."""
    module = import_module(f"stylewidgets.{room}")
    yield f"# {title}"
    yield (module.__doc__ or "").strip()
    values = {name: getattr(module, name) for name in getattr(module, "__all__", ())}
    # A function with the name of its file, such as `load`, is found from the top of the package alone.
    top = {name: getattr(stylewidgets, name) for name in stylewidgets.__all__ if name not in values}
    values |= {n: v for n, v in top.items() if getattr(v, "__module__", "").startswith(f"stylewidgets.{room}.")}
    for _, value in sorted(values.items()):
        home = getattr(value, "__module__", "")
        if home.startswith("stylewidgets.") and getattr(value, "__doc__", None) and hasattr(value, "__qualname__"):
            place = f"{home}.{value.__qualname__}"
            if place not in told:
                told.add(place)
                yield f"::: {place}"
