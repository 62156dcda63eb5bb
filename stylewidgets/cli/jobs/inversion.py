"""``stylewidgets jobs inversion``: a folder of photographs, one result each."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...core.options import Options
from .common import COMMON, DEVICE, Unfinished, carry_out

OPTIONS: Options = {
    "photos": {"type": Path, "help": "a folder of pictures; square, or cropped around the middle"},
    "--generator": {"help": "a name or a file (default: the bundled generator)"},
    **DEVICE,
    "--method": {"default": "projector", "help": "of inversion.METHODS (default %(default)s)"},
    "--set": {
        "nargs": "+",
        "default": [],
        "metavar": "NAME=VALUE",
        "help": "settings of the method, such as steps=200",
    },
    **COMMON,
}


def run(args: argparse.Namespace) -> int:
    """Carry the plan out; every file is one that inversion.Result.load reads."""
    from ...core.files import parsed
    from ...inversion import sharded

    settings = {}
    for given in args.set:
        name, sign, value = given.partition("=")
        if not sign:
            raise ValueError(f"a setting is such as steps=200; {given!r} has no value")
        try:
            settings[name] = parsed(value)
        except ValueError:
            settings[name] = value  # a word, such as a choice
    plan = sharded.plan(args.photos, args.method, args.generator, device=args.device, **settings)
    try:
        kept = carry_out(args, plan, sharded.INVERTED)
    except Unfinished:
        return 1
    print(f"{len(plan)} photographs in {kept.folder}; inversion.Result.load(file) opens one")
    return 0
