"""The calls: from what is asked to what a local session returns, to the last bit. Each is a generator whose turns a hub takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .. import domain
from ..core.pictures import encoded
from ..latent.latent import NOISE_MODES
from ..mixing.grid import HEADER, MixGrid, check_grid
from ..remote.arrays import pack
from ..remote.messages import MOST_LATENTS, TENSORS, RemoteError
from ..render.encode import MIMES
from ..session.session import GeneratorSession
from .bodies import Body, check_answer
from .desk import Desk
from .hub import Steps

Answer = Callable[[], tuple[bytes, str]]
"""Makes the bytes and their media type, on any thread."""
Call = Callable[[Desk, str, Body], Steps]
"""(desk, client, body) → the work. What is not acceptable is said at once; the rest is done on the hub's thread."""

_AT_ONCE = 16


def render(desk: Desk, client: str, body: Body) -> Steps:
    """One picture in full size."""
    body.only("latent", "format", "on")
    latent, form, on = body.latent(), body.text("format", "png", tuple(MIMES)), body.on

    def steps() -> Steps:
        yield from ()
        session = desk.session_of(client, on)
        pixels = desk.memory.trying(lambda: session.image(latent))
        return lambda: (encoded(pixels, form.upper()), MIMES[form])

    return steps()


def images(desk: Desk, client: str, body: Body) -> Steps:
    """Many pictures, perhaps small ones, in the batches that `GeneratorSession.images` makes."""
    body.only("latents", "resolution", "on")
    latents, on = body.latents(), body.on
    side = max(desk.session.picture_size)
    resolution = body.whole("resolution", None, 1, side)
    check_answer(len(latents) * 3 * (resolution or side) ** 2, 1)

    def steps() -> Steps:
        session = desk.session_of(client, on)
        made: dict[int, NDArray[np.uint8]] = {}
        for group in session.batches(latents, resolution):
            drawn = desk.memory.trying(partial(session.images, [latents[i] for i in group], resolution))
            made.update(zip(group, drawn, strict=True))
            yield
        return _arrays(images=np.stack([made[i] for i in range(len(latents))]))

    return steps()


def map_(desk: Desk, client: str, body: Body) -> Steps:
    """w+ of latents, each by itself."""
    body.only("latents", "on")
    latents, on = body.latents(), body.on

    def steps() -> Steps:
        session = desk.session_of(client, on)
        rows = []
        for k, latent in enumerate(latents):
            rows.append(session.map(latent))
            if k % _AT_ONCE == _AT_ONCE - 1:
                yield
        return _arrays(w=_numpy(torch.cat(rows)))

    return steps()


def styles(desk: Desk, client: str, body: Body) -> Steps:
    """Styles, of all layers in one row, of latents or of w."""
    body.only("latents", "w", "on")
    session, on = desk.session, body.on
    w = body.array("w", "float32", (session.w_dim,), (session.num_ws, session.w_dim))
    latents = [] if w is not None else body.latents()

    def steps() -> Steps:
        session = desk.session_of(client, on)
        if w is not None:
            with torch.no_grad():
                return _arrays(styles=_numpy(torch.cat(session.styles(session.tensor(w)), dim=1)))
        rows = []
        for k, latent in enumerate(latents):
            rows.append(session.flat_styles(latent))
            if k % _AT_ONCE == _AT_ONCE - 1:
                yield
        return _arrays(styles=_numpy(torch.cat(rows)))

    return steps()


def synthesize(desk: Desk, client: str, body: Body) -> Steps:
    """Pictures as floats, of w or styles, all in one batch as a local call draws them."""
    body.only("w", "styles", "noise_mode", "noise_seed", "view", "exact", "max_resolution", "on")
    session, on = desk.session, body.on
    channels = [layer.channels for layer in session.layers]
    w = body.array("w", "float32", (session.w_dim,), (session.num_ws, session.w_dim))
    flat = body.array("styles", "float32", (sum(channels),))
    if (w is None) == (flat is None):
        raise RemoteError("one of 'w' and 'styles' is needed", 422)
    largest = body.whole("max_resolution", None, 1, max(session.picture_size))
    given = w if w is not None else flat
    assert given is not None
    check_answer(len(given) * session.img_channels * math.prod(session.picture_size), 4)
    options: dict[str, Any] = {
        "noise_mode": body.text("noise_mode", "const", NOISE_MODES),
        "noise_seed": body.whole("noise_seed", 0, 0, 2**32 - 1),
        "transform": body.view(),
        "exact": body.flag("exact"),
        "max_resolution": largest,
    }

    def steps() -> Steps:
        yield from ()
        session = desk.session_of(client, on)
        x: Tensor | list[Tensor] = session.tensor(given)
        if flat is not None:
            x = list(torch.split(session.tensor(flat), channels, dim=1))

        def draw() -> Tensor:
            with torch.no_grad():
                return session.synthesize(x, **options)

        return _arrays(images=_numpy(desk.memory.trying(draw)))

    return steps()


def cells(desk: Desk, client: str, body: Body) -> Steps:
    """Cells of a grid of mixed styles, in one batch."""
    body.only("grid", "places", "resolution", "on")
    try:
        grid = check_grid(desk.session, MixGrid.from_dict(body.values.get("grid")))
    except (ValueError, TypeError, RecursionError) as error:
        raise RemoteError(f"the grid cannot be read: {error}", 422) from None
    rows, columns = grid.size
    places = []
    for place in body.values.get("places") or ():
        match place:
            case [int() as i, int() as j] if (
                HEADER <= i < rows and HEADER <= j < columns and (i, j) != (HEADER, HEADER)
            ):
                places.append((i, j))
            case _:
                raise RemoteError(
                    f"a place is [row, column], {HEADER} for the sources; {str(place)[:40]} was given", 422
                )
    if not 1 <= len(places) <= MOST_LATENTS:
        raise RemoteError(f"a call may have 1 to {MOST_LATENTS} places; this one has {len(places)}", 413)
    on, resolution = body.on, body.whole("resolution", None, 1, max(desk.session.picture_size))

    def steps() -> Steps:
        yield from ()
        renderer = desk.grids(client, desk.session_of(client, on))
        drawn = desk.memory.trying(lambda: renderer.draw(grid, places, resolution))
        return _arrays(images=np.stack(drawn))

    return steps()


def depth(desk: Desk, client: str, body: Body) -> Steps:
    """The depth of a scene as grey."""
    return _of_scene(desk, client, body, lambda session, latent: session.depth_picture(latent))


def normals(desk: Desk, client: str, body: Body) -> Steps:
    """The normals of a scene as a picture."""
    return _of_scene(desk, client, body, lambda session, latent: session.normals(latent))


def labels(desk: Desk, client: str, body: Body) -> Steps:
    """Which region of its domain each pixel of a picture is of."""
    body.only("image", "on")
    image, known = body.arrays.get("image"), domain.of(desk.session)
    if known is None or known.segmenter is None:
        raise RemoteError("nothing here says which pixel shows what", 422)
    wanted = (*desk.session.picture_size, 3)
    if image is None or str(image.dtype) != "uint8" or image.shape != wanted:
        raise RemoteError(f"'image' is a picture uint8 {list(wanted)}", 422)
    make = known.segmenter

    def steps() -> Steps:
        yield from ()
        return _arrays(labels=np.asarray(make()(np.array(image)), np.uint8))

    return steps()


CALLS: dict[str, Call] = {
    "labels": labels,
    "render": render,
    "images": images,
    "map": map_,
    "styles": styles,
    "synthesize": synthesize,
    "cells": cells,
    "depth": depth,
    "normals": normals,
}


def _of_scene(desk: Desk, client: str, body: Body, draw: Callable[[GeneratorSession, Any], Any]) -> Steps:
    body.only("latent", "on")
    latent, on = body.latent(), body.on

    def steps() -> Steps:
        yield from ()
        session = desk.session_of(client, on)
        return _arrays(image=desk.memory.trying(lambda: draw(session, session.check(latent))))

    return steps()


def _arrays(**arrays: NDArray[Any]) -> Answer:
    return lambda: (pack(arrays), TENSORS)


def _numpy(x: Tensor) -> NDArray[np.float32]:
    return np.array(x.detach().float().cpu().numpy())
