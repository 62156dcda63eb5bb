"""What a server answers is what a local session returns, to the last bit; and jobs end with the same result."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from websockets.sync.client import ClientConnection

from stylewidgets import GeneratorSession, Latent, inversion
from stylewidgets.core.pictures import encoded
from stylewidgets.mixing import GridRenderer, MixGrid
from stylewidgets.remote import results
from stylewidgets.remote.arrays import pack, unpack
from stylewidgets.remote.messages import TENSORS, Outgoing, text
from stylewidgets.server.serving import Serving

from .conftest import Peer, heard, hello

ME, OTHER = "m" * 20, "o" * 20
MODEL = "/v1/models/avatar-64"


@pytest.fixture(scope="module")
def server(there: GeneratorSession, serve: Callable[[Serving], str]) -> Peer:
    return Peer(serve(Serving({"avatar-64": there}, batches=False)), ME)


def several(session: GeneratorSession) -> list[Latent]:
    direction = next(iter(session.directions.values()))
    return [
        session.latent(seed=7),
        session.latent(seed=8, psi=0.5).with_edit(direction, 1.5),
        session.latent(seed=9, noise_mode="random", noise_seed=3),
        session.latent(blend=((1, 0.25), (2, 0.75))),
        session.latent(seed=10),
    ]


def arrays(server: Peer, call: str, about: dict, **tensors: np.ndarray) -> dict[str, np.ndarray]:
    if tensors:
        answer = server.post(f"{MODEL}/{call}", data=pack(tensors, about), headers={"content-type": TENSORS})
    else:
        answer = server.post(f"{MODEL}/{call}", json=about)
    assert answer.status_code == 200, answer.text
    return unpack(answer.content)[0]


@pytest.mark.parametrize("k", range(5))
def test_render(server: Peer, session: GeneratorSession, k: int) -> None:
    latent = several(session)[k]
    answer = server.post(f"{MODEL}/render", json={"latent": latent.to_dict()})
    assert answer.headers["content-type"] == "image/png"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))), np.asarray(session.render(latent)))
    assert answer.content == encoded(session.render(latent), "PNG")


@pytest.mark.parametrize("resolution", [None, 32])
def test_images_in_the_batches_of_a_local_call(server: Peer, session: GeneratorSession, resolution: int | None) -> None:
    latents = several(session) + [session.latent(seed=seed) for seed in range(20)]
    about = {"latents": [latent.to_dict() for latent in latents], "resolution": resolution}
    assert np.array_equal(arrays(server, "images", about)["images"], session.images(latents, resolution))


def test_map_and_styles_of_latents(server: Peer, session: GeneratorSession) -> None:
    latents = several(session)
    about = {"latents": [latent.to_dict() for latent in latents]}
    w = torch.cat([session.map(latent) for latent in latents]).numpy()
    s = torch.cat([session.flat_styles(latent) for latent in latents]).numpy()
    assert np.array_equal(arrays(server, "map", about)["w"], w)
    assert np.array_equal(arrays(server, "styles", about)["styles"], s)


@pytest.mark.parametrize("of", ["w", "w+", "styles"])
@pytest.mark.parametrize("mode", ["const", "random"])
def test_tensors(server: Peer, session: GeneratorSession, of: str, mode: str) -> None:
    w = session.sample_w(5, seed=1) if of == "w" else torch.cat([session.map(latent) for latent in several(session)])
    options = {"noise_mode": mode, "noise_seed": 4}
    styles = session.styles(w)
    if of != "styles":
        assert np.array_equal(arrays(server, "styles", {}, w=w.numpy())["styles"], torch.cat(styles, dim=1).numpy())
        found = arrays(server, "synthesize", options, w=w.numpy())
    else:
        found = arrays(server, "synthesize", options, styles=torch.cat(styles, dim=1).numpy())
    local = session.synthesize(w if of != "styles" else styles, **options)
    assert np.array_equal(found["images"], local.numpy())


def test_arrays_may_come_as_json(server: Peer, session: GeneratorSession) -> None:
    from stylewidgets.latent.files import encode

    w = session.sample_w(2, seed=1)
    found = arrays(server, "styles", {"w": encode(w.numpy())})["styles"]
    assert np.array_equal(found, torch.cat(session.styles(w), dim=1).numpy())


def test_cells_of_a_grid(server: Peer, session: GeneratorSession) -> None:
    sources = [session.latent(seed=seed) for seed in (1, 2, 3)]
    grid = MixGrid.of(session, sources[:2], sources[2:])
    places = [(0, 0), (1, 0), (-1, 0)]
    about = {"grid": grid.to_dict(), "places": [list(place) for place in places]}
    found = arrays(server, "cells", about)["images"]
    assert np.array_equal(found, np.stack(GridRenderer(session).draw(grid, places)))


def test_the_model_says_what_it_is_and_sends_its_directions(server: Peer, session: GeneratorSession, tmp_path) -> None:
    from stylewidgets.directions import DirectionSet
    from stylewidgets.remote.about import About

    about = About.from_dict(server.get(MODEL).json())
    assert (about.num_ws, about.weights, about.layers) == (session.num_ws, session.fingerprint(), session.layers)
    assert {"inversion", "drag"} <= set(about.jobs)
    path = tmp_path / "d.safetensors"
    path.write_bytes(server.get(f"{MODEL}/directions").content)
    assert DirectionSet.load(path) == session.directions


# -- live ------------------------------------------------------------------------------------------------------------------
def test_a_settled_frame_has_the_pixels_of_a_local_picture(server: Peer, session: GeneratorSession) -> None:
    with server.socket(f"{MODEL}/live") as socket:
        assert hello(socket, ME)["hello"]["name"] == "avatar-64"
        out = Outgoing(socket.send)
        for n, latent in enumerate(several(session)):
            socket.send(text({"n": n, "latent": out.latent(latent), "rung": [None, "png", 100, "still"]}))
            head, data = heard(socket)
            assert head["n"] == n and head["rung"] == [None, "png", 100, "still"]
            assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), session.image(latent))


def test_what_is_wrong_with_a_request_is_said_and_the_next_is_drawn(server: Peer, session: GeneratorSession) -> None:
    latent, rung = session.latent(seed=1).to_dict(), [None, "png", 100, "still"]
    wrong: list[tuple[dict[str, Any], int]] = [
        ({"n": 1, "latent": {}, "rung": rung}, 422),
        ({"n": 2, "latent": latent, "rung": [10**9, "png", 1, "x"]}, 422),
        ({"n": 3, "latent": latent, "rung": rung, "on": "0" * 64}, 424),
        ({"n": 4, "latent": latent | {"code": {"space": "w", "array": {"ref": "0" * 64}}}, "rung": rung}, 424),
        ({"n": 5, "latent": latent | {"label": 3}, "rung": rung}, 422),
        ({"start": {"kind": "no such kind"}, "job": "bad"}, 422),
        ({"stop": "nothing"}, 404),
        ({"other": 1}, 422),
    ]
    with server.socket(f"{MODEL}/live") as socket:
        assert hello(socket, ME)["hello"]["name"] == "avatar-64"
        for message, code in wrong:
            socket.send(text(message))
            answer = heard(socket)[0]
            assert answer["error"]["code"] == code, answer
            assert answer["error"].get("n") == message.get("n")
        socket.send(text({"n": 6, "latent": latent, "rung": rung}))
        assert heard(socket)[0]["n"] == 6


def ended(socket: ClientConnection, job: str) -> tuple[dict, list[dict], int]:
    """What a job ended with, its reports, and how many pictures of it came."""
    reports, frames = [], 0
    while True:
        head, data = heard(socket)
        if head.get("job") != job:
            continue
        frames += bool(data)
        if "progress" in head:
            reports.append(head)
        if "result" in head or "error" in head:
            return head, reports, frames


def sent(server: Peer, picture: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    answer = server.post(f"{MODEL}/targets", data=buffer.getvalue(), headers={"content-type": "image/png"})
    assert answer.status_code == 200, answer.text
    name: str = answer.json()["target"]
    return name


@pytest.mark.slow
def test_an_inversion_ends_with_the_code_of_a_local_one(server: Peer, session: GeneratorSession) -> None:
    picture = session.image(session.latent(seed=3))
    local = inversion.invert(session, picture, "psp")
    with server.socket(f"{MODEL}/live") as socket:
        assert hello(socket, ME)["hello"]["name"] == "avatar-64"
        spec = {"kind": "inversion", "method": "psp", "target": sent(server, picture)}
        socket.send(text({"start": spec, "job": "first"}))
        end, reports, frames = ended(socket, "first")
    assert (end["status"], end["kind"]) == ("done", "inversion") and reports and frames
    answer = server.get(f"/v1/results/{end['result']}")
    assert len(answer.content) == end["bytes"]
    assert np.array_equal(results.unpacked(answer.content).code, local.code)
    other = server.get(f"/v1/results/{end['result']}", headers={"X-Client": OTHER})
    assert other.status_code == 404


@pytest.mark.slow
def test_a_job_is_paused_with_what_it_found_and_stopped(server: Peer, session: GeneratorSession) -> None:
    latent = session.latent(seed=3).to_dict()
    spec = {"kind": "drag", "latent": latent, "handles": [[20, 20]], "targets": [[40, 40]], "settings": {"patience": 0}}
    with server.socket(f"{MODEL}/live") as socket:
        assert hello(socket, ME)["hello"]["name"] == "avatar-64"
        socket.send(text({"start": spec, "job": "drag"}))
        while "progress" not in heard(socket)[0]:
            pass
        socket.send(text({"pause": "drag"}))
        end, reports, frames = ended(socket, "drag")
        assert (end["status"], reports[-1]["status"]) == ("paused", "paused") and end["result"] and frames
        socket.send(text({"stop": "drag"}))
        end, _, _ = ended(socket, "drag")
        assert end["status"] == "stopped" and end["result"]


@pytest.mark.slow
def test_the_weights_of_a_result_draw_for_its_client_alone(server: Peer, session: GeneratorSession) -> None:
    """Two pictures whose noise was fitted: each is drawn as the result draws it here."""
    pictures = session.images([session.latent(seed=1), session.latent(seed=2)])
    settings = {"steps": 2, "space": "w+"}
    spec = {"kind": "inversion", "method": "projector", "settings": settings, "target": targets(server, pictures)}
    rung = [None, "png", 100, "still"]
    with server.socket(f"{MODEL}/live") as socket:
        assert hello(socket, ME)["hello"]["name"] == "avatar-64"
        socket.send(text({"start": spec, "job": "two"}))
        end, _, _ = ended(socket, "two")
        found = results.unpacked(server.get(f"/v1/results/{end['result']}").content)
        assert found.noise is not None and len(found) == 2
        for k in range(2):
            latent, on = found.latent(k), f"{end['result']}:{k}"
            local = found.session(session, k).image(latent)
            socket.send(text({"n": k, "latent": latent.to_dict(), "rung": rung, "on": on}))
            head, data = heard(socket)
            assert head["n"] == k
            assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), local)
            answer = server.post(f"{MODEL}/render", json={"latent": latent.to_dict(), "on": on})
            assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))), local)
            answer = server.post(
                f"{MODEL}/render", json={"latent": latent.to_dict(), "on": on}, headers={"X-Client": OTHER}
            )
            assert answer.status_code == 424
            assert not np.array_equal(local, session.image(latent))


def targets(server: Peer, pictures: np.ndarray) -> str:
    images = (pictures.astype(np.float32).transpose(0, 3, 1, 2) / 127.5) - 1
    body = pack({"images": np.ascontiguousarray(images)}, {"names": ["a", "b"], "latents": None})
    answer = server.post(f"{MODEL}/targets", data=body, headers={"content-type": TENSORS})
    assert answer.status_code == 200, answer.text
    name: str = answer.json()["target"]
    return name
