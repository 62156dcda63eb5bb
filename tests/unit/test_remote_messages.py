"""Messages between a client and a server."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from stylewidgets.latent import Direction, Latent
from stylewidgets.remote.messages import (
    INLINE,
    Incoming,
    Outgoing,
    RemoteError,
    packed,
    parsed,
    rung_of,
    text,
    unpacked,
)
from stylewidgets.render.ladder import STILL, Rung


def wide(seed: int = 0) -> Direction:
    vector = np.random.RandomState(seed).randn(12, 128).astype(np.float32)
    return Direction("wide", vector)


def test_a_direction_crosses_once_and_the_latent_comes_back_equal() -> None:
    sent: list[str] = []
    out, back = Outgoing(sent.append), Incoming()
    latent = Latent(seed=7).with_edit(wide(), 1.5)
    first, second = out.latent(latent), out.latent(latent.replace(seed=8))
    assert len(sent) == 1
    back.define(parsed(sent[0], 2**20))
    assert back.latent(json.loads(text(first))) == latent
    assert back.latent(json.loads(text(second))) == latent.replace(seed=8)
    assert len(text(second)) < 1000


def test_small_arrays_go_with_the_latent() -> None:
    sent: list[str] = []
    small = Direction("small", np.ones(INLINE, np.float32))
    latent = Latent(seed=1).with_edit(small, 1.0)
    assert Incoming().latent(Outgoing(sent.append).latent(latent)) == latent and not sent


def test_a_reference_to_nothing_is_424_and_names_it() -> None:
    latent = Outgoing(lambda _: None).latent(Latent(seed=1).with_edit(wide(), 1.0))
    with pytest.raises(RemoteError, match="no array was defined") as caught:
        Incoming().latent(latent)
    assert caught.value.code == 424


def test_what_is_held_is_bounded_and_the_oldest_goes_first() -> None:
    sent: list[str] = []
    out, back = Outgoing(sent.append), Incoming(capacity=2 * 12 * 128 * 4)
    latents = [out.latent(Latent(seed=1).with_edit(wide(seed), 1.0)) for seed in range(3)]
    for line in sent:
        back.define(parsed(line, 2**20))
    assert back.nbytes == 2 * 12 * 128 * 4
    back.latent(latents[2])
    with pytest.raises(RemoteError):
        back.latent(latents[0])


@pytest.mark.parametrize("rung", [STILL, Rung(64, "jpeg", 60, "drag")])
def test_rungs_come_back_equal(rung: Rung) -> None:
    assert rung_of(json.loads(text({"rung": list(rung)}))["rung"]) == rung


@pytest.mark.parametrize(
    "bad", [None, [], [64, "gif", 60, "drag"], [10**9, "png", 60, "x"], [True, "png", 60, "x"], [64, "png", 0, "x"]]
)
def test_other_rungs_are_refused_in_words(bad: object) -> None:
    with pytest.raises(RemoteError, match="a rung is") as caught:
        rung_of(bad)
    assert caught.value.code == 422


def test_frames_come_back_equal() -> None:
    assert unpacked(packed({"n": 3, "mime": "image/png"}, b"\x89PNG")) == ({"n": 3, "mime": "image/png"}, b"\x89PNG")


@pytest.mark.parametrize("bad", [b"", b"\0\0", b"\xff\xff\xff\xff{}", b"\0\0\0\x02[]", b"\0\0\0\x02{]"])
def test_damaged_frames_are_refused(bad: bytes) -> None:
    with pytest.raises(RemoteError):
        unpacked(bad)


@pytest.mark.parametrize("line", ["", "[1]", "{", '{"n": NaN}', "[" * 100_000])
def test_texts_that_are_no_json_object_are_refused(line: str) -> None:
    with pytest.raises(RemoteError) as caught:
        parsed(line, 2**20)
    assert caught.value.code == 422


def test_long_texts_are_refused_before_they_are_read() -> None:
    with pytest.raises(RemoteError, match="may have") as caught:
        parsed("{" + " " * 70_000 + "}")
    assert caught.value.code == 413


def test_numbers_that_are_not_finite_never_leave() -> None:
    with pytest.raises(ValueError):
        text({"n": math.nan})
