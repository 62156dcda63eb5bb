"""Named directions made by measurement, on a world where w and the factors are tied by a known matrix."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from stylewidgets.avatars.reading.factor_net import FactorRegressor, Head
from stylewidgets.directions import DirectionSet
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.latent.latent import Direction
from stylewidgets.session.session import GeneratorSession
from stylewidgets.training.directions import Bench, Target, make_directions, read

HEADS = (
    Head("smile", "continuous", -1, 1, (), 0, 1),
    Head("skin_tone", "continuous", -1, 1, (), 1, 2),
    Head("hue", "circular", 0, 360, (), 2, 4),
    Head("glasses", "categorical", 0, 1, ("none", "round"), 4, 6),
    Head("hidden", "continuous", -1, 1, (), 6, 7),
)
MIX = np.array(
    [
        [1.0, 0.5, 0, 0, 0, 0],  # smile
        [0, 1.0, 0, 0, 0, 0],  # skin tone: entangled with the smile, because the smile's normal has a part along it
        [0, 0, 1.0, 0, 0, 0],  # hue sin
        [0, 0, 0, 1.0, 0, 0],  # hue cos
        [0, 0, 0, 0, -2.0, 0],  # glasses: none
        [0, 0, 0, 0, 2.0, 0],  # glasses: round
        [0, 0, 0, 0, 0, 1.0],  # hidden
    ]
)


class World(GeneratorSession):
    """w is z, and the "pictures" are the mean of the middle rows of w+, for the reader below."""

    def __init__(self) -> None:
        config = StyleGAN2Config(z_dim=6, w_dim=6, resolution=16, channels=(4, 4, 4), mapping_layers=1)
        super().__init__(StyleGAN2(config), device="cpu")
        self.generator.map = lambda z, c=None: z[:, None].expand(-1, self.num_ws, -1)

    def synthesize(self, x: Any, *, noise_mode: str = "const", noise_seed: int = 0) -> torch.Tensor:
        rows = x[:, None].expand(-1, self.num_ws, -1) if x.ndim == 2 else x
        return rows[:, 1:4].mean(1) / 100


class Reader:
    """Reads the factors off such a picture without error. Stands in for the factor network."""

    heads, out = HEADS, SimpleNamespace(weight=torch.zeros(1))
    metrics = {"smile": 0.9, "skin_tone": 0.9, "hue": 0.9, "glasses": 0.9, "hidden": 0.1}
    readings = FactorRegressor.readings

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return x * 100 @ torch.as_tensor(MIX.T, dtype=x.dtype)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[DirectionSet, Path, Any]:
    session: Any = World()
    path = tmp_path_factory.mktemp("made") / "toy.directions.safetensors"
    return make_directions(session, Reader(), path, samples=1_500, faces=32), path, session


def test_well_read_factors_get_named_directions_before_pca_and_sefa(made: Any) -> None:
    found, path, session = made
    assert found.names[:3] == ("smile", "glasses", "skin tone")
    assert set(found.names[3:5]) == {"hue red", "hue lime"}
    assert "hidden" not in found and "pca 0" in found and "sefa middle 0" in found
    assert DirectionSet.load(path) == found and found.check(session) is found


def test_each_direction_moves_its_own_factor_and_conditioning_spares_the_others(made: Any) -> None:
    found, _, session = made
    w = np.random.RandomState(0).randn(16, session.w_dim).astype(np.float32)
    smile = found["smile"]
    rows = np.repeat(w[:, None], session.num_ws, axis=1)
    first, last = smile.layers or (0, session.num_ws)
    moved = rows.copy()
    moved[:, first:last] += smile.sigma * smile.vector
    before, after = (read(session, Reader(), x) for x in (rows, moved))
    own, side = (float(np.mean(after[n] - before[n])) for n in ("smile", "skin_tone"))
    assert own > 0.1 and abs(side) < 0.2 * own
    assert "joint" in smile.source or "conditioned on" in smile.source


def test_the_source_and_the_card_state_what_was_measured(made: Any) -> None:
    found, path, _ = made
    assert "standard deviations per σ, largest side effect" in found["glasses"].source
    assert "goes most with" in found["pca 0"].source
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "| smile |" in card and "own effect" in card


def test_directions_of_a_generator_with_the_same_w_are_measured_anew_on_all_rows(made: Any, tmp_path: Path) -> None:
    first, _, session = made
    path = tmp_path / "other.directions.safetensors"
    found = make_directions(session, Reader(), path, samples=300, faces=16, like=first)
    assert {"smile", "glasses", "skin tone"} <= set(found.names) and "sefa middle 0" in found
    for name in ("smile", "glasses"):
        assert np.array_equal(found[name].vector, first[name].vector) and found[name].sigma == first[name].sigma
        assert found[name].layers is None
        assert "another generator with this w; measured on 16 faces" in found[name].source
        assert found[name].source.count("measured on") == 1
    assert "train directions --like" in path.with_suffix(".md").read_text(encoding="utf-8")


def test_an_effect_is_in_standard_deviations_per_sigma() -> None:
    session: Any = World()
    w = np.random.RandomState(1).randn(2_000, session.w_dim).astype(np.float32)
    scores = read(session, Reader(), w)
    bench = Bench(session, Reader(), w[:8], scores)
    vector = np.zeros(session.w_dim, np.float32)
    vector[1] = 1
    effect = bench.measure(Direction("tone", vector, sigma=1.0), Target("skin tone", "skin_tone", scores["skin_tone"]))
    assert effect.own == pytest.approx(1, rel=0.05)
    assert effect.side == pytest.approx(0.5 / np.sqrt(1.25), rel=0.05) and effect.side_name == "smile"
