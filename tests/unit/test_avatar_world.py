"""Correlations, edits, captions, the dataset and contact sheets of the avatar world."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylewidgets.__main__ import main
from stylewidgets.avatars import (
    CORRELATIONS,
    FACTORS,
    INDEX,
    OUTPUTS,
    AvatarDataset,
    Camera,
    caption,
    correlate,
    correlation_matrix,
    edit_factors,
    edit_truth,
    from_uniform,
    mix,
    render,
    sample,
)
from stylewidgets.avatars.drawing import palette
from stylewidgets.avatars.drawing.sheet import contact_sheet
from stylewidgets.avatars.world.sampling import uniforms
from stylewidgets.avatars.world.words import CATEGORIES, LEVELS
from stylewidgets.training.world import LatentWorld

NAMES = [f.name for f in FACTORS]


# correlations


def test_the_correlation_table_is_positive_definite_and_names_each_pair_once() -> None:
    assert np.linalg.eigvalsh(correlation_matrix()).min() > 0.02
    pairs = [frozenset(pair[:2]) for pair in CORRELATIONS]
    assert len(set(pairs)) == len(pairs) and all(len(p) == 2 and p <= set(NAMES) for p in pairs)


def test_correlated_normals_have_the_correlations_of_the_table() -> None:
    normal = mix(torch.randn(60000, len(FACTORS), generator=torch.Generator().manual_seed(0)))
    measured = torch.corrcoef(normal.T).numpy()
    assert np.abs(measured - correlation_matrix()).max() < 0.03
    assert (normal.std(0) - 1).abs().max() < 0.02


@pytest.mark.slow
def test_every_factor_keeps_its_distribution() -> None:
    u = correlate(uniforms(40000, seed=4))
    steps = np.linspace(0.01, 0.99, 99)
    distance = np.abs((u[:, :, None] <= steps).mean(0) - steps).max()
    assert distance < 1.63 / np.sqrt(40000) * 1.6  # Kolmogorov-Smirnov at 1 %, for the worst of 33 columns


def test_factors_go_together_when_asked_and_only_then() -> None:
    alone, together = sample(6000, seed=5), sample(6000, seed=5, correlated=True)
    for a, b, value in CORRELATIONS:
        ia, ib = INDEX[a], INDEX[b]
        assert abs(np.corrcoef(alone[:, ia], alone[:, ib])[0, 1]) < 0.06
        measured = np.corrcoef(together[:, ia], together[:, ib])[0, 1]
        assert measured * np.sign(value) > 0.12, (a, b, measured)


def test_what_nothing_pulls_at_keeps_its_bits_and_rows_depend_on_their_index_only() -> None:
    alone, together = sample(30, seed=6), sample(30, seed=6, correlated=True)
    for name in ("yaw", "skin_tone", "background_hue", "nose_size"):
        assert np.array_equal(alone[:, INDEX[name]], together[:, INDEX[name]])
    assert np.array_equal(sample(5, seed=6, start=11, correlated=True), together[11:16])


def test_torch_and_numpy_correlate_alike() -> None:
    u = uniforms(200, seed=2)
    assert np.allclose(correlate(u), correlate(torch.from_numpy(u).float()).numpy(), atol=1e-4)
    with pytest.raises(ValueError, match="33"):
        correlate(u[:, :4])


def test_the_latent_world_can_be_correlated_and_is_not_by_default() -> None:
    z = torch.randn(4000, 64, generator=torch.Generator().manual_seed(1))
    plain, off, on = (
        LatentWorld(64, **options).factors(z) for options in ({}, {"correlated": False}, {"correlated": True})
    )
    assert torch.equal(plain, off)
    a, b = INDEX["skin_tone"], INDEX["hair_lightness"]
    assert torch.corrcoef(on[:, [a, b]].T)[0, 1] < -0.45 and torch.corrcoef(off[:, [a, b]].T)[0, 1].abs() < 0.06
    assert torch.equal(plain, from_uniform(torch.special.ndtr(LatentWorld(64).normal(z)[:, :33]).clamp(1e-5, 1 - 1e-5)))


# edits


def test_an_edit_changes_what_it_names_and_nothing_else() -> None:
    before = sample(5, seed=1)
    after = edit_factors(before, {"smile": 1.0, "hat": "cap"}).numpy()
    changed = [INDEX["smile"], INDEX["hat"]]
    assert (after[:, changed] == [1.0, 1.0]).all()
    assert np.array_equal(np.delete(after, changed, 1), np.delete(before, changed, 1))


def test_a_relative_edit_adds_and_angles_go_round() -> None:
    row = torch.from_numpy(sample(1, seed=1))
    row[0, INDEX["hair_hue"]], row[0, INDEX["yaw"]] = 350.0, 5.0
    after = edit_factors(row[0], {"hair_hue": 20.0, "yaw": torch.tensor([-9.0])}, relative=True)
    assert after[0, INDEX["hair_hue"]] == 10 and after[0, INDEX["yaw"]] == -4


@pytest.mark.parametrize(
    ("change", "relative", "words"),
    [
        ({"smil": 1.0}, False, "did you mean 'smile'"),
        ({"hat": "bennie"}, False, "did you mean 'beanie'"),
        ({"smile": 1.5}, False, "smile would be 1.5 in picture 0, outside -1 to 1"),
        ({"yaw": 90.0}, True, "not cut off"),
        ({"smile": "wide"}, False, "number from -1 to 1"),
        ({"hat": 1.0}, True, "without relative"),
        ({"hat": 0.5}, False, "none, cap, beanie"),
        ({"yaw": float("nan")}, False, "outside"),
        ({"yaw": torch.zeros(7)}, False, "a number or a tensor"),
        (lambda f: f[:, :3], False, "must return"),
    ],
)
def test_an_edit_that_cannot_be_made_is_refused_in_words(change, relative: bool, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        edit_factors(sample(2, seed=0), change, relative)


def test_the_truth_of_an_edit_is_the_render_of_the_edited_factors() -> None:
    f = torch.from_numpy(sample(2, seed=3))

    def darker(x: torch.Tensor) -> torch.Tensor:
        x[:, INDEX["skin_tone"]] = 0.9
        return x

    by_name, by_function = edit_truth(f, {"skin_tone": 0.9}, resolution=32), edit_truth(f, darker, resolution=32)
    assert torch.equal(by_name.image, by_function.image) and not torch.equal(by_name.image, render(f, 32).image)
    assert torch.equal(by_name.landmarks, render(f, 32).landmarks)


# captions

PATTERN = {
    "face_width": r"\b{}(-faced| face)\b",
    "eye_size": r"\b{}( half-closed| sleepy)? \w+ eyes\b",
    "smile": r"\b{}\b",
    "brow_thickness": r"\b{}( \w+)?( \w+)? brows\b",
    "brow_height": r"\b{}( \w+)? brows\b",
    "brow_angle": r"\b{} brows\b",
    "glasses": r"\b{}\b",
    "hat": r"\b{}\b",
    "beard": r"\b{}\b",
}
COLOURS = {
    "red": (330, 22),
    "orange": (10, 50),
    "yellow": (40, 75),
    "olive": (40, 75),
    "brown": (10, 50),
    "green": (66, 165),
    "turquoise": (155, 200),
    "blue": (190, 256),
    "purple": (248, 294),
    "pink": (286, 342),
}


def said(text: str, name: str, phrase: str) -> bool:
    return re.search(PATTERN.get(name, r"\b{}\b").format(re.escape(phrase)), text) is not None


def hue_fits(hue: float, word: str) -> bool:
    low, high = COLOURS[word]
    return low <= hue % 360 <= high if low < high else hue % 360 >= low or hue % 360 <= high


@pytest.fixture(scope="module")
def told() -> list[tuple[dict[str, float], str]]:
    rows = sample(250, seed=12)
    return [
        (dict(zip(NAMES, map(float, row), strict=True)), caption(row, variant))
        for i, row in enumerate(rows)
        for variant in (0, i + 1)
    ]


def test_everything_that_a_caption_says_of_a_level_is_true(told: list[tuple[dict[str, float], str]]) -> None:
    heard = set()
    for value, text in told:
        for name, levels in LEVELS.items():
            for low, high, phrases in levels:
                for phrase in phrases:
                    if said(text, name, phrase):
                        heard.add((name, phrase))
                        assert low <= value[name] <= high, (name, phrase, value[name], text)
    assert {(n, p) for n, levels in LEVELS.items() for level in levels for p in level.phrases} - heard <= {
        ("eye_openness", "eyes shut"),
        ("eye_openness", "closed eyes"),
    }


def test_every_noticeable_level_is_said(told: list[tuple[dict[str, float], str]]) -> None:
    for value, text in told:
        closed = value["eye_openness"] < 0.06
        for name, levels in LEVELS.items():
            if (closed and name in ("eye_size", "gaze_x", "gaze_y")) or name == "fringe":
                continue
            at = [x for x in levels if x.low <= value[name] < x.high]
            assert not at or any(said(text, name, phrase) for phrase in at[0].phrases), (name, value[name], text)


def test_extras_are_said_exactly_when_they_are_worn(told: list[tuple[dict[str, float], str]]) -> None:
    for value, text in told:
        for name in ("glasses", "hat", "beard"):
            categories = FACTORS[INDEX[name]].categories
            for category, phrases in CATEGORIES[name].items():
                if category == "moustache" and "beard with a moustache" in text:
                    continue
                worn = categories[round(value[name])] == category
                assert any(said(text, name, p) for p in phrases) == worn, (name, category, text)


def test_colours_that_a_caption_names_are_those_of_the_factors(told: list[tuple[dict[str, float], str]]) -> None:
    for value, text in told:
        for name, noun, light in (
            ("clothes_hue", "top|jumper|sweater", 0.08 + 0.76 * value["clothes_lightness"]),
            ("background_hue", "background|backdrop|wall", value["background_lightness"]),
        ):
            found = re.search(rf"(dark |pale )?(\w+) ({noun})", text)
            assert found and hue_fits(value[name], found[2]), (name, value[name], text)
            assert found[1] != "dark " or light <= 0.4
            assert found[1] != "pale " or light >= 0.6
        eyes = re.search(r"(\w+) eyes", text)
        if eyes and eyes[1] not in ("closed", "amber"):
            assert hue_fits(value["iris_hue"], eyes[1]), text


def test_black_hair_is_dark_and_blond_hair_is_light_on_the_picture(told: list[tuple[dict[str, float], str]]) -> None:
    seen = set()
    for value, text in told:
        word = re.search(r"(black|dark brown|pale blond|blond) (hair|bob|curls)", text)
        if word:
            seen.add(word[1])
            columns = {k: torch.tensor([x]) for k, x in value.items()}
            brightness = float(palette.hair(columns).sqrt().mean())
            assert brightness < 0.26 if word[1] in ("black", "dark brown") else brightness > 0.3, (word[1], brightness)
    assert seen == {"black", "dark brown", "blond", "pale blond"}


def test_variants_say_it_in_many_ways_and_the_same_variant_says_the_same() -> None:
    row = sample(1, seed=2)[0]
    texts = [caption(row, variant) for variant in range(30)]
    assert len(set(texts)) > 20 and texts == [caption(torch.from_numpy(row), variant) for variant in range(30)]
    with pytest.raises(ValueError, match="33"):
        caption(row[:3])


# the dataset


def test_an_item_has_everything_that_is_known() -> None:
    item = AvatarDataset(seed=1, n=10, resolution=32)[4]
    assert set(item) == {*OUTPUTS, "factors", "caption"}
    assert item["image"].dtype == torch.uint8 and item["depth"].shape == (32, 32) and item["uv"].shape == (2, 32, 32)
    camera = item["camera"]
    assert isinstance(camera, Camera) and camera.head.shape == (4, 4)
    projected = Camera(*(m[None] for m in camera)).project(item["points"][None])[0, :, :2]
    assert torch.allclose(projected, item["landmarks"], atol=1e-4)


def test_a_batch_is_its_items() -> None:
    data = AvatarDataset(seed=1, n=30, resolution=24, outputs=("image", "depth"), variants=3)
    batch = data.batch([7, 2, -1])
    for k, i in enumerate((7, 2, 29)):
        item = data[i]
        assert torch.equal(batch["factors"][k], item["factors"]) and batch["caption"][k] == item["caption"]
        assert (batch["image"][k].int() - item["image"].int()).abs().max() <= 1
    assert data.batch([])["image"].shape == (0, 3, 24, 24)
    with pytest.raises(IndexError):
        data.batch([30])
    with pytest.raises(ValueError, match="did you mean 'depth'"):
        AvatarDataset(outputs=("dept",))


def test_a_loader_collates_items() -> None:
    batch = next(iter(torch.utils.data.DataLoader(AvatarDataset(n=4, resolution=16), batch_size=4)))
    assert batch["camera"].head.shape == (4, 4, 4) and len(batch["caption"]) == 4


def test_a_correlated_dataset_has_correlated_factors() -> None:
    factors = AvatarDataset(seed=3, n=9, resolution=16, outputs=("landmarks",), correlated=True).batch(range(9))[
        "factors"
    ]
    assert np.array_equal(factors.numpy(), sample(9, seed=3, correlated=True))


# contact sheets


def test_a_sheet_shows_every_output_of_every_avatar() -> None:
    assert contact_sheet(9, resolution=16).size == (48, 48)
    names = ("image", "segmentation", "landmarks", "depth", "normals", "uv")
    row = np.asarray(contact_sheet(1, resolution=16, outputs=names))
    assert row.shape == (16, 96, 3)
    fields = row.reshape(16, 6, 16, 3).swapaxes(0, 1)
    assert all(not np.array_equal(fields[a], fields[b]) for a in range(6) for b in range(a))
    for wrong in ((), ("camera",)):
        with pytest.raises(ValueError, match="a sheet shows"):
            contact_sheet(1, outputs=wrong)


def test_the_command_writes_a_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sheet.jpg"
    assert (
        main(["avatars", "--out", str(path), "--count", "4", "--resolution", "16", "--outputs", "image", "depth"]) == 0
    )
    with Image.open(path) as sheet:
        assert sheet.size == (32, 64)
    said = capsys.readouterr().out
    assert "4 avatars" in said and said.rstrip().endswith("avatars a second")
    assert main(["avatars", "--out", str(path), "--outputs", "camera"]) == 2
