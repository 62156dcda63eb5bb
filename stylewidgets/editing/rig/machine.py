"""Rig: the machine of `RigEdit`, one for each generator's w."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ... import domain
from ...core.checks import unknown_name
from ...jobs import Job
from ...latent.latent import Latent
from ...latent.rig import RigEdit
from ...session.session import GeneratorSession
from ..of_w import MachineOfW
from ..protocol import register
from . import file, fitting
from .core import RigCore


@register
class Rig(MachineOfW[RigCore, RigEdit]):
    """Steers pose, expression and light by their values (StyleRig, Tewari et al., CVPR 2020).

    Values are absolute, in each parameter's unit: ``rig.edit(latent, yaw=20, smile=1.0)``. Args: see `MachineOfW`.
    """

    kind, panel, edits = "rig", "Rig", RigEdit
    _rounded, _read = staticmethod(file.rounded), staticmethod(file.read)
    _write, _header = staticmethod(file.write), staticmethod(file.header)

    @staticmethod
    def _fitted(session: GeneratorSession, **settings: Any) -> Job[tuple[RigCore, dict[str, Any]]]:
        return fitting.fit(session, **settings)

    def __repr__(self) -> str:
        return f"Rig({self.about.get('name', '')!r}, {', '.join(self.groups)}, {self.weights})"

    @classmethod
    def prepared(cls, session: GeneratorSession) -> Path:
        """Where the rig that was fitted for a session's w+ is kept: generators of one w can have different rows."""
        return super().prepared(session).with_name(f"{session.fingerprint('w')}-{session.num_ws}.rig.safetensors")

    @classmethod
    def _is_of(cls, header: Mapping[str, Any], session: GeneratorSession) -> bool:
        sizes = header.get("sizes")
        rows = sizes.get("rows") if isinstance(sizes, Mapping) else None
        return super()._is_of(header, session) and rows == session.num_ws

    def fits(self, session: GeneratorSession) -> str | None:
        """Why it cannot work with a generator, or None."""
        rows, width = self.core.net.rows, self.core.net.width
        if (session.num_ws, session.w_dim) != (rows, width):
            return (
                f"this rig is of w+ with {rows} rows of {width} numbers; this generator's has {session.num_ws} of "
                f"{session.w_dim}. Rig.load(session) finds this generator's own, `{self.command()}` makes one"
            )
        return super().fits(session)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Names of the parameters by group, such as those of the light."""
        return dict(self.core.groups)

    def parameters(self, latent: Latent) -> dict[str, float]:
        """What a latent has now; see `read`."""
        return self.read(latent)

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
        return {name: self.within(name, read[reader.index(name)]) for name in self.names if name in reader.names}

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
        return self._wished(latent, self.edit_of(latent) or RigEdit((), self.weights), wanted.items())

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
                    wanted[member] = self.within(member, there[member])
        return self.wish(latent, wanted)

    def edited(self, ws: Tensor, wanted: Mapping[str, float], strength: float = 1.0) -> Tensor:
        """w+ [R, D] after an edit; see `RigCore.edited`. It is what a `RigEdit` asks for."""
        return self.core.edited(ws, wanted, strength)
