"""``stylewidgets avatars``: writes a contact sheet of the avatar world."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ..core.options import Options

OPTIONS: Options = {
    "--out": {"type": Path, "default": Path("avatars.png"), "help": ".png or .jpg (default %(default)s)"},
    "--seed": {"type": int, "default": 0},
    "--count": {"type": int, "default": 64, "help": "number of avatars (default %(default)s)"},
    "--resolution": {"type": int, "default": 128, "help": "pixels a side of each (default %(default)s)"},
    "--columns": {"type": int, "help": "avatars in a row (default: as square as possible)"},
    "--outputs": {
        "nargs": "+",
        "default": ["image"],
        "metavar": "OUTPUT",
        "help": "image segmentation landmarks depth normals uv (default: image)",
    },
    "--correlated": {"action": "store_true", "help": "with natural correlations between factors"},
    "--framing": {
        "choices": ["head", "half"],
        "default": "head",
        "help": "head, or half figures (default %(default)s)",
    },
}


def run(args: argparse.Namespace) -> int:
    """Draw and write the sheet."""
    from ..avatars.drawing.sheet import contact_sheet, save_sheet

    began = time.perf_counter()
    sheet = contact_sheet(
        args.count, args.seed, args.resolution, args.outputs, args.columns, args.correlated, args.framing
    )
    rate = args.count / max(time.perf_counter() - began, 1e-9)
    save_sheet(sheet, args.out)
    sys.stdout.write(
        f"{args.out}: {args.count} avatars, {sheet.width} x {sheet.height} pixels, "
        f"{args.out.stat().st_size / 1000:,.0f} kB; "
        f"{rate:.3g} avatars a second\n"
    )
    return 0
