"""A CLIP network in the published layout agrees with the public code, layer by layer, and its tokens are the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from stylewidgets.text.clip import layouts, vocabulary
from stylewidgets.text.clip.network import Clip
from stylewidgets.text.clip.tokens import Tokenizer

DATA = Path(__file__).parent / "data"
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def stored(device: str) -> dict[str, Tensor]:
    with safe_open(DATA / "clip_small.safetensors", "pt", device=device) as file:
        assert json.loads(file.metadata()["config"])["activation"] == "x*sigmoid(1.702x)"
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file object is no mapping)


@pytest.fixture(scope="module")
def net(stored: dict[str, Tensor], device: str) -> Clip:
    state = layouts.from_openai({name[6:]: value for name, value in stored.items() if name.startswith("param.")})
    made = Clip(layouts.config_of(state))
    made.load_state_dict({name: value.float() for name, value in state.items()})
    return made.to(device).eval()


def error(found: Tensor, expected: Tensor) -> float:
    assert found.shape == expected.shape
    return float((found.double() - expected.double()).norm() / expected.double().norm())


def test_sizes_are_told_by_shapes(net: Clip) -> None:
    c = net.config
    assert (c.dim, c.side, c.patch, c.vision_width, c.vision_layers) == (32, 32, 8, 128, 2)
    assert (c.text_width, c.text_layers, c.context, c.vocabulary) == (128, 1, 16, 128)


def test_features_are_those_of_the_public_code(net: Clip, stored: dict[str, Tensor]) -> None:
    with torch.inference_mode():
        pictures, texts = net.pictures(stored["input.image"], prepared=True), net.tokens(stored["input.tokens"].long())
        assert error(pictures, stored["expect.image_features"]) < TOLERANCE
        assert error(texts, stored["expect.text_features"]) < TOLERANCE
        cosines = torch.nn.functional.normalize(pictures) @ torch.nn.functional.normalize(texts).T
        assert error(net.logit_scale.exp() * cosines, stored["expect.logits_per_image"]) < TOLERANCE


def test_each_layer_agrees(net: Clip, stored: dict[str, Tensor]) -> None:
    seen: dict[str, Tensor] = {}
    places = {
        "visual.ln_pre": net.visual.ln_pre,
        "visual.block0": net.visual.transformer.resblocks[0],
        "visual.block1": net.visual.transformer.resblocks[1],
        "text.block0": net.transformer.resblocks[0],
    }
    hooks = [
        module.register_forward_hook(lambda _m, _i, out, name=name: seen.__setitem__(name, out[0]))
        for name, module in places.items()
    ]
    with torch.inference_mode():
        net.pictures(stored["input.image"], prepared=True)
        net.tokens(stored["input.tokens"].long())
    for hook in hooks:
        hook.remove()
    assert {name: error(out, stored[f"expect.{name}"]) < TOLERANCE for name, out in seen.items()} == dict.fromkeys(
        places, True
    )


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    """The expected tokens, and those merges of the published list that can touch these texts, with their places."""
    found: dict[str, Any] = json.loads((DATA / "clip_tokens.json").read_text(encoding="utf-8"))
    return found


def test_tokens_are_those_of_the_public_code(known: dict[str, Any]) -> None:
    merges = [(f"<{i}", ">") for i in range(known["count"])]  # parts that no text has
    for i, a, b in known["merges"]:
        merges[i] = (a, b)
    words = Tokenizer(merges)
    assert (words.start, words.end) == (known["start"], known["end"])
    assert {case["text"]: words.numbers(case["text"]) for case in known["cases"]} == {
        case["text"]: case["tokens"] for case in known["cases"]
    }


def test_tokens_with_the_whole_list_where_a_package_has_it(known: dict[str, Any]) -> None:
    place = vocabulary.find()
    if place is None:
        pytest.skip("neither open_clip_torch nor clip-anytorch is installed")
    words = vocabulary.read(place)
    assert words.size == known["end"] + 1
    for case in known["cases"]:
        assert words.padded(case["text"], known["context_length"])[: len(case["tokens"])] == case["tokens"]
