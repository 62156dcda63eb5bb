"""Kinds of generator files that other projects make agree with what those projects drew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stylewidgets.checkpoints import open_file
from tests.formats_writers import golden

TOLERANCE = 1e-5
SETTINGS: dict[str, dict[str, object]] = {"ada_mapw": {"mapping_lr": 0.1}}
"""What a state_dict does not tell."""


def error(found: Tensor, expected: Tensor) -> float:
    assert found.shape == expected.shape
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("name", ["ada_mapw", "gf1_cond", "gf2_cond", "human3_T64", "xl10_ffhq32"])
def test_every_picture_of_the_original_code_is_drawn(name: str, tmp_path: Path) -> None:
    config, parameters, tensors = golden(f"files_{name}")
    torch.save({"generator_smooth": parameters}, tmp_path / "network.pth")
    generator: Any = open_file(tmp_path / "network.pth", SETTINGS.get(name))[0]
    for i, test in enumerate(config["tests"]):
        ws = tensors.get(f"test{i}.ws")
        if ws is None and "seed" not in test:
            continue  # made from styles, which the other tests cover
        with torch.no_grad():
            if ws is None:
                ws = _mapped(generator, test)
                assert error(ws, tensors[f"test{i}.expect_ws"]) < TOLERANCE, test
            picture = generator.synthesize(ws, noise=test.get("noise_mode", "const"))
        assert error(picture, tensors[f"test{i}.image"]) < TOLERANCE, test


def _mapped(generator: Any, test: dict[str, Any]) -> Tensor:
    z = torch.from_numpy(np.random.RandomState(test["seed"]).randn(1, generator.z_dim)).float()
    label = torch.eye(generator.c_dim)[None, test["label"]] if generator.c_dim else None
    return generator.truncate(generator.map(z, label), test["psi"], test.get("cutoff"))  # type: ignore[no-any-return]
