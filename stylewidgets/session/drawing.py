"""From w or styles to pictures and features: what a session does with tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

from ..core.checks import check_int, unknown_name
from ..generators.protocol import HasScene, HasSource, Noise, State
from ..latent.latent import IDENTITY, NOISE_MODES, Latent
from ..latent.view import View
from .activations import LIMIT, SynthesisCache
from .checks import check_view
from .engine import Engine
from .noise import SEEDED_NOISE

if TYPE_CHECKING:
    from .session import GeneratorSession

_Pictures = Tensor | Sequence[Tensor]
Made = TypeVar("Made")


@contextmanager
def viewed(session: GeneratorSession, view: View | Tensor) -> Iterator[None]:
    """Locked, with a view (such as a `Transform`) in force for everything that the generator draws inside.

    Of a generator with a scene the angles of cameras can be a tensor, [1 or N, 3] in degrees, for gradients to pass through.
    """
    with session.lock, _in_force(session, view):
        yield


@contextmanager
def shown(session: GeneratorSession, latent: Latent) -> Iterator[None]:
    """Locked, with the view and the source of a latent in force."""
    with session.viewed(latent.view), of_source(session, latent):
        yield


def of_source(session: GeneratorSession, latent: Latent) -> AbstractContextManager[None]:
    """With a latent's source in force, for generators that have one; hold the lock."""
    generator = session.generator
    if not isinstance(generator, HasSource):
        return nullcontext()
    if latent.source is not None and not isinstance(latent.source, str):
        raise ValueError(
            "a latent was given as source; this generator draws from a picture with its surface: give session.put(...) of one"
        )
    return generator.sourced(latent.source)


def _in_force(session: GeneratorSession, view: View | Tensor) -> AbstractContextManager[None]:
    if isinstance(view, Tensor):
        if not isinstance(session.generator, HasScene):
            raise ValueError("angles of cameras were given; this generator has no scene to look at")  # noqa: TRY004
        return session.generator.posed(view)
    return nullcontext() if session._viewed is None else session._viewed.viewed(view)


def noise(session: GeneratorSession, mode: str, seed: int = 0) -> Noise:
    """The noise argument of the generator: a mode, or for "random" and "tf" one tensor per convolution from the seed."""
    with session.lock:
        return session._random(mode, check_int("noise_seed", seed, 0)) if mode in SEEDED_NOISE else mode


def styles(session: GeneratorSession, w: Tensor) -> list[Tensor]:
    """w+ [N, num_ws, w_dim] or w [N, w_dim] → one style [N, C_l] per layer, differentiable."""
    check_device(session, w)
    with session.lock:
        return list(session.generator.styles(_float32(w)))


def joined_styles(session: GeneratorSession, latents: Sequence[Latent]) -> list[Tensor]:
    """Styles of some latents in one batch, one [N, C_l] per layer."""
    return [torch.cat(rows) for rows in zip(*map(session.code_styles, latents), strict=True)]


def synthesize(
    session: GeneratorSession,
    x: _Pictures,
    *,
    noise_mode: str = "const",
    noise_seed: int = 0,
    transform: View | Tensor = IDENTITY,
    noise: Noise | None = None,
    exact: bool = False,
    max_resolution: int | None = None,
    start: tuple[str | int, State] | None = None,
) -> Tensor:
    """Pictures [N, C, H, W], float32 and about [-1, 1], differentiable in `x`, `noise` and `start`.

    Without gradients no features are held longer than the next layer needs them.

    Args:
        x: w [N, w_dim], w+ [N, num_ws, w_dim] or a list of styles, on the session's device.
        noise_mode: "const", "random", "none" or "tf", as of `Latent`.
        noise_seed: of "random" and "tf"; equal for all N.
        transform: of all N, for generators that can; or angles of cameras, as of `viewed`.
        noise: pictures of your own in place of the mode, [1 or N, 1, H, W] (or None) for each of `noise_shapes`.
        exact: float32 whatever the session's precision is.
        max_resolution: at most so many pixels, where inner blocks have a picture of their own.
        start: (layer, state) of `activations`: the layers up to this one are not run, and their styles do not count.

    Raises:
        TypeError, ValueError: what was given is no tensor, is elsewhere, or does not fit the generator.
    """

    def draw(engine: Engine, given: Sequence[Tensor], maps: Noise) -> Tensor:
        after = None if start is None else (layer_index(session, start[0]), start[1])
        return engine.picture(given, maps, None if exact else session.half, max_resolution, after)

    return _drawn(session, x, noise_mode, noise_seed, transform, noise, draw, fused=start is None)


def activations(
    session: GeneratorSession,
    x: Latent | _Pictures,
    layers: Sequence[str | int],
    *,
    noise_mode: str = "const",
    noise_seed: int = 0,
    transform: View = IDENTITY,
    noise: Noise | None = None,
    exact: bool = False,
) -> dict[str, State]:
    """What there is after some layers: features ``x`` [N, C, H, W] and the picture so far ``img``, or None, by layer name.

    Differentiable in `x` and `noise`. ``synthesize(x, start=(layer, state))`` goes on from there with the bits of a whole run,
    differentiable in the styles of the layers after it and in the state, which may be changed on the way.

    Args:
        x: a `Latent`, which brings its own noise and view; or w, w+ or styles, as of `synthesize`.
        layers: names such as "b32.conv1", or indices into `layers`. Where a family runs whole blocks, the last of each.
        noise_mode, noise_seed, transform, noise, exact: as of `synthesize`.

    Raises:
        ValueError: an unknown layer, or one inside of a block that is run as a whole; the text lists those that can be seen.
    """
    if isinstance(x, Latent):
        with session.lock, of_source(session, x):
            return activations(
                session,
                session.code_styles(x),
                layers,
                noise_mode=x.noise_mode,
                noise_seed=x.noise_seed,
                transform=x.view,
                noise=noise,
                exact=exact,
            )
    places = [layer_index(session, layer) for layer in layers]

    def draw(engine: Engine, given: Sequence[Tensor], maps: Noise) -> dict[str, State]:
        states = engine.states(places, given, maps, None if exact else session.half)
        return {session.layers[k].name: state for k, state in zip(places, states, strict=True)}

    return _drawn(session, x, noise_mode, noise_seed, transform, noise, draw, fused=False)


def _drawn(
    session: GeneratorSession,
    x: _Pictures,
    mode: str,
    seed: int,
    view: View | Tensor,
    maps: Noise | None,
    draw: Callable[[Engine, Sequence[Tensor], Noise], Made],
    fused: bool,
) -> Made:
    tensors = [x] if isinstance(x, Tensor) else list(x)
    for tensor in tensors:
        check_device(session, tensor)
    tensors = [_float32(tensor) for tensor in tensors]
    if mode not in NOISE_MODES:
        raise unknown_name("noise mode", mode, NOISE_MODES)
    if not isinstance(view, Tensor):
        check_view(session.generator, view)
    with session.viewed(view):
        given = session.generator.styles(tensors[0]) if isinstance(x, Tensor) else tensors
        if len(given) != len(session.layers):
            raise ValueError(f"one style per layer is expected, {len(session.layers)}; {len(given)} were given")
        return draw(engine(session, fused), given, session.noise(mode, seed) if maps is None else maps)


def engine(session: GeneratorSession, fused: bool = True) -> Engine:
    """The session's engine, made at first use."""
    if fused not in session._engines or session._engines[fused].generator is not session.generator:
        session._engines[fused] = Engine(session.generator, fused)
    return session._engines[fused]


def cache(session: GeneratorSession, limit: int = LIMIT, *, history: bool = False) -> SynthesisCache:
    """A cache of activations over this session's generator, for whoever draws many pictures that have layers in common.

    Hold `lock` and, for another view than the neutral one, be inside `viewed` while you draw with it.

    Args:
        limit: bytes to keep at most.
        history: as of `SynthesisCache`.
    """
    return SynthesisCache(session.generator, limit, history=history, seeded=session.noise)


def layer_index(session: GeneratorSession, layer: str | int) -> int:
    """The place of a layer in `layers`. ValueError where there is none of this name or number."""
    names = [known.name for known in session.layers]
    if isinstance(layer, str):
        if layer not in names:
            raise unknown_name("layer", layer, names)
        return names.index(layer)
    return check_int("layer", layer, 0, len(names) - 1)


def _float32(tensor: Tensor) -> Tensor:
    """Codes of any real type, as they come out of files, in the type that the networks compute in."""
    return tensor if tensor.is_complex() else tensor.to(torch.float32)


def check_device(session: GeneratorSession, tensor: object) -> None:
    """TypeError for anything but a tensor, ValueError for one on another device."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"a tensor is expected; {type(tensor).__name__} was given. torch.as_tensor(...) makes one")
    if tensor.device != session.generator.device:
        raise ValueError(
            f"a tensor on {tensor.device} was given; this session computes on {session.device}. "
            f"Use tensor.to({str(session.device)!r})"
        )
