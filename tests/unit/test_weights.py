"""What ships: every file has a card, together they are as large as the list says, and generators do what is claimed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets import weights
from stylewidgets.metrics import translation_equivariance
from stylewidgets.training.card import overview

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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("name", weights.catalogue())
def test_the_same_seed_is_the_same_picture_on_cpu_and_cuda(name: str) -> None:
    both = [sw.load(name, device=device, precision="fp32") for device in ("cpu", "cuda")]
    here, there = (np.stack([s.image(s.latent(seed=seed)) for seed in range(8)]).astype(int) for s in both)
    assert np.abs(here - there).max() <= 2
