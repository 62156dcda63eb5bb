"""Whether a latent fits a generator, with texts that say what does."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.checks import check_finite, check_int, check_layers, unknown_name
from ..generators.protocol import Generator, view_kind
from ..latent.latent import Code, Edit, Latent, Transform
from ..latent.view import View


def check_latent(generator: Generator, latent: Latent) -> Latent:
    """Return `latent` if `generator` can draw it, else raise ValueError (TypeError for anything but a Latent)."""
    if not isinstance(latent, Latent):
        raise TypeError(f"a Latent is expected; {type(latent).__name__} was given. session.latent(seed=7) makes one")
    num_ws = generator.num_ws
    if latent.cutoff is not None and latent.cutoff > num_ws:
        raise ValueError(
            f"cutoff is a row count from 0 to {num_ws} for this generator, or None for all; {latent.cutoff} was given"
        )
    _check_label(generator, latent)
    if latent.code is not None:
        _check_code(generator, latent.code)
    for edit in latent.edits:
        _check_edit(generator, edit, latent)
    check_view(generator, latent.view)
    if latent.extra or latent.source is not None or generator.needs_source:
        _check_extra(generator, latent)
    for inner in latent.nested:
        check_latent(generator, inner)
    return latent


def check_view(generator: Generator, view: View) -> None:
    """Raise ValueError when `generator` has no views of this kind and `view` would change its pictures."""
    if not isinstance(view, View):
        raise TypeError(f"a Transform is expected, such as Transform(angle=30); {type(view).__name__} was given")
    if view and not isinstance(view, Transform) and not isinstance(view, view_kind(generator) or ()):
        raise ValueError(f"{view!r} was given; {_named(generator)} has no {view.kind}. Leave {view.kind} out")
    if view and not isinstance(view, view_kind(generator) or ()):
        raise ValueError(
            f"{view!r} was given; only StyleGAN3 can move, turn and scale what it draws. For "
            f"{_named(generator)} leave transform out"
        )


def label_vector(classes: int, weights: Mapping[int, float]) -> tuple[float, ...]:
    """The label [classes] of several classes at once: {3: 0.5, 7: 0.5} is a mix, {} no class at all.

    Raises:
        ValueError: a class that the generator does not have, or a weight that is no number.
    """
    if not classes:
        raise ValueError(f"this generator knows no classes, so label must be None; {dict(weights)} was given")
    numbers = [0.0] * classes
    for one, weight in weights.items():
        numbers[check_int("a class of label", one, 0, classes - 1)] = check_finite(f"the weight of class {one}", weight)
    return tuple(numbers)


def _check_label(generator: Generator, latent: Latent) -> None:
    classes = generator.c_dim
    if not classes:
        if latent.label is not None:
            raise ValueError(f"this generator knows no classes, so label must be None; {latent.label} was given")
        return
    mapped = latent.code is None or latent.code.space == "z"
    if latent.label is None and mapped:
        raise ValueError(
            f"this generator is conditional: label must be from 0 to {classes - 1}; None was given. "
            "session.latent(...) fills in 0"
        )
    if isinstance(latent.label, tuple):
        if len(latent.label) != classes:
            raise ValueError(
                f"a label vector has shape [{classes}] for this generator; [{len(latent.label)}] was given. "
                "Several classes at once are session.latent(label={0: 0.5, 1: 0.5}), each with its weight"
            )
    elif latent.label is not None and latent.label >= classes:
        raise ValueError(f"label must be from 0 to {classes - 1} for this generator; {latent.label} was given")


def _channels(generator: Generator) -> int:
    return sum(layer.channels for layer in generator.layers)


def _check_code(generator: Generator, code: Code) -> None:
    sizes = {
        "z": (generator.z_dim,),
        "w": (generator.w_dim,),
        "w+": (generator.num_ws, generator.w_dim),
        "s": (_channels(generator),),
    }
    if code.array.shape != sizes[code.space]:
        raise ValueError(
            f"a code in {code.space} has shape {list(sizes[code.space])} for this generator; "
            f"{list(code.array.shape)} was given"
        )


def _check_edit(generator: Generator, edit: Edit, latent: Latent) -> None:
    reason = edit.fits(generator) or (edit.accepts(latent) if edit.strength else None)
    if reason is not None:
        raise ValueError(reason)
    if edit.layers is not None:
        try:
            check_layers(edit.layers, generator.num_ws)
        except ValueError as error:
            raise ValueError(f"edit {edit.name!r}: {error}") from None


def _check_extra(generator: Generator, latent: Latent) -> None:
    """A family declares ``extra``: names, and the length of each vector; and ``needs_source`` where it draws from one."""
    declared = generator.extra
    for name, value in latent.extra:
        if name not in declared:
            raise unknown_name("part of `extra` for this generator", name, declared)
        if not isinstance(value, int) and len(value) != declared[name]:
            raise ValueError(f"{name!r} of extra has shape [{declared[name]}]; [{len(value)}] was given")
    if latent.source is not None and not generator.needs_source:
        raise ValueError("this generator draws from no source, so source must be None")


def _named(generator: object) -> str:
    """The class of a generator; also of one that is elsewhere, and described."""
    return str(getattr(generator, "class_name", type(generator).__name__))
