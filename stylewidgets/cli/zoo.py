"""``stylewidgets zoo`` and ``stylewidgets zoo get NAME``."""

from __future__ import annotations

import argparse
import json

from ..core.options import Options

OPTIONS: Options = {
    "action": {"nargs": "?", "choices": ("list", "get"), "default": "list", "help": "list (default), or get NAME"},
    "name": {"nargs": "?", "metavar": "NAME", "help": "what to get; for list, only names with this text"},
    "--json": {"action": "store_true", "help": "list as JSON, with everything that is known"},
}


def run(args: argparse.Namespace) -> int:
    """List the published checkpoints, or download one and print where it is."""
    from ..checkpoints import zoo
    from ..core.files import cache_folder

    if args.action == "get":
        if not args.name:
            raise ValueError("zoo get takes a name; `stylewidgets zoo` lists them")
        print(zoo.get(args.name))
        return 0
    chosen = [one for one in zoo.entries() if not args.name or args.name in one.name or args.name in (one.alias or "")]
    if args.json:
        here = [{**one.to_dict(), "path": str(zoo.path(one)), "downloaded": zoo.path(one).is_file()} for one in chosen]
        print(json.dumps(here, indent=1, ensure_ascii=False))
        return 0
    group = ""
    for one in chosen:
        if one.group != group:
            group = one.group
            print(f"\n{group}\n  licence: {one.terms}\n  cite: {one.citation}")
        size = f"{one.bytes / 1e6:,.0f} MB" if one.bytes else ""
        marks = [
            f"{one.classes} classes" if one.classes else "",
            "letter-boxed" if one.crop else "",
            "by hand" if one.url is None else "",
            "downloaded" if zoo.path(one).is_file() else "",
        ]
        told = f"{one.resolution:>5} px  {size:<8} {', '.join(filter(None, marks))}"
        print(f"  {one.alias or one.name:<42} {one.family:<10} {told}".rstrip())
        if one.alias:
            print(f"    = {one.name}")
    print(f"\n{len(chosen)} checkpoints; files are kept in {cache_folder()}")
    return 0
