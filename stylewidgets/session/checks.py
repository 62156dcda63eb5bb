"""Whether a latent fits a generator, with texts that say what does."""

from __future__ import annotations

from ..core.checks import check_layers
from ..generators.protocol import Generator, View, view_kind
from ..latent.latent import Code, Edit, Latent


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
        _check_edit(generator, edit)
    check_view(generator, latent.transform)
    return latent


def check_view(generator: Generator, view: View) -> None:
    """Raise ValueError when `generator` has no views of this kind and `view` would change its pictures."""
    if not isinstance(view, View):
        raise TypeError(f"a Transform is expected, such as Transform(angle=30); {type(view).__name__} was given")
    if view and not isinstance(view, view_kind(generator) or ()):
        raise ValueError(
            f"{view!r} was given; only StyleGAN3 can move, turn and scale what it draws. For "
            f"{type(generator).__name__} leave transform out"
        )


def in_s(latent: Latent) -> bool:
    """Whether the styles of a latent, and not its w, are what it is made of."""
    coded = latent.code is not None and latent.code.space == "s"
    return coded or any(edit.direction.space == "s" and edit.strength for edit in latent.edits)


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
    if latent.label is not None and latent.label >= classes:
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


def _check_edit(generator: Generator, edit: Edit) -> None:
    shape, direction = edit.direction.vector.shape, edit.direction
    accepted: list[tuple[int, ...]] = [(generator.w_dim,), (generator.num_ws, generator.w_dim)]
    if direction.space == "s":
        accepted = [(_channels(generator),)]
    if shape not in accepted:
        listed = " or ".join(str(list(size)) for size in accepted)
        raise ValueError(
            f"direction {direction.name!r} in {direction.space} must have shape {listed} for this generator; "
            f"{list(shape)} was given. It was made for another one"
        )
    if edit.layers is not None:
        try:
            check_layers(edit.layers, generator.num_ws)
        except ValueError as error:
            raise ValueError(f"edit {direction.name!r}: {error}") from None
