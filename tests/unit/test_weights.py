"""What ships: every file has a card, together they are as large as the list says, and generators do what is claimed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets import weights
from stylewidgets.avatars import BODY, Figure, sample
from stylewidgets.bench.posed import pairs
from stylewidgets.bench.posed.measure import held
from stylewidgets.metrics import translation_equivariance
from stylewidgets.training.card import overview
from stylewidgets.training.scenes import measure
from stylewidgets.training.world import LatentWorld

FILES = sorted(weights.FOLDER.glob("*.safetensors"))
LIST = weights.FOLDER / "README.md"
MOST = 30e6
"""Bytes of all weights: a wheel that is quick to install."""

pytestmark = pytest.mark.skipif(not FILES, reason="no weights are in this checkout")


def quality(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((weights.FOLDER / f"{name}.quality.json").read_text(encoding="utf-8"))
    return found


def test_the_list_names_every_file_and_the_size_of_all() -> None:
    text = LIST.read_text(encoding="utf-8")
    assert set(re.findall(r"`([\w.-]+\.safetensors)`", text)) == {path.name for path in FILES}
    stated = re.search(r"([\d.]+) MB in all", text)
    total = sum(path.stat().st_size for path in FILES)
    assert stated and float(stated[1]) * 1e6 == pytest.approx(total, rel=0.05)
    assert total < MOST


def test_the_list_has_the_figures_of_every_generator() -> None:
    assert overview([quality(name) for name in weights.catalogue()]) in LIST.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_every_file_has_a_card(path: Path) -> None:
    assert path.with_suffix(".md").read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("name", weights.catalogue())
def test_every_generator_opens_by_its_name_with_directions(name: str) -> None:
    session = sw.load(name, device="cpu")
    assert session.name == name
    pose = set() if session.view_kind is sw.Camera else {"yaw"}  # a camera turns what has depth
    assert {"smile", "glasses"} | pose <= set(session.directions.names)
    assert any(direction.startswith("pca") for direction in session.directions.names)
    picture = session.image(session.latent(seed=1))
    assert picture.shape == (session.resolution, session.resolution, 3) and picture.std() > 20


@pytest.mark.parametrize("name", [name for name in weights.catalogue() if "stylegan3" in name])
def test_moving_inside_of_a_stylegan3_is_moving_its_picture_as_exactly_as_the_card_says(name: str) -> None:
    session = sw.load(name, device="cpu", precision="fp32")
    assert session.can_transform
    assert translation_equivariance(session, 16, seed=3) == pytest.approx(quality(name)["eq_t"], abs=2.5)


@pytest.mark.slow
def test_the_scene_that_ships_has_the_depth_and_the_views_that_its_card_says() -> None:
    session, told = sw.load("avatar-64-stylenerf", device="cpu", precision="fp32"), quality("avatar-64-stylenerf")
    recipe = session.metadata["recipe"]
    world = LatentWorld(session.z_dim, seed=recipe["seed"], amplitude=recipe["twist"])
    held = measure.of_latents(session, world, 12, 5)
    generator: Any = session.generator
    geometry: Any = told["geometry"]
    found = measure.geometry(generator, held)
    assert found["correlation"] == pytest.approx(geometry["latents"]["correlation"], abs=0.04)
    assert found["iou"] == pytest.approx(geometry["latents"]["iou"], abs=0.03)
    assert geometry["factors"]["correlation"] > 0.9
    views, turned = told["views"]["factors"], told["views by direction"]  # type: ignore[index]
    assert views["excess"] < turned["excess"] / 2  # type: ignore[index]
    assert measure.views(generator, held)["excess"] < turned["excess"] / 2  # type: ignore[index]


@pytest.mark.parametrize("name", weights.of_sources())
def test_a_generator_with_a_source_shows_somebody_at_once_and_then_whom_it_is_given(name: str) -> None:
    session = sw.load(name, device="cpu")
    assert session.name == name and session.needs_source
    before = session.image(session.latent())
    assert before.std() > 20
    one = Figure(sample(1, 3, groups=BODY), BODY)
    session.put(one)
    own = session.image(session.latent())
    picture = ((one.drawn(one.factors, session.resolution, "image").image[0] + 1) * 127.5).permute(1, 2, 0).numpy()  # type: ignore[arg-type]
    assert abs(own - picture).mean() < 8 < abs(before - picture).mean()
    again = sw.load(name, device="cpu")  # what was saved with the first figure is drawn again
    assert np.array_equal(again.image(again.latent()), before)


@pytest.mark.slow
@pytest.mark.parametrize("name", weights.of_sources())
def test_avatars_are_re_posed_as_well_as_the_card_says(name: str) -> None:
    generator, told = held(sw.load(name, device="cpu", precision="fp32").generator), quality(name)
    rows = [pairs.reposed(pair, generator) for pair in pairs.pairs(8, pairs.SEED + 5_000_000)]
    means: Any = told["means"]
    found = {way: float(np.mean([row[way]["psnr"] for row in rows])) for way in rows[0]}
    for way in ("network, exact", "network, atlas"):
        assert found[way] == pytest.approx(means["pairs"][way]["psnr"][0], abs=1.5)
        assert found[way] > found["carried, exact"] + 2 > found["source copied"] + 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("name", weights.catalogue())
def test_the_same_seed_is_the_same_picture_on_cpu_and_cuda(name: str) -> None:
    both = [sw.load(name, device=device, precision="fp32") for device in ("cpu", "cuda")]
    here, there = (np.stack([s.image(s.latent(seed=seed)) for seed in range(8)]).astype(int) for s in both)
    assert np.abs(here - there).max() <= 2
