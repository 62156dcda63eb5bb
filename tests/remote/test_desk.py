"""What a hub draws with: caches for each client, batches that pay, and what is held for clients."""

from __future__ import annotations

import numpy as np
import pytest

from stylewidgets import GeneratorSession
from stylewidgets.remote.messages import RemoteError
from stylewidgets.render.ladder import STILL, Rung
from stylewidgets.server.desk import Desk
from stylewidgets.server.held import AWAY, Held
from stylewidgets.server.purse import Purse
from stylewidgets.server.seats import Request, Seat

DRAG = Rung(32, "png", 60, "preview")


def seat(name: str = "somebody") -> Seat:
    return Seat(name, Purse(), lambda reply: None)


def test_every_client_has_a_cache_of_its_own(session: GeneratorSession) -> None:
    desk = Desk(session, batches=False)
    direction = next(iter(session.directions.values()))
    a, b = seat("a"), seat("b")
    starts = {a: session.latent(seed=1), b: session.latent(seed=2)}
    rows = (session.num_ws - 2, session.num_ws)
    for step in range(3):  # in turns: each goes on from its own picture
        for who, start in starts.items():
            desk.begin(who, Request(step, start.with_edit(direction, 0.1 * step, rows), STILL))
    layers = {who: renderer.cache.layers_run for (who, _), renderer in desk._renderers.items()}
    whole = len(session.layers)
    assert all(run < 2 * whole for run in layers.values())  # once whole, then only the last rows
    desk.forget(a)
    assert {who for who, _ in desk._renderers} == {b} and desk.nbytes > 0


def test_caches_of_all_have_a_limit_and_the_oldest_go(session: GeneratorSession) -> None:
    one = Desk(session, batches=False)
    one.begin(seat(), Request(0, session.latent(seed=1), STILL))
    desk = Desk(session, limit=int(2.5 * one.nbytes), batches=False)
    seats = [seat(str(k)) for k in range(5)]
    for who in seats:
        desk.begin(who, Request(0, session.latent(seed=1), STILL))
    assert [who for who, _ in desk._renderers] == seats[3:] and desk.nbytes <= 2.5 * one.nbytes


def test_pictures_of_a_batch_are_those_that_are_drawn_alone(session: GeneratorSession) -> None:
    """Up to the rounding of batched sums, in any order, with noise of their own."""
    desk = Desk(session, batches=False)
    latents = [session.latent(seed=k, noise_mode="random" if k % 2 else "const", noise_seed=k) for k in range(5)]
    requests = [Request(0, latent, DRAG) for latent in latents]
    assert len({desk.alike(request) for request in requests}) == 1
    together = [made.encode() for made in desk.together(requests)]
    for request, made in zip(requests, together, strict=True):
        alone = desk.begin(seat(), request).encode()
        assert (made.width, made.height) == (alone.width, alone.height) == (32, 32)
        assert np.abs(_pixels(made.data).astype(int) - _pixels(alone.data)).max() <= 1


def test_settled_frames_and_fitted_weights_are_alike_nothing(session: GeneratorSession) -> None:
    desk = Desk(session, batches=False)
    assert desk.alike(Request(0, session.latent(seed=1), STILL)) is None
    assert desk.alike(Request(0, session.latent(seed=1), DRAG, on="0" * 64)) is None


def test_only_batches_that_are_quicker_here_are_made(
    session: GeneratorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stylewidgets.server import desk as module

    def timed(work):  # a clock of its own: so many pictures, so many seconds
        before = drawn.copy()
        work()
        alone, together = (now - then for now, then in zip(drawn, before, strict=True))
        return alone + {8: 7.0, 4: 3.9, 2: 0.5}.get(together, 0.0)

    drawn = np.zeros(2)
    monkeypatch.setattr(module, "_seconds", timed)
    monkeypatch.setattr(Desk, "begin", lambda self, who, request: drawn.__iadd__([1, 0]))
    monkeypatch.setattr(Desk, "together", lambda self, requests: drawn.__iadd__([0, len(requests)]))
    assert Desk(session).sizes == (8, 2)  # 7.0 of 8 and 0.5 of 2, but not 3.9 of 4


def _pixels(data: bytes) -> np.ndarray:
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(data)))


# -- results --------------------------------------------------------------------------------------------------------------------
def test_results_are_found_by_their_client_alone_and_the_oldest_go() -> None:
    held = Held(room=250)
    first, second = held.put("a", b"1" * 100, ".x"), held.put("a", b"2" * 100, ".x")
    with pytest.raises(RemoteError) as caught:
        held.get("b", first)
    assert caught.value.code == 404
    assert held.get("a", first).data == b"1" * 100  # asked for last
    held.put("b", b"3" * 100, ".x")
    assert held.get("a", first) and held.nbytes == 200
    with pytest.raises(RemoteError):
        held.get("a", second)


def test_results_outlive_a_short_absence_only() -> None:
    now = [0.0]
    held = Held(clock=lambda: now[0])
    name, other = held.put("a", b"x", ".x"), held.put("b", b"x", ".x")
    held.gone("a"), held.gone("b")
    now[0] = AWAY - 1
    held.here("b")
    now[0] = AWAY + 1
    assert held.tidy() == ["a"]
    with pytest.raises(RemoteError):
        held.get("a", name)
    assert held.get("b", other)
