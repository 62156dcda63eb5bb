"""The command line: ``stylewidgets demo | notebooks | info | convert | zoo | render | serve | train | jobs | bench``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import __version__
from .core.options import Command


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. Mistakes of the user are one line on stderr and code 2."""
    words = list(sys.argv[1:] if argv is None else argv)
    first = next((i for i, word in enumerate(words) if not word.startswith("-")), 0)
    if tuple(words[first : first + 2]) in _SPELLINGS:
        words[first : first + 2] = [_SPELLINGS[words[first], words[first + 1]]]
    args = build_parser().parse_args(words)
    try:
        return int(args.run(args) or 0)
    except (ValueError, OSError, ImportError, FloatingPointError) as error:
        if args.debug:
            raise
        print(f"stylewidgets: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


_COMMANDS = {
    "demo": ("cli.demo", "open JupyterLab on the notebooks that come along"),
    "notebooks": ("cli.lessons", "write the lessons to a folder, for students or for teachers"),
    "info": ("cli.info", "say what a checkpoint of any format is"),
    "convert": ("cli.convert", "write a checkpoint as safetensors, which load quickest"),
    "zoo": ("cli.zoo", "list the published checkpoints, or download one"),
    "render": ("cli.render", "write a picture, or the depth, points or mesh of what is in it"),
    "serve": ("server.command", "serve sessions on this machine to notebooks on others"),
    "avatars": ("cli.avatars", "write a contact sheet of the avatar world"),
    "bench": ("bench.command", "measure the speed on this machine, as ratios in one run"),
    "bench-editing": (
        "bench.editing.command",
        "measure every way to edit on the same faces, read by an independent judge",
    ),
    "bench-inversion": (
        "bench.inversion.command",
        "measure every method of inversion on pictures whose truth is known",
    ),
    "bench-parts": (
        "bench.parts.command",
        "measure local edits and retrieval by part, against exact masks and exact re-renders",
    ),
    "bench-sticking": ("bench.sticking.command", "measure whether details stick to the pixels, in StyleGAN2 and 3"),
    "bench-posed": (
        "bench.posed.command",
        "measure avatars in other poses and with parts of others, against exact re-renders",
    ),
    "bench-remote": ("bench.remote.command", "measure how many people one machine serves at a time, and how fairly"),
    "bench-points": ("bench.points.command", "measure dragging against pairs of renders that differ in one factor"),
}
_SPELLINGS = {("bench", name.removeprefix("bench-")): name for name in _COMMANDS if name.startswith("bench-")}
_SPELLINGS["bench", "--remote"] = "bench-remote"
"""Two words that mean one command: a `bench` of its own has its own options."""

_TRAINERS = {
    "avatars": ("avatars", "the bundled StyleGAN2, from procedural renders"),
    "detail": ("detail.grow", "a bundled generator grown to twice the size, with freckles and strands in its noise"),
    "stylenerf": ("scenes.stylenerf", "a small StyleNeRF of the avatars, from pictures of known cameras"),
    "posed": ("posed.posed", "a small Pose with Style of the avatars, from pairs of one avatar in two poses"),
    "regressor": ("regressor", "the small network that reads avatar factors off a picture"),
    "judge": ("judge", "the reader that edits are scored by, independent of the factor network"),
    "directions": ("directions", "the named directions that ship with a generator"),
    "flow": ("flow", "the conditional flow that edits attributes, of a generator's w"),
    "rig": ("editing.rig", "the rig of a generator's w: pose, expression and light by their values"),
    "parts": ("editing.parts", "which features of a generator are which part of its pictures"),
    "stylespace": ("stylespace", "the StyleSpace report of a generator: channels by factor, attribute dependency, DCI"),
    "encoders": ("encoders", "a small encoder for inversion: psp, e4e or restyle"),
    "words": ("words", "the small encoder of sentences and pictures"),
    "words-table": (
        "editing.words_table",
        "where each style channel takes pictures in the space of a text encoder, for edits by words",
    ),
    "mapper": ("editing.mapper", "a small network that edits towards one sentence"),
    "evaluate": ("evaluate", "measure a generator and write its model card, or the errors of the factor network"),
}
"""Name → module in `training`, and what it makes."""

_JOBS = {
    "statistics": "mean, spread and histogram of every style channel, over any number of faces",
    "words": "where each style channel takes pictures in the space of a text encoder",
    "index": "a gallery of many faces, to find those that are nearest in one part",
    "inversion": "the codes of a folder of photographs, a file each",
    "data": "renders of avatars with their truth, for training",
    "evaluation": "how far a generator's pictures are from renders",
    "status": "how far a plan is, and what failed and why",
}


def build_parser() -> argparse.ArgumentParser:
    """All commands. What a command imports is imported when it runs, so that ``--help`` is quick."""
    parser = argparse.ArgumentParser(prog="stylewidgets", description="Live StyleGAN widgets for Jupyter notebooks.")
    parser.add_argument("--version", action="version", version=f"stylewidgets {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the full traceback of an error")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=Command)
    for name, (module, words) in _COMMANDS.items():
        commands.add_parser(name, help=words, description=words, module=f"stylewidgets.{module}")
    train = commands.add_parser("train", help="make the weight files that ship")
    kinds = train.add_subparsers(title="what to train", required=True, metavar="WHAT")
    for name, (module, words) in _TRAINERS.items():
        kinds.add_parser(name, help=words, description=words, module=f"stylewidgets.training.{module}")
    plans = commands.add_parser(
        "jobs", help="work that is too much for one process: shards, resumed where they broke off"
    )
    kinds = plans.add_subparsers(title="what to do", required=True, metavar="WHAT")
    for name, words in _JOBS.items():
        kinds.add_parser(name, help=words, description=words, module=f"stylewidgets.cli.jobs.{name}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
