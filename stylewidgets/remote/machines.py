"""Machines of edits, for a session whose machines are elsewhere: what edits can do there, and refusals in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from .messages import RemoteError

if TYPE_CHECKING:
    from ..latent.edits import Edit


class RemoteEditors:
    """Stands for `GeneratorSession.editors`: edits of any kind are drawn where the server has their machine; none comes here."""

    def __init__(self, host: str) -> None:
        self._host = host

    def reach(self, edit: Edit, control: str) -> tuple[float, float]:
        """From where to where a value of an edit goes, as the edit says."""
        return edit.control_reach(control)

    def of(self, kind: str) -> NoReturn:
        """RemoteError: machines stay on the server."""
        self._refuse(kind)

    def get(self, kind: str, weights: str) -> NoReturn:
        """RemoteError: machines stay on the server."""
        self._refuse(kind)

    def fit(self, kind: str, **settings: object) -> NoReturn:
        """RemoteError: machines are made where the generator is."""
        self._refuse(kind)

    def add(self, kind: str, machine: object, weights: str | None = None) -> NoReturn:
        """RemoteError: the server has the machines that its owner gave it."""
        self._refuse(kind)

    def _refuse(self, kind: str) -> NoReturn:
        raise RemoteError(
            f"the {kind!r} machine needs the generator, which is on {self._host}: edits made with it are drawn there, but it is "
            "neither made nor read from here. sw.load(...) on a machine with torch does",
            501,
        )
