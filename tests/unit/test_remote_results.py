"""Values that cross to another machine come back as they were."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from stylewidgets.generators.protocol import Layer
from stylewidgets.inversion.result import Frame, Result
from stylewidgets.latent import Latent
from stylewidgets.remote.messages import ABOUT, RemoteError
from stylewidgets.remote.results import KINDS, packed, read, unpacked
from stylewidgets.stylespace.channel import Channel
from stylewidgets.stylespace.samples import Statistics
from stylewidgets.stylespace.search.by_place import LocalRanking

LAYERS = (Layer("b4.conv1", "conv", 0, 0, 3, 4), Layer("b4.torgb", "torgb", 0, 1, 2, 4))


def test_plain_values_arrays_and_latents_come_back_equal() -> None:
    value = {
        "a": [1, 2.5, None, True],
        "b": (Latent(seed=3, psi=0.5), "ψ"),
        "c": math.inf,
        "d": np.arange(6).reshape(2, 3),
    }
    back = unpacked(packed(value))
    np.testing.assert_array_equal(back.pop("d"), value.pop("d"))
    assert back == value


def test_statistics_come_back_with_their_layers() -> None:
    values, w = np.ones((4, 5), np.float16), np.zeros((4, 2), np.float32)
    before = Statistics(values, w, values[0].astype(np.float32), np.full(5, 2, np.float32), 0, 1.0, LAYERS)
    after = unpacked(packed(before))
    assert after.layers == LAYERS and after.values.dtype == np.float16
    np.testing.assert_array_equal(after.in_sigma([np.ones((1, 3)), np.zeros((1, 2))]), [0, 0, 0, -0.5, -0.5])


def test_an_inversion_comes_back_with_its_frames() -> None:
    frame = Frame(1, np.zeros((1, 2, 2, 3), np.uint8), np.ones((1, 4), np.float16))
    before = Result("projector", "w", np.ones((1, 4), np.float32), {"steps": 5}, ("face",), 5, 0.25, ({"loss": 1.5},),
                    noise=(np.zeros((1, 1, 2, 2), np.float32),), frames=(frame,))  # fmt: skip
    after = unpacked(packed(before))
    assert (after.method, after.history, after.names) == ("projector", ({"loss": 1.5},), ("face",))
    assert after.latent() == before.latent() and after.frames[0].step == 1 and after.noise[0].shape == (1, 1, 2, 2)


def test_a_ranking_comes_back_without_its_maps() -> None:
    nothing = np.zeros(5, np.float32)
    before = LocalRanking(
        "overlap", LAYERS, nothing, np.array([1, 0]), nothing, {"inside": nothing}, regions=("a", "b")
    )
    after = unpacked(packed(before))
    assert after.channels == (Channel(0, 1), Channel(0, 0)) and after.overlaps is None and after.regions == ("a", "b")


def test_every_kind_is_where_the_table_says() -> None:
    from stylewidgets.core.lazy import resolve

    for place in KINDS.values():
        assert resolve(f"stylewidgets.{place}").__name__ == place.partition(":")[2]


@pytest.mark.parametrize(
    "about",
    [
        {"is": "os:system", "of": {}},
        {"is": "array", "of": "a9"},
        {"is": "frame", "of": {"what": 1}},
        {"of": 1},
        {"is": []},
    ],
)
def test_what_is_not_known_is_refused(about: object) -> None:
    import safetensors.numpy

    with pytest.raises(RemoteError) as caught:
        unpacked(safetensors.numpy.save({}, {ABOUT: json.dumps(about)}))
    assert caught.value.code == 422


def test_bytes_that_are_no_safetensors_are_refused() -> None:
    for data in (b"", b"\x80\x04}q.", b"\xff" * 64):
        with pytest.raises(RemoteError):
            unpacked(data)
        with pytest.raises(ValueError):
            read(data)


def test_what_cannot_cross_is_named() -> None:
    with pytest.raises(TypeError, match="function"):
        packed(lambda: None)
