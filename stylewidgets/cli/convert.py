"""``stylewidgets convert IN OUT.safetensors``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ..core.options import Options

OPTIONS: Options = {
    "source": {"metavar": "IN", "help": "a checkpoint of any format, or a name of the zoo"},
    "out": {"metavar": "OUT.safetensors", "type": Path},
    "--dtype": {
        "choices": ("fp16", "fp32"),
        "default": "fp32",
        "help": "of the weights: fp32 keeps pictures to the last bit (default), fp16 halves the file",
    },
    "--force": {"action": "store_true", "help": "replace OUT if it exists"},
}


def run(args: argparse.Namespace) -> int:
    """Convert a checkpoint to the safetensors file that loads quickest."""
    from ..checkpoints.formats import native
    from ..checkpoints.zoo.download import sha256_of
    from ..session.load import open_source

    out: Path = args.out
    if out.suffix.lower() != ".safetensors":
        raise ValueError(f"OUT ends in .safetensors; {str(out)!r} was given")
    if out.exists() and not args.force:
        raise FileExistsError(f"{out} exists. Give another name, or --force to replace it")
    if not out.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {out.parent}")
    started = time.monotonic()
    _say(f"reading {args.source} ...")
    generator, metadata, path = open_source(args.source)
    if out.exists() and out.samefile(path):
        raise ValueError(f"{out} is the file to convert; give another name")
    _say(f"{generator.family}, {generator.resolution} px; writing {out} ...")
    origin = {
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": sha256_of(path),
        "format": metadata.get("format"),
    }
    native.save(out, generator, {**metadata, "origin": origin}, args.dtype)
    _say(f"{out.stat().st_size:,} bytes in {time.monotonic() - started:.1f} s")
    _say(f"Licence: {metadata.get('licence', 'not recorded')}")
    for note in metadata.get("notes", []):
        _say(f"note: {note}")
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
