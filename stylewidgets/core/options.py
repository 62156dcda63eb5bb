"""What a command is: a module with a table ``OPTIONS`` and a function ``run(args)``, imported only when it is asked for."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from importlib import import_module
from typing import Any

Options = Mapping[str, Mapping[str, Any]]
"""What `add_argument` takes, by the name of each option. Behind `ONE_OF` stand options of which only one may be given."""
ONE_OF = "one of"


class Command(argparse.ArgumentParser):
    """The parser of a command, filled when the command is asked for, so that the help of all commands is quick.

    Args:
        module: of the command, by its full name; "" for one that only holds others. Its ``DESCRIPTION``, where it has
            one, replaces the words of the list.
    """

    def __init__(self, *, module: str = "", **settings: Any) -> None:
        super().__init__(**settings)
        self.module = module

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        if self.module:
            loaded, self.module = import_module(self.module), ""
            self.description = getattr(loaded, "DESCRIPTION", self.description)
            add_options(self, loaded.OPTIONS)
            self.set_defaults(run=loaded.run)
        return super().parse_known_args(args, namespace)


def add_options(parser: argparse._ActionsContainer, options: Options) -> None:
    """Let a parser take these options."""
    for name, settings in options.items():
        if name == ONE_OF:
            assert isinstance(parser, argparse.ArgumentParser)
            add_options(parser.add_mutually_exclusive_group(), settings)
        else:
            parser.add_argument(name, **settings)
