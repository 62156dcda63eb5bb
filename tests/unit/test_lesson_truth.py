"""What the lesson's checks go by is true on several drawings: they accept it there, and refuse the opposite."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets import inversion
from stylewidgets.generators.stylegan1 import StyleGAN1, StyleGAN1Config
from stylewidgets.lesson import checks, ours, tradeoff
from stylewidgets.lesson.chain import STATIONS, glow, lights, lit, usual_w, walk
from stylewidgets.lesson.challenge import BASELINE, BUDGET, Challenge, three
from stylewidgets.lesson.mending import broken
from stylewidgets.lesson.plane import landscape

pytestmark = pytest.mark.slow
AFTER = {"z": 0, "truncation": 1, "direction": 1, "noise": 3}
"""The first station that each slider reaches."""


@pytest.fixture(scope="module")
def session() -> Any:
    return sw.load("avatar-64")


@pytest.fixture(scope="module")
def drawings(session: Any) -> torch.Tensor:
    batch = sw.AvatarDataset(seed=612, n=16, resolution=64).batch(range(16))
    return inversion.Target.of(batch, session).images


# -- the chain ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [1, 2, 12])
def test_a_change_lights_what_is_computed_after_it_and_nothing_before(session: Any, seed: int) -> None:
    from stylewidgets.lesson import Chain

    chain = Chain(session, seed=seed)
    assert chain.lit == frozenset()
    moved = {"z": 1.0, "truncation": 0.7, "direction": 2.0, "noise": 3}
    for name, first in AFTER.items():
        found = chain.set(**{name: moved[name]})
        assert found == set(STATIONS[first:])
        assert checks.stations(STATIONS[first:], found)
        assert not checks.stations(STATIONS[: first + 1], found)
    assert chain.set(style=1.0, layer="b16.torgb") == {"styles", "picture"}
    assert chain.set(style=1.0, layer="b16.conv1") == {"styles", "layers", "picture"}
    chain.reset()
    assert chain.lit == frozenset() and chain.view.words == ["dark: as before"] * 5


def test_the_chain_shows_adain_where_the_generator_has_it() -> None:
    config = StyleGAN1Config(z_dim=8, w_dim=8, channels=(8, 8), mapping_layers=2)
    torch.manual_seed(0)
    toy = sw.GeneratorSession(StyleGAN1(config), device="cpu")
    start = toy.latent(seed=1)
    assert lit(toy, start, toy.latent(seed=2)) == set(STATIONS)
    assert lit(toy, start, start.replace(psi=0.5)) == set(STATIONS[1:])


def test_brightness_grows_with_the_change_and_shows_a_thousandth(session: Any) -> None:
    assert glow(0.0) == 0 and 0 < glow(0.001) < glow(0.1) < glow(1.0) == glow(5.0) == 1
    one = walk(session, session.latent(seed=3))
    assert lights(one, one, usual_w(session)).levels == dict.fromkeys(STATIONS, 0.0)


def test_adain_is_what_the_first_stylegan_does() -> None:
    from stylewidgets.generators.stylegan1.layers import Epilogue

    layer = Epilogue(4, w_dim=8, size=(8, 8), use_noise=False)
    x, style = torch.rand(2, 4, 8, 8) + 0.1, torch.randn(2, 8)
    scale, shift = style.reshape(2, 2, 4).unbind(1)
    assert torch.allclose(ours.adain(x, scale + 1, shift), layer(x.clone(), style, None), atol=1e-4)


# -- the search --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [4, 9])
def test_the_largest_rate_jumps_and_a_middle_one_is_best_on_several_faces(session: Any, seed: int) -> None:
    target = inversion.Target.of(session.latent(seed=seed), session).images
    losses = {}
    for rate in (0.003, 0.3, 10.0):
        path = ours.search(session.synthesize, target, session.w_avg[None], ours.loss, 30, rate)
        losses[rate] = ours.losses_of(session, target, path, ours.loss)
    assert checks.rate(0.3, losses) and not checks.rate(10, losses) and not checks.rate(0.003, losses)
    assert checks.overshoot("jumps", losses) and not checks.overshoot("slow", losses)


def test_a_landscape_has_its_path_on_it_and_the_losses_of_its_ends(session: Any) -> None:
    target = inversion.Target.of(session.latent(seed=4), session).images
    path = ours.search(session.synthesize, target, session.w_avg[None], ours.loss, 6, 0.5)
    land = landscape(session, target, path, ours.loss, size=9)
    assert land.values.shape == (9, 9) and land.path.shape == (7, 2)
    assert np.allclose(land.path[-1], 0, atol=1e-5) and land.off[-1] == 0 and land.off[0] < 1e-4
    assert land.x[0] < land.path[:, 0].min() and land.x[-1] > land.path[:, 0].max()
    assert land.losses[0] == pytest.approx(float(ours.loss(session.synthesize(session.w_avg[None]), target)), rel=1e-4)
    with pytest.raises(ValueError, match="goes nowhere"):
        landscape(session, target, [path[0], path[0]], ours.loss)


# -- pictures that do not fit -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("place", range(3))
def test_the_shift_that_mends_a_picture_is_found_and_its_opposite_refused(
    session: Any, drawings: torch.Tensor, place: int
) -> None:
    one = broken(session, drawings[place : place + 1], seed=place)
    found = ours.mend(one.picture, one.error)
    assert checks.mend(found, [one]) and checks.mend(one.mends, [one])
    assert not checks.mend((-one.mends[0], -one.mends[1]), [one])
    assert one.error_after(one.mends) < one.error(one.picture) / 2


def test_realism_of_restyle_tells_moved_pictures_from_those_in_place(session: Any, drawings: torch.Tensor) -> None:
    realism = []
    for pictures in (drawings, drawings.roll(16, 3)):
        target = inversion.Target.of(pictures, session)
        found = inversion.invert(session, target, "restyle")
        realism.append([row["realism"] for row in inversion.evaluate_each(target, found, session, edits=False)])
    good, odd = realism
    middle = (np.quantile(good, 0.95) + np.quantile(odd, 0.05)) / 2
    assert checks.threshold(middle, good, odd)
    assert not checks.threshold(middle, odd, good)
    assert not checks.threshold(1.0, good, odd)  # the scale of codes
    assert not checks.threshold(lambda value: value < middle, good, odd)


# -- figures -----------------------------------------------------------------------------------------------------------
def test_the_shipped_table_says_how_it_was_made_and_its_answers_are_those_of_its_intervals() -> None:
    table = tradeoff.measured()
    assert "bench" in table.command and "outside" in table.kinds
    for kind in table.kinds:
        for figure in ("mse", "change", "smile"):
            ratio = table.ratio("W+", "W", figure, kind)
            assert ratio.low <= ratio.value <= ratio.high and ratio.pictures >= 10
            true = {0: "w+", 1: "w", None: "cannot tell"}[ratio.smaller_one]
            for word in ("w", "w+", "cannot tell"):
                assert bool(checks.better(word, ratio)) == (word == true)
    smiles = [table.mean(method, "smile", kind) for kind in table.kinds for method in table.rows]
    assert min(smiles) > 1  # what section 7 says of them
    assert table.ratio("W+", "W", "mse", "outside").smaller_one == 0  # what section 4 and the notes say of distortion


def test_ratios_are_those_of_pictures_that_both_have() -> None:
    rows = {
        "a": {"k": {"1": {"mse": 2.0}, "2": {"mse": 4.0}, "3": {"mse": 9.0}}},
        "b": {"k": {"1": {"mse": 1.0}, "2": {"mse": 2.0}}},
    }
    ratio = tradeoff.Measured("", rows).ratio("a", "b", "mse", "k")
    assert (ratio.value, ratio.low, ratio.high, ratio.larger, ratio.pictures) == (2, 2, 2, 2, 2)
    assert ratio.smaller_one == 1
    with pytest.raises(ValueError, match="two are needed"):
        tradeoff.Measured("", {"a": rows["a"], "b": {"k": {}}}).ratio("a", "b", "mse", "k")


def test_the_table_is_taken_from_the_figures_of_the_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {
        "smile": 1.5,
        "yaw": 2.5,
        "hair lightness": 71.0,
        "blush": None,
    }  # the median, and what hardly shows decides nothing
    picture = {"mse": 0.123456, "realism": 2.0, "changes": changes}
    kinds = {"outside": {"x": picture, "y": picture}, "inside": {}, "mark": "abc"}
    path = tmp_path / "inversion.json"
    path.write_text(json.dumps({"rows": {"Image2StyleGAN W": kinds, "other": kinds}}))
    monkeypatch.setattr(tradeoff, "FILE", tmp_path / "made.json")
    tradeoff.main(["--command", "the command", "--methods", "Image2StyleGAN W=W", "--", str(path)])
    made = tradeoff.measured(tmp_path / "made.json")
    assert made.command == "the command" and made.kinds == ["outside"]
    assert made.figures("W", "change", "outside") == {"x": 2.5, "y": 2.5}
    assert made.figures("W", "smile", "outside") == {"x": 1.5, "y": 1.5}
    assert "| W | 0.123 | 2.5 | 1.5 | 2 |" in made._repr_markdown_()


def test_the_open_task_gives_its_baseline_100_points_and_keeps_its_budget(session: Any) -> None:
    challenge = Challenge(session)
    settings: dict[str, Any] = dict(BASELINE)
    assert challenge.score(lambda s, t: inversion.invert(s, t, **settings)).points == 100
    quick = challenge.score(lambda s, t: inversion.invert(s, t, "e4e"))
    assert set(quick.fit) == {"plain", "eye patch", "checked backdrop"} and quick.points != 100
    with pytest.raises(ValueError, match=f"budget is {BUDGET} steps"):
        challenge.score(lambda s, t: replace(inversion.invert(s, t, "e4e"), steps=BUDGET + 1))
    with pytest.raises(TypeError, match=r"inversion\.invert returns"):
        challenge.score(lambda s, t: 5)


def test_the_three_pictures_of_the_task_are_one_face_in_three_ways(session: Any) -> None:
    target = three(session, 3)
    assert target.factor_groups == ("head", "unseen") and len(target) == 3
    differ = (target.images[0] - target.images[1:]).abs().mean((1, 2, 3))
    assert 0.005 < float(differ[0]) < float(differ[1])  # the patch is small, the backdrop is not


# -- a picture of one's own ---------------------------------------------------------------------------------------------
def test_paint_changes_the_picture_where_it_is_and_its_truth_is_no_longer_known(session: Any) -> None:
    from stylewidgets.lesson import Easel

    easel = Easel()
    before = easel.picture
    assert easel.target(session).factors is not None
    stroke = {"colour": "#ff0000", "width": 0.1, "points": [[0.2, 0.2], [0.4, 0.2]]}
    easel.view.on_stroke(stroke)
    after = easel.picture
    assert after[51, 76].tolist() == [255, 0, 0] and (after[128:] == before[128:]).all()
    assert easel.target(session).factors is None
    easel.view.on_undo()
    assert (easel.picture == before).all()
    easel.sliders["hat"].value = "cap"
    assert (easel.picture != before).any()


@pytest.mark.parametrize(
    "message",
    [
        {"colour": "red", "width": 0.1, "points": [[0, 0]]},
        {"colour": "#ff0000", "width": 0.1, "points": []},
        {"colour": "#ff0000", "width": 0.1, "points": [[float("nan"), 0]]},
        {"colour": "#ff0000", "width": 0.1, "points": [[0, 0]] * 6000},
    ],
)
def test_a_stroke_that_makes_no_sense_is_refused(message: dict[str, Any]) -> None:
    from stylewidgets.lesson.views.easel_view import read_stroke

    with pytest.raises(ValueError, match="stroke"):
        read_stroke(message)


def test_the_player_shows_the_path_from_its_beginning_to_its_end(session: Any) -> None:
    from stylewidgets.lesson import PathPlayer

    target = inversion.Target.of(session.latent(seed=4), session).images
    path = ours.search(session.synthesize, target, session.w_avg[None], ours.loss, 4, 0.5)
    player = PathPlayer(session, target, path, landscape(session, target, path, ours.loss, size=5))
    assert player.steps == [0, 1, 2, 3, 4] and player.step == 4 and len(player.frames) == 5
    assert all(0 <= share <= 1 for place in player.places for share in place)
    assert player.losses[0] > player.losses[-1]


def test_the_teachers_sheet_prints_the_figures_of_the_table() -> None:
    text = (Path(__file__).parents[2] / "docs" / "teaching.md").read_text(encoding="utf-8").replace("\n", " ")
    table = tradeoff.measured()
    mse, change, smile = (table.ratio("W+", "W", figure, "outside") for figure in ("mse", "change", "smile"))
    assert f"On {mse.pictures} pictures" in text and f"W+ has {mse.value:.2f} of the error of W" in text
    assert f"between {mse.low:.2f} and {mse.high:.2f}; less on every picture" in text and mse.larger == 0
    assert f"cannot be told: {change.value:.2f} ({change.low:.2f} to {change.high:.2f})" in text
    assert (
        f"worse on average, {smile.value:.2f} ({smile.low:.2f} to {smile.high:.2f}), in {smile.larger} of {smile.pictures}"
        in text
    )
    assert change.smaller_one is None and smile.smaller_one == 1
    mse, change, smile = (table.ratio("W+", "W", figure, "inside") for figure in ("mse", "change", "smile"))
    fits, edits, smiles = (f"{one.value:.2f} ({one.low:.2f} to {one.high:.2f})" for one in (mse, change, smile))
    assert f"Inside, on {mse.pictures} pictures, there is no trade-off to see: W+ has {fits}" in text
    assert f"and {edits} of the error of six edits; smiles cannot be told, {smiles}" in text
    assert mse.smaller_one == change.smaller_one == 0 and smile.smaller_one is None  # as section 7 says
