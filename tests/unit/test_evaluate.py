"""The command that measures a generator, and that the shipped cards say what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import stylewidgets as sw
from stylewidgets import weights
from stylewidgets.__main__ import main
from stylewidgets.avatars import FACTORS
from stylewidgets.avatars.reading import factor_net
from stylewidgets.avatars.reading.estimates import file_digest
from stylewidgets.checkpoints.formats import native
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.training.card import card, tables
from stylewidgets.training.evaluate import measure
from stylewidgets.training.posed import card as posed
from stylewidgets.training.scenes import card as scenes

pytestmark = pytest.mark.skipif(not factor_net.BUNDLED.is_file(), reason="the factor network is not in this checkout")

RECIPE = {"seed": 0, "twist": 0.3, "channels": [8, 8, 8], "adversarial_weight": 0.0}
SHIPPED = sorted(weights.FOLDER.glob("*.quality.json"))
FLAT = [path for path in SHIPPED if "spread" in json.loads(path.read_text(encoding="utf-8"))]
"""Generators of flat pictures; those of scenes are measured otherwise (test_weights)."""


def toy(folder: Path, **changes: Any) -> Path:
    """A generator of 16 px with random weights; with a condition, one class for each hair style."""
    classes = next(f for f in FACTORS if f.name == "hair_style").categories if changes.get("condition") else ()
    torch.manual_seed(0)
    config = StyleGAN2Config(
        z_dim=64, c_dim=len(classes), w_dim=16, resolution=16, channels=(8, 8, 8), mapping_layers=1
    )
    metadata = {
        "name": "toy",
        "recipe": {**RECIPE, **changes},
        "images": {"paired": 1234, "mapping": 99},
        "renders": 50,
        "training_seconds": 120,
        "history": ["16 px: 8 paired pictures"],
        "classes": list(classes),
    }
    path = folder / "toy.safetensors"
    native.save(path, StyleGAN2(config), metadata)
    return path


@pytest.mark.slow
def test_the_command_writes_the_card_and_the_figures_that_it_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, sheet = toy(tmp_path), tmp_path / "sheet.png"
    assert main(["train", "evaluate", str(path), "--samples", "24", "--sheet", str(sheet)]) == 0
    printed = capsys.readouterr().out.split("\n\nwritten to")[0].strip()
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    quality = json.loads(path.with_suffix(".quality.json").read_text(encoding="utf-8"))
    assert printed and printed in text
    assert tables(quality) == printed
    assert quality["weights"] == file_digest(path) and quality["samples"] == 24
    assert sheet.stat().st_size > 0
    for key in ("frechet", "precision", "recall", "spread", "path_length", "neighbour"):
        assert set(quality[key]) == {"samples", "floor"}
    assert quality["frechet"]["samples"] > quality["frechet"]["floor"]  # random weights draw no avatars
    assert set(quality["factors"]) == set(quality["read"]) == {f.name for f in FACTORS}


@pytest.mark.slow
def test_the_card_is_made_of_the_metadata(tmp_path: Path) -> None:
    session = sw.load(toy(tmp_path, correlated=True, condition="hair_style", paired_mixing=0.5), device="cpu")
    quality = measure(session, 20)
    text = card(session.generator, session.metadata, quality)
    for words in (
        "# toy",
        "StyleGAN2",
        "16 px",
        "1,234 pictures",
        "99 latents",
        "1. 16 px: 8 paired pictures",
        "2 minutes",
        "CORRELATIONS",
        "the factor hair_style",
        "bald, short, bob",
        "50%",
        "--samples 20 --seed 0",
    ):
        assert words in text
    assert "joint:" not in text and "None" not in text


@pytest.mark.slow
def test_a_quick_look_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = toy(tmp_path)
    asked = []
    monkeypatch.setattr(
        "stylewidgets.training.evaluate.measure", lambda session, n, **_: asked.append(n) or measure(session, 20)
    )
    assert main(["train", "evaluate", str(path), "--quick"]) == 0
    assert asked == [200] and [p.name for p in tmp_path.iterdir()] == ["toy.safetensors"]


def test_only_generators_of_avatars_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = StyleGAN2Config(z_dim=8, w_dim=8, resolution=8, channels=(4, 4), mapping_layers=1)
    path = tmp_path / "other.safetensors"
    native.save(path, StyleGAN2(config), {"name": "other"})
    assert main(["train", "evaluate", str(path)]) == 2
    assert "no recipe" in capsys.readouterr().err
    assert main(["train", "evaluate", str(toy(tmp_path)), "--samples", "3"]) == 2
    assert "at least 20" in capsys.readouterr().err


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.name)
def test_the_shipped_figures_belong_to_the_shipped_weights_and_the_card_shows_them(path: Path) -> None:
    quality = json.loads(path.read_text(encoding="utf-8"))
    file = path.with_name(quality["file"])
    assert quality["weights"] == file_digest(file)
    assert quality["network"] == file_digest(factor_net.BUNDLED)
    of_kind = tables if path in FLAT else posed.tables if "means" in quality else scenes.tables
    shown = of_kind(quality)
    assert shown in file.with_suffix(".md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("path", FLAT, ids=lambda p: p.name)
def test_a_small_sample_gives_the_figures_of_the_card(path: Path) -> None:
    stated = json.loads(path.read_text(encoding="utf-8"))
    file = path.with_name(stated["file"])
    found = measure(sw.load(file, device="cpu"), 64, seed=5, file=file)
    # Only figures that 64 samples can tell: others have a bias that falls with their number.
    assert found["spread"]["samples"] == pytest.approx(stated["spread"]["samples"], rel=0.2)
    assert found["path_length"]["floor"] == pytest.approx(stated["path_length"]["floor"], rel=0.2)
    for name in ("yaw", "pitch", "skin_tone", "background_lightness"):
        assert found["read"][name]["samples"] == pytest.approx(stated["read"][name]["samples"], abs=0.08)
    for name in ("glasses", "beard", "hat", "hair_style"):
        assert found["read"][name]["samples"] == pytest.approx(stated["read"][name]["samples"], abs=0.15)


def test_every_shipped_generator_has_been_measured() -> None:
    assert {p.name.removesuffix(".quality.json") for p in SHIPPED} >= {*weights.catalogue(), *weights.of_sources()}
