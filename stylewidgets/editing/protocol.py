"""What every machine that makes and carries out edits is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

from ..jobs import Job
from ..session.editors import KINDS

if TYPE_CHECKING:
    from ..session.session import GeneratorSession

E = TypeVar("E", bound="Editor")
Kind = TypeVar("Kind", bound="type[Editor]")


class Editor(Protocol):
    """A machine. Its edits are values of their own (`latent.edits.Edit`) that hold `weights` and ask the session for it.

    Attributes:
        kind: of the class; as a rule that of its edits.
        weights: hash of its parameters. Machines of w fit every generator with the same w.
    """

    kind: ClassVar[str]

    @property
    def weights(self) -> str: ...

    @classmethod
    def load(cls: type[E], source: GeneratorSession | str | os.PathLike[str]) -> E:
        """The machine of a file, or the one that belongs to a session's generator.

        Raises:
            FileNotFoundError: there is none; for a session the text names the command that makes one.
            ValueError: the file is damaged or holds something else.
        """

    @classmethod
    def fit(cls: type[E], session: GeneratorSession) -> Job[E]:
        """Long work that makes one for a generator; `session.editors.fit` makes a `Run` of it."""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one file, with the hash of the weights, domain, units and licence; return its path."""

    def fits(self, session: GeneratorSession) -> str | None:
        """Why it cannot work with a generator, or None."""


def register(kind: Kind) -> Kind:
    """Make a kind of machines known to every session. To be used as a decorator of the class."""
    KINDS[kind.kind] = kind
    return kind
