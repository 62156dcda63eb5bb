"""Latent: everything that determines one picture, as one value that never changes. Knows no torch module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

from ..core.checks import check_finite, check_int, unknown_name
from ..core.values import what
from .checks import (
    MAX_SEED,
    Extra,
    check_within,
    checked_blend,
    checked_edits,
    checked_extra,
    checked_history,
    checked_source,
    checked_view,
    whole_or_vector,
)
from .code import SPACES, Code
from .direction import Direction
from .edits import Edit
from .files import Data, Get, Put, keys, sequence
from .move import Move
from .saved import Saved, check_version
from .view import IDENTITY, VIEWS, Transform, View

__all__ = ["IDENTITY", "MAX_SEED", "NOISE_MODES", "SPACES", "Code", "Direction", "Edit", "Latent", "Transform"]

VERSION = 2
NOISE_MODES = ("const", "random", "none", "tf")
SEEDED_NOISE = ("random", "tf")
"""Modes for which the seed counts."""
_PLAIN = ("seed", "psi", "cutoff", "label", "noise_mode", "noise_seed")


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Latent(Saved):
    """One picture as a value: where it starts, how it is truncated, its label, noise and edits.

    Exactly one of seed, blend and code is the source; with none of them it is seed 0.

    Args:
        seed: z is ``numpy.random.RandomState(seed).randn(1, z_dim)``; 0 to 2**32 - 1.
        blend: (seed, weight) pairs with weights that sum to 1, mixed in w before truncation.
        code: a `Code`.
        psi: truncation (Karras et al., CVPR 2019): w_avg + psi·(w − w_avg). 1 is none, 0 the average picture.
        cutoff: rows 0 … cutoff − 1 of w+ are truncated; None for all.
        label: class index of a conditional generator, or the numbers of a vector [c_dim] where it takes one; else None.
        noise_mode: "const" (the stored noise), "random" (drawn from noise_seed), "none", or "tf": as the TensorFlow scripts of
            StyleGAN2 and ADA draw it, after z from the same RandomState. For their pictures give noise_seed=seed.
        noise_seed: 0 to 2**32 - 1; of "random" and "tf".
        edits: `Edit` values, which differ in kind or name. Those in z act before the mapping network, those in w after
            truncation, those in s on the styles.
        view: how the picture is looked at: of one of the registered kinds (`view.VIEWS`), such as a `Transform`.
        extra: what a family draws from besides, a dictionary of seeds and vectors, such as the background of a scene; kept as
            pairs.
        source: what the picture is made of where a family needs something: a `Latent`, or a picture by the SHA-256 of its
            bytes in hexadecimal digits.
        history: words on how it came about; no part of equality.
        named: the view under its kind, such as ``transform=Transform(angle=30)``.

    Latents within (of edits and `source`) go at most four deep, and take at most 64 MB with `extra`.

    Raises:
        ValueError: a value out of range, two sources, two edits of one kind and name, or too much within.
        TypeError: a value of the wrong type, or an unknown name.
    """

    title = "latent"
    accepted = (
        "Accepted are .json and .npz files written by Latent.save or explorer.save. Codes of other tools are read by "
        "stylewidgets.read_latent(path, session), or made by hand: Code('w+', np.load(path)['w'])"
    )

    seed: int | None
    blend: tuple[tuple[int, float], ...]
    code: Code | None
    psi: float
    cutoff: int | None
    label: int | tuple[float, ...] | None
    noise_mode: str
    noise_seed: int
    edits: tuple[Edit, ...]
    view: View
    extra: Extra
    source: Latent | str | None
    history: tuple[str, ...] = field(compare=False)

    def __init__(
        self,
        seed: int | None = None,
        blend: Iterable[Sequence[float]] = (),
        code: Code | None = None,
        psi: float = 1.0,
        cutoff: int | None = None,
        label: int | Sequence[float] | None = None,
        noise_mode: str = "const",
        noise_seed: int = 0,
        edits: Iterable[Edit] = (),
        view: View = IDENTITY,
        extra: Mapping[str, object] | Extra = (),
        source: Latent | str | None = None,
        history: Iterable[str] = (),
        **named: View,
    ) -> None:
        pairs = checked_blend(blend)
        sources = {"seed": seed is not None, "blend": bool(pairs), "code": code is not None}
        given = [name for name, there in sources.items() if there]
        if len(given) > 1:
            raise ValueError(f"one of seed, blend and code is the source of a latent; {' and '.join(given)} were given")
        if code is not None and not isinstance(code, Code):
            raise TypeError(f"code is a Code, such as Code('w', array); {what(code)} was given")
        if noise_mode not in NOISE_MODES:
            raise unknown_name("noise mode", noise_mode, NOISE_MODES)
        values = {
            "seed": None if pairs or code is not None else 0 if seed is None else check_int("seed", seed, 0, MAX_SEED),
            "blend": pairs,
            "code": code,
            "psi": check_finite("psi", psi),
            "cutoff": None if cutoff is None else check_int("cutoff", cutoff, 0),
            "label": None if label is None else whole_or_vector("label", label),
            "noise_mode": noise_mode,
            "noise_seed": check_int("noise_seed", noise_seed, 0, MAX_SEED),
            "edits": checked_edits(edits),
            "view": checked_view(view, named),
            "extra": checked_extra(extra),
            "source": checked_source(source, Latent),
            "history": checked_history(history),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if self.extra or self.nested:
            check_within(self)

    def __repr__(self) -> str:
        differs = (f.name for f in fields(self) if f.compare and getattr(self, f.name) != getattr(_DEFAULT, f.name))
        names = [name for name in ("seed", *differs) if getattr(self, name) is not None]
        shown = (
            f"{self.view.kind if name == 'view' else name}={getattr(self, name)!r}" for name in dict.fromkeys(names)
        )
        return f"Latent({', '.join(shown)})"

    # -- what is in it -------------------------------------------------------------------------------------------------
    @property
    def transform(self) -> Transform:
        """The view where it is a `Transform`, else the one that changes nothing."""
        return self.view if isinstance(self.view, Transform) else IDENTITY

    @property
    def in_s(self) -> bool:
        """Whether the styles, and not w, are what it is made of: by its code, or by an edit that acts on them."""
        coded = self.code is not None and self.code.space == "s"
        return coded or any(edit.stage == "s" and edit.strength for edit in self.edits)

    @property
    def nested(self) -> tuple[Latent, ...]:
        """The latents right within it: of its edits, and its source."""
        inner = tuple(latent for edit in self.edits for latent in edit.nested)
        return (*inner, self.source) if isinstance(self.source, Latent) else inner

    # -- variations --------------------------------------------------------------------------------------------------
    def replace(self, **changes: object) -> Latent:
        """Return this latent with other values. Setting one of seed, blend and code clears the other two.

        Raises:
            TypeError: an unknown name; the nearest one is named.
        """
        names = [field.name for field in fields(self)]
        for name in changes:
            if name not in names and name not in VIEWS:
                raise TypeError(str(unknown_name("part of a Latent", name, [*names, *VIEWS])))
        values = {name: getattr(self, name) for name in names}
        if "blend" in changes:
            changes["blend"] = checked_blend(changes["blend"])  # type: ignore[arg-type]  # an array has no truth value
        if any(changes.get(name) is not None for name in ("seed", "code")) or changes.get("blend"):
            values.update(_SOURCES)
        return Latent(**{**values, **changes})

    def with_edit(
        self, edit: Direction | Edit, strength: float | None = None, layers: tuple[int, int] | None = None
    ) -> Latent:
        """Return this latent with an edit: in place of the one of its kind and name, else after all others.

        Strength 0 keeps the edit, so that its control stays.

        Args:
            edit: an `Edit` of any kind; or a `Direction` to move along, with the two that follow.
            strength: of a direction.
            layers: rows of w+ (first, last) that it acts on; None for all.
        """
        if not isinstance(edit, Edit):
            if strength is None:
                raise TypeError("a direction needs a strength: latent.with_edit(direction, 2.0)")
            edit = Move(edit, strength, layers)
        elif strength is not None or layers is not None:
            raise TypeError("strength and layers belong to the edit; edit.with_strength(2.0) makes another one")
        if any(old.identity == edit.identity for old in self.edits):
            return self.replace(edits=tuple(edit if old.identity == edit.identity else old for old in self.edits))
        return self.replace(edits=(*self.edits, edit))

    def without_edit(self, name: str, kind: str | None = None) -> Latent:
        """Return this latent without the edit of that name. ValueError when there is none, or, without a kind, several."""
        gone = self.edit(name, kind)
        return self.replace(edits=tuple(edit for edit in self.edits if edit is not gone))

    def strength(self, name: str, kind: str | None = None) -> float:
        """Return the strength of the edit of that name. ValueError when there is none, or, without a kind, several."""
        return self.edit(name, kind).strength

    def edit(self, name: str, kind: str | None = None) -> Edit:
        """Return the edit of that name. ValueError when there is none, or, without a kind, several."""
        found = [edit for edit in self.edits if edit.name == name and kind in (None, edit.kind)]
        if len(found) > 1:
            of = " and ".join(repr(edit.kind) for edit in found)
            raise ValueError(f"{len(found)} edits are called {name!r}, of the kinds {of}: say which kind")
        if not found:
            raise unknown_name("edit", name, [edit.name for edit in self.edits])
        return found[0]

    # -- files ---------------------------------------------------------------------------------------------------------
    def describe(self, put: Put) -> Data:
        """What a file says of it. What does nothing is left out, so that older versions read the file where they can."""
        data: Data = {"kind": "latent", "version": self._version()}
        data |= {name: getattr(self, name) for name in _PLAIN}
        data["label"] = list(self.label) if isinstance(self.label, tuple) else self.label
        data["blend"] = [list(pair) for pair in self.blend]
        data["code"] = None if self.code is None else self.code.describe(put)
        data["edits"] = [edit.describe(put) for edit in self.edits]
        if self.view != IDENTITY:
            data[self.view.kind] = self.view.to_dict()
        if self.extra:
            data["extra"] = dict(self.extra)
        if self.source is not None:
            data["source"] = self.source if isinstance(self.source, str) else self.source.describe(put)
        if self.history:
            data["history"] = list(self.history)
        return data

    def _version(self) -> int:
        """Of the first files that can hold it."""
        newer = isinstance(self.label, tuple) or self.extra or self.source is not None or self.history
        return max([2 if newer else 1, self.view.version, *(edit.version for edit in self.edits)])

    @classmethod
    def build(cls, data: object, get: Get) -> Latent:
        """The inverse of `describe`."""
        if not isinstance(data, dict) or data.get("kind") != "latent":
            raise ValueError("its description does not say that it is a latent (kind: 'latent')")
        check_version(data.get("version"), VERSION)
        keys(
            "latent", data, ("kind", "version", *_PLAIN, "blend", "code", "edits", "extra", "source", "history", *VIEWS)
        )
        values = {name: data[name] for name in (*_PLAIN, "extra", "history") if name in data}
        if data.get("code") is not None:
            values["code"] = Code.build(data["code"], get)
        values["blend"] = tuple(sequence("blend", data.get("blend", [])))
        values["edits"] = tuple(Edit.build(item, get) for item in sequence("edits", data.get("edits", [])))
        values |= {name: kind.from_dict(data[name]) for name, kind in VIEWS.items() if name in data}
        source = data.get("source")
        values["source"] = Latent.build(source, get) if isinstance(source, dict) else source
        return cls(**values)


_SOURCES: Data = {"seed": None, "blend": (), "code": None}
_DEFAULT = Latent()
