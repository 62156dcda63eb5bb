"""Rig: the machine of `RigEdit`, one for each generator's w."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from weakref import ReferenceType, ref

from torch import Tensor

from ... import domain
from ... import weights as bundled
from ...core import files
from ...core.checks import unknown_name
from ...generators.identity import fingerprint
from ...jobs import Job
from ...latent.latent import Latent
from ...latent.rig import RigEdit
from ...session.session import GeneratorSession
from ..flow.attributes import Attribute
from ..protocol import register
from . import file, fitting
from .core import RigCore

COMMAND = "python -m stylewidgets train rig"


@register
class Rig:
    """Steers pose, expression and light by their values (StyleRig, Tewari et al., CVPR 2020).

    Values are absolute, in each parameter's unit: ``rig.edit(latent, yaw=20, smile=1.0)``.

    Args:
        core: the trained rig.
        about: what its file says of it: "name", "w" (fingerprint of the w it is of; "" where nobody knows), "licence" …
    """

    kind: ClassVar[str] = "rig"

    def __init__(self, core: RigCore, about: Mapping[str, Any]) -> None:
        self.core, self.about = file.rounded(core), dict(about)
        self.weights = fingerprint(core)
        self._session: ReferenceType[GeneratorSession] | None = None

    def __repr__(self) -> str:
        return f"Rig({self.about.get('name', '')!r}, {', '.join(self.groups)}, {self.weights})"

    # -- where it comes from -------------------------------------------------------------------------------------------
    @classmethod
    def load(cls, source: GeneratorSession | str | os.PathLike[str]) -> Rig:
        """The rig of a file; or that of a session's generator: bundled, or prepared here before.

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
            f"there is no rig for this generator yet. Prepare one with `{COMMAND} {name}`, with session.editors.fit('rig') or "
            "in the explorer's Rig panel; or load a file: Rig.load(path)"
        )

    @classmethod
    def known(cls, session: GeneratorSession) -> bool:
        """Whether `load(session)` finds one."""
        return _found(session) is not None

    @classmethod
    def fit(cls, session: GeneratorSession, **settings: Any) -> Job[Rig]:
        """Long work that makes a rig for a generator; settings as of `fitting.fit`. Its result is kept for `load(session)`.

        `session.editors.fit("rig", …)` makes a `Run` of it.
        """
        core, about = yield from fitting.fit(session, **settings)
        rig = cls(core, about).bound(session)
        if not {"reader", "table"} & settings.keys():  # of the generator's own domain
            kept = prepared(session)
            kept.parent.mkdir(parents=True, exist_ok=True)
            rig.save(kept)
        return rig

    def bound(self, session: GeneratorSession) -> Rig:
        """This rig, which from now on reads latents with that session. ValueError where it does not fit."""
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
            raise ValueError("this rig has no session to read latents with: rig.bound(session) gives it one")
        return found

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one .safetensors file of half the digits, with hash, domain, units and licence; return its path."""
        return file.write(path, self.core, {**self.about, "weights": self.weights})

    def fits(self, session: GeneratorSession) -> str | None:
        """Why it cannot work with a generator, or None."""
        rows, width = self.core.net.rows, self.core.net.width
        if (session.num_ws, session.w_dim) != (rows, width):
            return (
                f"this rig is of w+ with {rows} rows of {width} numbers; this generator's has {session.num_ws} of "
                f"{session.w_dim}. Rig.load(session) finds this generator's own, `{COMMAND}` makes one"
            )
        known = self.about.get("w", "")
        if known and known != session.fingerprint("w"):
            return (
                f"this rig was trained on the w of another generator ({self.about.get('name', '')}): its parameters would mean "
                f"nothing here. Rig.load(session) finds this generator's own, `{COMMAND}` makes one"
            )
        return None

    # -- what it says and does -----------------------------------------------------------------------------------------
    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(entry.name for entry in self.core.attributes.shown)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Names of the parameters by group, such as those of the light."""
        return dict(self.core.groups)

    def about_parameter(self, name: str) -> Attribute:
        """Unit, range and so on of a parameter. ValueError with the nearest name."""
        return self.core.attributes.find(name)

    def reach(self, name: str) -> tuple[float, float]:
        """From where to where a parameter can be asked for. ValueError with the nearest name."""
        entry = self.core.attributes.find(name)
        return entry.low, entry.high

    def parameters(self, latent: Latent) -> dict[str, float]:
        """What a latent has now, with all its edits in w: natural values by name, read off its w.

        Raises:
            ValueError: a code in s has no w, or a rig of a file has no session yet (`bound`).
        """
        with self.session.lock:
            return self.natural(self.core.read(self.session.map(latent)[0]))

    def of_picture(self, picture: object) -> dict[str, float]:
        """Parameters of a picture (path, PIL, array), as the domain's reader reads them off it, within the rig's ranges.

        Raises:
            ValueError: nothing reads this generator's pictures.
        """
        from ...inversion.target import Target

        known = domain.of(self.session)
        if known is None or known.reader is None:
            raise ValueError("nothing reads parameters off pictures here: take them from another latent instead")
        reader = known.reader()
        read = reader(Target.of(picture, self.session).images)[0].tolist()
        return {name: self._within(name, read[reader.index(name)]) for name in self.names if name in reader.names}

    def edit(self, latent: Latent, *, strength: float | None = None, **wanted: float | None) -> Latent:
        """The latent with parameters at wanted values; a rig's second edit merges into its first.

        Args:
            strength: of the whole edit; None leaves it, 1 at first.
            wanted: values in the parameter's unit; None takes a wish back.

        Raises:
            ValueError: an unknown parameter, a value out of range, or a code in s.
        """
        latent = self.wish(latent, wanted)
        edit = self.edit_of(latent)
        assert edit is not None
        return latent if strength is None else latent.with_edit(edit.with_strength(strength))

    def wish(self, latent: Latent, wanted: Mapping[str, float | None]) -> Latent:
        """`edit`, with the wanted values as a mapping."""
        edit = self.edit_of(latent) or RigEdit((), self.weights)
        for name, value in wanted.items():
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

    def edit_of(self, latent: Latent) -> RigEdit | None:
        """The edit of this rig in a latent, the one that `edit` merges into."""
        return next((e for e in latent.edits if isinstance(e, RigEdit) and e.weights == self.weights), None)

    def take(self, latent: Latent, other: Latent | Mapping[str, float], *names: str) -> Latent:
        """The latent with parameters of another picture, such as its pose.

        Args:
            other: a latent, or parameters by name, as `of_picture` gives them.
            names: parameters or groups; none for all.
        """
        there = self.parameters(other) if isinstance(other, Latent) else other
        wanted = {}
        for name in names or self.names:
            if name not in self.groups and name not in self.names:
                raise unknown_name("parameter or group", name, (*self.groups, *self.names))
            for member in self.groups.get(name, (name,)):
                if member in there:
                    wanted[member] = self._within(member, there[member])
        return self.wish(latent, wanted)

    def edited(self, ws: Tensor, wanted: Mapping[str, float], strength: float = 1.0) -> Tensor:
        """w+ [R, D] after an edit; see `RigCore.edited`. It is what a `RigEdit` asks for."""
        return self.core.edited(ws, wanted, strength)

    def natural(self, seen: Tensor) -> dict[str, float]:
        """Readings [A] as the networks see them, as natural values of the parameters."""
        values = self.core.attributes.natural(seen).tolist()
        return {e.name: float(v) for e, v in zip(self.core.attributes, values, strict=True) if not e.held}

    def _within(self, name: str, value: float) -> float:
        low, high = self.reach(name)
        return min(max(value, low), high)


def prepared(session: GeneratorSession) -> Path:
    """Where the rig that was fitted for a session's w+ is kept: generators of one w can have different rows."""
    return files.cache_folder() / "rig" / f"{session.fingerprint('w')}-{session.num_ws}.rig.safetensors"


def _found(session: GeneratorSession) -> Path | None:
    """The file of a session's rig: prepared here, or bundled."""
    wanted = session.fingerprint("w"), session.num_ws
    places = (prepared(session), *sorted(bundled.FOLDER.glob("*.rig.safetensors")))
    return next((path for path in places if path.is_file() and _w_plus(file.header(path)) == wanted), None)


def _w_plus(header: Mapping[str, Any]) -> tuple[object, object]:
    """Of which w, and how many rows of it."""
    sizes = header.get("sizes")
    return header.get("w"), sizes.get("rows") if isinstance(sizes, Mapping) else None
