"""``stylewidgets info FILE``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..core.files import as_path
from ..core.options import Options

OPTIONS: Options = {
    "file": {"type": Path, "help": "a StyleGAN checkpoint of any format"},
}


def run(args: argparse.Namespace) -> int:
    """Print what the file is, one property a line."""
    for name, value in describe(args.file).items():
        print(f"{name:>14}  {words(value)}")
    return 0


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a checkpoint holds, without running it: from the header of our own files, from names and shapes of others.

    Raises:
        FileNotFoundError, ValueError: as `checkpoints.open_file`.
    """
    from ..checkpoints.detect import check
    from ..checkpoints.formats import native

    kind = check(path)
    if kind.format == "safetensors" and native.is_own(as_path(path)):
        found = native.inspect(path)
        licence = found["metadata"].get("licence") or "not recorded in the file; ask where it comes from"
        return {**found, "licence": licence}
    return dict(_foreign(as_path(path), kind.title))


def _foreign(path: Path, title: str) -> Iterator[tuple[str, Any]]:
    from ..checkpoints import read
    from ..checkpoints.build import empty
    from ..checkpoints.errors import reading
    from ..generators.families import FAMILIES

    loaded = read(path)
    with reading(path):
        generator: Any = empty(loaded)
    about = dict(loaded.metadata)
    yield "file", str(path)
    yield "bytes", path.stat().st_size
    yield "format", f"{about.pop('format', title)} ({title})"
    yield "family", f"{loaded.family} ({FAMILIES[loaded.family].title})"
    for name in ("resolution", "img_channels"):
        yield name, getattr(generator, name)
    yield "classes", generator.c_dim
    for name in ("z_dim", "w_dim", "num_ws"):
        yield name, getattr(generator, name)
    for name in ("architecture", "mapping_layers", "conv_clamp"):
        if hasattr(loaded.config, name):
            yield name, getattr(loaded.config, name)
    yield "layers", ", ".join(f"{layer.name} {layer.channels}" for layer in generator.layers)
    yield "style scalars", sum(layer.channels for layer in generator.layers)
    yield "parameters", sum(parameter.numel() for parameter in generator.parameters())
    yield "licence", about.pop("licence", None) or "not recorded in the file; ask where it comes from"
    yield "source text", _source(about.pop("source_known", None), about.pop("sources", None))
    notes = about.pop("notes", None) or []
    about.pop("family", None)
    if "classes" in about:
        about["module classes"] = about.pop("classes")
    yield from about.items()
    for note in notes:
        yield "note", note


def _source(known: Any, sources: Any) -> str:
    if not sources:
        return "none in the file"
    names = [str(source.get("release") or f"unknown text {str(source.get('sha256'))[:16]}") for source in sources]
    return f"{'of a known release' if known else 'NOT of a known release'}, never executed: {', '.join(names)}"


def words(value: object) -> str:
    """A value as text for people."""
    if isinstance(value, dict):
        return ", ".join(f"{key}={words(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return " ".join(words(item) for item in value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
