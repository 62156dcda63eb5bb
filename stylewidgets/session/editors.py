"""The machines of edits that a session has, found by kind and hash of weights."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

from ..core.checks import unknown_name
from ..core.lazy import resolve
from ..jobs import Job, Run

if TYPE_CHECKING:
    from ..editing.protocol import Editor
    from ..latent.edits import Edit
    from .session import GeneratorSession


KINDS: dict[str, type[Editor]] = {}
"""Filled by `editing.register`: rooms above this one bring the machines."""

BUNDLED = {
    "flow": "stylewidgets.editing.flow.machine:Flow",
    "mapper": "stylewidgets.editing.words.mapper:Mapper",
    "rig": "stylewidgets.editing.rig.machine:Rig",
    "parts": "stylewidgets.editing.parts.parts:Parts",
}
"""Kinds of this package by name, imported when an edit first needs one."""


class Editors:
    """The machines of one session. Each is loaded when an edit first needs it.

    Args:
        session: that they work with.
    """

    def __init__(self, session: GeneratorSession) -> None:
        self._owner = ref(session)  # which has this object: together they would wait for the garbage collector
        self._known: dict[tuple[str, str], Editor] = {}
        self._files: dict[tuple[str, str], str | os.PathLike[str]] = {}

    @property
    def _session(self) -> GeneratorSession:
        session = self._owner()
        assert session is not None
        return session

    def add(self, kind: str, machine: Editor | str | os.PathLike[str], weights: str | None = None) -> None:
        """Make a machine known.

        Args:
            kind: a registered one.
            machine: itself, or the path of its file.
            weights: the hash that edits ask for; of a machine at hand its own. With a path the file is read when an edit first
                asks for this hash, without one at once.

        Raises:
            ValueError: an unknown kind, or the machine does not fit the generator.
        """
        if not isinstance(machine, (str, os.PathLike)):
            self._keep(kind, machine)
        elif weights is None:
            self._keep(kind, _loader(kind).load(machine))
        else:
            _loader(kind)
            self._files[kind, weights] = machine

    def get(self, kind: str, weights: str) -> Editor:
        """The machine with that hash: one that is known, that of a known file, or the one that belongs to the generator.

        Raises:
            ValueError: there is none. The text says what to do.
        """
        key = kind, weights
        if key not in self._known:
            try:
                source = self._files.get(key) or _shipped(kind, weights) or self._session
                self._keep(kind, _loader(kind).load(source))
            except (OSError, ValueError) as error:
                raise ValueError(f"{_missing(kind, weights)} ({error})") from error
        if key not in self._known:
            raise ValueError(_missing(kind, weights))
        return self._known[key]

    def of(self, kind: str) -> Editor:
        """The machine of a kind for this generator: the one that was made known last, or the one that belongs to it.

        Raises:
            ValueError: an unknown kind, or the file is damaged.
            FileNotFoundError: there is none; the text says what makes one.
        """
        known = [machine for (other, _), machine in self._known.items() if other == kind]
        if known:
            return known[-1]
        machine = _loader(kind).load(self._session)
        self._keep(kind, machine)
        return machine

    def fit(self, kind: str, **settings: object) -> Run[Editor]:
        """A run that makes the machine of a kind for this generator. When it is done, the machine is known here.

        Args:
            kind: a registered one.
            settings: of its `fit`.

        Raises:
            ValueError: an unknown kind.
        """

        def making() -> Job[Editor]:
            make: Callable[..., Job[Editor]] = _loader(kind).fit  # which may have keywords of its own
            machine = yield from make(self._session, **settings)
            self._keep(kind, machine)
            return machine

        _loader(kind)
        return Run(making())

    def reach(self, edit: Edit, control: str) -> tuple[float, float]:
        """From where to where a value of an edit goes: as its machine says, where one is loaded and does, else as the edit."""
        weights = getattr(edit, "weights", "")
        says = getattr(self._known.get((edit.kind, weights)), "reach", None)
        return edit.control_reach(control) if says is None else says(control)

    def take(self, other: Editors) -> None:
        """Know what another session knows, as far as it fits here."""
        self._files.update(other._files)
        self._known.update({key: m for key, m in other._known.items() if m.fits(self._session) is None})

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Kind and hash of each machine that is loaded or has a file."""
        return iter({**self._known, **self._files})

    def _keep(self, kind: str, machine: Editor) -> None:
        reason = machine.fits(self._session)
        if reason is not None:
            raise ValueError(reason)
        self._known.pop((kind, machine.weights), None)  # so that it is the last
        self._known[kind, machine.weights] = machine


def _loader(kind: str) -> type[Editor]:
    if kind not in KINDS and kind in BUNDLED:
        KINDS[kind] = resolve(BUNDLED[kind])
    if kind not in KINDS:
        raise unknown_name("kind of editor", kind, {**KINDS, **BUNDLED})
    return KINDS[kind]


def _shipped(kind: str, weights: str) -> Path | None:
    """The file that ships with the machine of this hash, for kinds of which a generator has several."""
    look: Callable[[str], Path | None] | None = getattr(_loader(kind), "shipped", None)
    return None if look is None else look(weights)


def _missing(kind: str, weights: str) -> str:
    return (
        f"an edit needs the {kind!r} editor with weights {weights!r}, which this session does not have. "
        f"session.editors.add({kind!r}, path) makes its file known"
    )
