"""The command line: ``stylewidgets demo | notebooks | info | convert | zoo | train | bench``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from . import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. Mistakes of the user are one line on stderr and code 2."""
    args = build_parser().parse_args(argv)
    try:
        return int(args.run(args) or 0)
    except (ValueError, OSError, ImportError, FloatingPointError) as error:
        if args.debug:
            raise
        print(f"stylewidgets: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def build_parser() -> argparse.ArgumentParser:
    """All commands. What a command imports is imported when it runs, so that ``--help`` is quick."""
    parser = argparse.ArgumentParser(prog="stylewidgets", description="Live StyleGAN widgets for Jupyter notebooks.")
    parser.add_argument("--version", action="version", version=f"stylewidgets {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the full traceback of an error")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="open JupyterLab on the quickstart notebook")
    demo.add_argument("--dir", type=Path, default=Path(), help="where the notebook is copied to (default: here)")
    demo.add_argument("--fresh", action="store_true", help="take a new copy even if you have one from before")
    demo.add_argument("--port", type=_port, help="port of JupyterLab (default: a free one)")
    demo.add_argument("--no-browser", action="store_true", help="print the address instead of opening it")
    demo.set_defaults(run=_demo)

    _lazy(
        commands, "notebooks", "write the lessons to a folder, for students or for teachers", "stylewidgets.cli.lessons"
    )
    _lazy(commands, "info", "say what a checkpoint of any format is", "stylewidgets.cli.info")
    _lazy(
        commands,
        "convert",
        "write a checkpoint as safetensors, which load quickest",
        "stylewidgets.cli.convert",
    )
    _lazy(commands, "zoo", "list the published checkpoints, or download one", "stylewidgets.cli.zoo")

    train = commands.add_parser("train", help="make the weight files that ship")
    kinds = train.add_subparsers(title="what to train", required=True, metavar="WHAT")
    for name, words in _TRAINERS.items():
        _lazy(kinds, name, words, f"stylewidgets.training.{name}")
    _lazy(commands, "avatars", "write a contact sheet of the avatar world", "stylewidgets.cli.avatars")
    _lazy(commands, "bench", "measure the speed on this machine, as ratios in one run", "stylewidgets.bench.command")
    _lazy(
        commands,
        "bench-inversion",
        "measure every method of inversion on pictures whose truth is known",
        "stylewidgets.bench.inversion.command",
    )
    return parser


_TRAINERS = {
    "avatars": "the bundled StyleGAN2, from procedural renders",
    "regressor": "the small network that reads avatar factors off a picture",
    "directions": "the named directions that ship with a generator",
    "stylespace": "the StyleSpace report of a generator: channels by factor, attribute dependency, DCI",
    "encoders": "a small encoder for inversion: psp, e4e or restyle",
    "evaluate": "measure a generator and write its model card, or the errors of the factor network",
}


def _lazy(commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, words: str, module: str) -> None:
    """A command whose module gives ``add_arguments(parser)`` and ``run(args)``, imported only when it is asked for."""

    class Lazy(argparse.ArgumentParser):
        loaded: ModuleType | None = None

        def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
            if self.loaded is None:
                from importlib import import_module

                self.loaded = import_module(module)
                self.loaded.add_arguments(self)
                self.set_defaults(run=self.loaded.run)
            return super().parse_known_args(args, namespace)

    previous, commands._parser_class = commands._parser_class, Lazy
    commands.add_parser(name, help=words, description=words)
    commands._parser_class = previous


def _demo(args: argparse.Namespace) -> int:
    from .cli.demo import start

    return start(args.dir, fresh=args.fresh, port=args.port, browser=not args.no_browser)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 1 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
