"""Flow: the machine of `FlowEdit`, one for each generator's w."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar
from weakref import ReferenceType, ref

import torch
from torch import Tensor

from ... import weights as bundled
from ...core import files
from ...generators.identity import fingerprint
from ...jobs import Job
from ...latent.flow import CORRECTIONS, FlowEdit
from ...latent.latent import Code, Latent
from ...session.session import GeneratorSession
from ..protocol import register
from . import file, fitting
from .attributes import Attribute
from .core import FlowCore

COMMAND = "python -m stylewidgets train flow"


@register
class Flow:
    """Edits attributes by a conditional normalising flow (StyleFlow, Abdal et al., ACM TOG 2021).

    Values are absolute, in each attribute's unit: ``flow.edit(latent, smile=1.0, yaw=20)``.

    Args:
        core: the trained flow.
        about: what its file says of it: "name", "w" (fingerprint of the w it is of; "" where nobody knows), "licence" …
    """

    kind: ClassVar[str] = "flow"

    def __init__(self, core: FlowCore, about: Mapping[str, Any]) -> None:
        self.core, self.about = file.rounded(core), dict(about)
        self.weights = fingerprint(core)
        self._session: ReferenceType[GeneratorSession] | None = None

    def __repr__(self) -> str:
        return f"Flow({self.about.get('name', '')!r}, {len(self.core.attributes.shown)} attributes, {self.weights})"

    # -- where it comes from -------------------------------------------------------------------------------------------
    @classmethod
    def load(cls, source: GeneratorSession | str | os.PathLike[str]) -> Flow:
        """The flow of a file, ours or a published one; or that of a session's generator: bundled, or prepared here before.

        Raises:
            FileNotFoundError: there is none; for a session the text names the command that makes one.
            ValueError: the file is damaged or holds something else.
        """
        if not isinstance(source, GeneratorSession):
            return cls(*file.read(source))
        found = _found(source)
        if found is not None:
            return cls(*file.read(found)).bound(source)
        name = source.source or source.name or "generator.safetensors"
        raise FileNotFoundError(
            f"there is no flow for this generator yet. Prepare one with `{COMMAND} {name}`, with "
            "session.editors.fit('flow') or in the explorer's Attributes panel; or load a file: Flow.load(path)"
        )

    @classmethod
    def known(cls, session: GeneratorSession) -> bool:
        """Whether `load(session)` finds one."""
        return _found(session) is not None

    @classmethod
    def fit(cls, session: GeneratorSession, **settings: Any) -> Job[Flow]:
        """Long work that makes a flow for a generator; settings as of `fitting.fit`. Its result is kept for `load(session)`.

        `session.editors.fit("flow", …)` makes a `Run` of it.
        """
        core, about = yield from fitting.fit(session, **settings)
        flow = cls(core, about).bound(session)
        if not {"reader", "table"} & settings.keys():  # of the generator's own domain
            kept = prepared(session)
            kept.parent.mkdir(parents=True, exist_ok=True)
            flow.save(kept)
        return flow

    def bound(self, session: GeneratorSession) -> Flow:
        """This flow, which from now on reads latents with that session. ValueError where it does not fit."""
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
            raise ValueError("this flow has no session to read latents with: flow.bound(session) gives it one")
        return found

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one .safetensors file of half the digits, with hash, domain, units and licence; return its path."""
        return file.write(path, self.core, {**self.about, "weights": self.weights})

    def fits(self, session: GeneratorSession) -> str | None:
        """Why it cannot work with a generator, or None."""
        width = self.core.network.width
        if session.w_dim != width:
            return f"this flow is of w with {width} numbers; this generator's has {session.w_dim}"
        known = self.about.get("w", "")
        if known and known != session.fingerprint("w"):
            return (
                f"this flow was trained on the w of another generator ({self.about.get('name', '')}): its attributes would "
                f"mean nothing here. Flow.load(session) finds this generator's own, `{COMMAND}` makes one"
            )
        return None

    # -- what it says and does -----------------------------------------------------------------------------------------
    @property
    def names(self) -> tuple[str, ...]:
        """Names of the attributes that can be asked for."""
        return tuple(entry.name for entry in self.core.attributes.shown)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Names of attributes that belong together, such as those of the light."""
        return self.core.attributes.groups

    def about_attribute(self, name: str) -> Attribute:
        """Unit, range and so on of an attribute. ValueError with the nearest name."""
        return self.core.attributes.find(name)

    def reach(self, name: str) -> tuple[float, float]:
        """From where to where an attribute can be asked for. ValueError with the nearest name."""
        entry = self.core.attributes.find(name)
        return entry.low, entry.high

    def attributes(self, latent: Latent) -> dict[str, float]:
        """What a latent has now, with all its edits in w: natural values by name, read off its w.

        Raises:
            ValueError: a code in s has no w, a flow of a published file has no reader, or one of any file no session yet
                (`bound`).
        """
        with self.session.lock:
            return self.shown(self.core.read(self.session.map(latent)[0]))

    def edit(
        self,
        latent: Latent,
        *,
        strength: float | None = None,
        start: Mapping[str, float] | None = None,
        corrections: int | None = None,
        **wanted: Any,
    ) -> Latent:
        """The latent with attributes at wanted values; a flow's second edit merges into its first.

        Args:
            strength: of the whole edit; None leaves it, 1 at first.
            start: attributes of the code before the edit, by name; None: they are read off it.
            corrections: how often to read what came out and ask for the rest; None leaves it, 2 at first.
            wanted: values in the attribute's unit. A group takes a value for each of its members, ``light=(40, 20)``; None takes
                a wish back.

        Raises:
            ValueError: an unknown attribute, a value out of range, or a code in s.
        """
        latent = self.wish(latent, wanted)
        edit = self.edit_of(latent)
        assert edit is not None
        changed: dict[str, Any] = {"start": start, "corrections": corrections, "strength": strength}
        return latent.with_edit(replace(edit, **{name: v for name, v in changed.items() if v is not None}))

    def wish(self, latent: Latent, wanted: Mapping[str, Any]) -> Latent:
        """`edit`, with the wanted values as a mapping."""
        corrections = CORRECTIONS if self.core.reader is not None else 0
        edit = self.edit_of(latent) or FlowEdit((), self.weights, corrections=corrections)
        for name, value in self._members(wanted):
            entry = self.core.attributes.find(name)
            if value is None:
                edit = edit.without(name)
            else:
                entry.check(value)
                edit = edit.wanting({name: float(value)})
        reason = edit.accepts(latent)
        if reason is not None:
            raise ValueError(reason)
        return latent.with_edit(edit)

    def edit_of(self, latent: Latent) -> FlowEdit | None:
        """The edit of this flow in a latent, the one that `edit` merges into."""
        return next((e for e in latent.edits if isinstance(e, FlowEdit) and e.weights == self.weights), None)

    def towards(self, latent: Latent, other: Latent, *names: str, amount: float = 1.0) -> Latent:
        """The latent with attributes taken from another picture, such as its light: L + amount·(L_other − L).

        Args:
            names: attributes or groups; none for all.
            amount: 1 arrives at the other's values.
        """
        here, there = self.attributes(latent), self.attributes(other)
        wanted = {}
        for name in names or self.names:
            for member in self.groups.get(name, (name,)):
                entry = self.core.attributes.find(member)
                value = here[member] + amount * (there[member] - here[member])
                wanted[member] = min(max(value, entry.low), entry.high)
        return self.wish(latent, wanted)

    def sample(self, n: int, seed: int = 0, **wanted: float) -> list[Latent]:
        """New pictures with wanted attributes, as latents with a code in w; what is not asked for is left to chance."""
        random = torch.Generator().manual_seed(seed)
        w = self.core.sample(n, dict(self._members(wanted)), random)
        return [Latent(code=Code("w", row)) for row in w.cpu().numpy()]

    def edited(
        self,
        ws: Tensor,
        wanted: Mapping[str, float],
        strength: float = 1.0,
        start: Mapping[str, float] | None = None,
        corrections: int = CORRECTIONS,
    ) -> Tensor:
        """w+ [R, D] after an edit; see `FlowCore.edited`. It is what a `FlowEdit` asks for."""
        return self.core.edited(ws, wanted, strength, start, corrections)

    # -- inside --------------------------------------------------------------------------------------------------------
    def shown(self, seen: Tensor) -> dict[str, float]:
        """Attributes [A] as the network sees them, as natural values of those that can be asked for."""
        values = self.core.attributes.natural(seen).tolist()
        return {e.name: float(v) for e, v in zip(self.core.attributes, values, strict=True) if not e.held}

    def _members(self, wanted: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Wishes for attributes; those for a group are taken apart."""
        for name, value in wanted.items():
            members = self.groups.get(name)
            if members is None or name in self.names:
                yield name, value
                continue
            values: Sequence[Any] = [None] * len(members) if value is None else value
            if not isinstance(values, (tuple, list)) or len(values) != len(members):
                raise ValueError(f"{name} takes {len(members)} values, for {', '.join(members)}; {value!r} was given")
            yield from zip(members, values, strict=True)


def prepared(session: GeneratorSession) -> Path:
    """Where the flow that was fitted for a session's w is kept."""
    return files.cache_folder() / "flow" / f"{session.fingerprint('w')}.flow.safetensors"


def _found(session: GeneratorSession) -> Path | None:
    """The file of a session's flow: prepared here, or bundled."""
    wanted = session.fingerprint("w")
    places = (prepared(session), *sorted(bundled.FOLDER.glob("*.flow.safetensors")))
    return next((path for path in places if path.is_file() and file.header(path).get("w") == wanted), None)
