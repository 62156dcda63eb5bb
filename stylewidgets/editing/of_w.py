"""Machines that bring attributes in w to wanted values: what a flow and a rig have in common."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from weakref import ReferenceType, ref

from torch import Tensor, nn

from .. import weights as bundled
from ..core import files
from ..generators.identity import fingerprint
from ..jobs import Job
from ..latent.latent import Latent
from ..latent.wishes import Wishing
from ..session.session import GeneratorSession
from .flow.attributes import Attribute, Attributes


class Core(Protocol):
    """The networks of a machine: a torch.nn.Module with attributes that it reads off w+."""

    attributes: Attributes

    def read(self, ws: Tensor) -> Tensor: ...


C = TypeVar("C", bound=nn.Module)
W = TypeVar("W", bound=Wishing)
M = TypeVar("M", bound="MachineOfW[Any, Any]")


class MachineOfW(Generic[C, W]):
    """Base of machines of one generator's w, whose edits have wanted values by name, in each attribute's unit.

    Args:
        core: the trained networks.
        about: what its file says of it: "name", "w" (fingerprint of the w it is of; "" where nobody knows), "licence" …

    Attributes:
        kind: of the class: that of its edits, its command and its files.
        panel: of the class: the explorer's panel that prepares one.
        edits: of the class: its kind of edits.
    """

    kind: ClassVar[str]
    panel: ClassVar[str]
    edits: type[W]

    def __init__(self, core: C, about: Mapping[str, Any]) -> None:
        self.core, self.about = self._rounded(core), dict(about)
        self.weights = fingerprint(core)
        self._session: ReferenceType[GeneratorSession] | None = None

    # -- what a kind has of its own ------------------------------------------------------------------------------------
    @staticmethod
    def _rounded(core: C) -> C:
        """The core as a file has it."""
        raise NotImplementedError

    @staticmethod
    def _read(path: str | os.PathLike[str]) -> tuple[C, dict[str, Any]]:
        """A core and what its file says of it."""
        raise NotImplementedError

    @staticmethod
    def _write(path: str | os.PathLike[str], core: C, about: Mapping[str, Any]) -> Path:
        """Write a core and what is known of it."""
        raise NotImplementedError

    @staticmethod
    def _header(path: Path) -> Mapping[str, Any]:
        """What a file of the kind says of itself; empty for any other."""
        raise NotImplementedError

    @staticmethod
    def _fitted(session: GeneratorSession, **settings: Any) -> Job[tuple[C, dict[str, Any]]]:
        """Long work that trains a core."""
        raise NotImplementedError

    @classmethod
    def prepared(cls, session: GeneratorSession) -> Path:
        """Where the one that was fitted for a session's w is kept."""
        return files.cache_folder() / cls.kind / f"{session.fingerprint('w')}.{cls.kind}.safetensors"

    @classmethod
    def _is_of(cls, header: Mapping[str, Any], session: GeneratorSession) -> bool:
        """Whether the file with that header is of a session's generator."""
        return bool(header.get("w") == session.fingerprint("w"))

    # -- where it comes from -------------------------------------------------------------------------------------------
    @classmethod
    def load(cls: type[M], source: GeneratorSession | str | os.PathLike[str]) -> M:
        """The machine of a file; or that of a session's generator: bundled, or prepared here before.

        Raises:
            FileNotFoundError: there is none; for a session the text names the command that makes one.
            ValueError: the file is damaged or holds something else.
        """
        if not isinstance(source, GeneratorSession):
            return cls(*cls._read(source))
        found = cls._found(source)
        if found is not None:
            return cls(*cls._read(found)).bound(source)
        name = source.source or source.name or "generator.safetensors"
        raise FileNotFoundError(
            f"there is no {cls.kind} for this generator yet. Prepare one with `{cls.command()} {name}`, with "
            f"session.editors.fit({cls.kind!r}) or in the explorer's {cls.panel} panel; or load a file: {cls.__name__}.load(path)"
        )

    @classmethod
    def command(cls) -> str:
        """What makes one, in a shell."""
        return f"python -m stylewidgets train {cls.kind}"

    @classmethod
    def known(cls, session: GeneratorSession) -> bool:
        """Whether `load(session)` finds one."""
        return cls._found(session) is not None

    @classmethod
    def _found(cls, session: GeneratorSession) -> Path | None:
        places = (cls.prepared(session), *sorted(bundled.FOLDER.glob(f"*.{cls.kind}.safetensors")))
        return next((path for path in places if path.is_file() and cls._is_of(cls._header(path), session)), None)

    @classmethod
    def fit(cls: type[M], session: GeneratorSession, **settings: Any) -> Job[M]:
        """Long work that makes one for a generator; settings as of its module `fitting`. Its result is kept for `load(session)`.

        `session.editors.fit(kind, …)` makes a `Run` of it.
        """
        core, about = yield from cls._fitted(session, **settings)
        made = cls(core, about).bound(session)
        if not {"reader", "table"} & settings.keys():  # of the generator's own domain
            kept = cls.prepared(session)
            kept.parent.mkdir(parents=True, exist_ok=True)
            made.save(kept)
        return made

    def bound(self: M, session: GeneratorSession) -> M:
        """This one, which from now on reads latents with that session. ValueError where it does not fit."""
        reason = self.fits(session)
        if reason is not None:
            raise ValueError(reason)
        self._session = ref(session)  # which has the machine: together they would wait for the garbage collector
        self.core.to(session.device)
        return self

    @property
    def session(self) -> GeneratorSession:
        """The session that it reads latents with. ValueError where there is none (any more)."""
        found = self._session() if self._session is not None else None
        if found is None:
            raise ValueError(
                f"this {self.kind} has no session to read latents with: {self.kind}.bound(session) gives it one"
            )
        return found

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one .safetensors file of half the digits, with hash, domain, units and licence; return its path."""
        return self._write(path, self.core, {**self.about, "weights": self.weights})

    def fits(self, session: GeneratorSession) -> str | None:
        """Why it cannot work with a generator, or None."""
        known = self.about.get("w", "")
        if known and known != session.fingerprint("w"):
            return (
                f"this {self.kind} was trained on the w of another generator ({self.about.get('name', '')}): its values would "
                f"mean nothing here. {type(self).__name__}.load(session) finds this generator's own, `{self.command()}` makes one"
            )
        return None

    # -- what it says and does -----------------------------------------------------------------------------------------
    @property
    def _entries(self) -> Attributes:
        core: Core = self.core  # type: ignore[assignment]
        return core.attributes

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what can be asked for."""
        return tuple(entry.name for entry in self._entries.shown)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Names that belong together, such as those of the light."""
        return self._entries.groups

    def about_attribute(self, name: str) -> Attribute:
        """Unit, range and so on of one. ValueError with the nearest name."""
        return self._entries.find(name)

    def reach(self, name: str) -> tuple[float, float]:
        """From where to where one can be asked for. ValueError with the nearest name."""
        entry = self._entries.find(name)
        return entry.low, entry.high

    def read(self, latent: Latent) -> dict[str, float]:
        """What a latent has now, with all its edits in w: natural values by name, read off its w.

        Raises:
            ValueError: a code in s has no w, there is no reader, or no session yet (`bound`).
        """
        core: Core = self.core  # type: ignore[assignment]
        with self.session.lock:
            return self.natural(core.read(self.session.map(latent)[0]))

    def natural(self, seen: Tensor) -> dict[str, float]:
        """Readings [A] as the networks see them, as natural values of what can be asked for."""
        values = self._entries.natural(seen).tolist()
        return {e.name: float(v) for e, v in zip(self._entries, values, strict=True) if not e.held}

    def edit_of(self, latent: Latent) -> W | None:
        """This one's edit in a latent, the one that `edit` merges into."""
        return next((e for e in latent.edits if isinstance(e, self.edits) and e.weights == self.weights), None)

    def _wished(self, latent: Latent, edit: W, wanted: Iterable[tuple[str, Any]]) -> Latent:
        """The latent with that edit and more wishes; None takes one back."""
        for name, value in wanted:
            entry = self._entries.find(name)
            if value is None:
                edit = edit.without(name)
            else:
                entry.check(value)
                edit = edit.wanting({name: float(value)})
        reason = edit.accepts(latent)
        if reason is not None:
            raise ValueError(reason)
        return latent.with_edit(edit)

    def within(self, name: str, value: float) -> float:
        """A value, or the nearest that can be asked for."""
        low, high = self.reach(name)
        return min(max(value, low), high)
