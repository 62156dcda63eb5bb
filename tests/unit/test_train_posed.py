"""Training of Pose with Style on avatars: the pairs that are kept, a step, and a run that goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from stylewidgets.__main__ import main
from stylewidgets.avatars import BODY, Figure, sample_in_poses
from stylewidgets.avatars.reading import factor_net
from stylewidgets.avatars.world.groups import columns
from stylewidgets.generators.posed.reposing import Exact, Garment, Reposing
from stylewidgets.training.posed.data import ATLAS, WAYS, RenderedPairs
from stylewidgets.training.posed.posed import fallen
from stylewidgets.training.posed.state import PosedRecipe, PosedRun, judged
from stylewidgets.training.posed.step import drawn, pair_step

SIDE = 16
TINY = PosedRecipe(
    resolution=SIDE, ngf=4, scales=2, widest=8, judge=(8, 8, 8), batch=4, adversarial_from=0, feature_weight=0.0, flat=100
)  # fmt: skip
learned = pytest.mark.skipif(not factor_net.BUNDLED.is_file(), reason="the factor network is not in this checkout")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> RenderedPairs:
    return RenderedPairs(tmp_path_factory.mktemp("renders"), 6, SIDE)


def test_an_avatar_in_several_poses_differs_in_its_pose_alone() -> None:
    rows, index = sample_in_poses(3, 4, 5), columns(BODY).index
    assert rows.shape == (3, 4, len(index))
    moved = {name for name, k in index.items() if (rows[:, 0, k] != rows[:, 1, k]).any()}
    assert {"yaw", "elbow_left", "body_turn"} <= moved and not {
        "smile",
        "pattern",
        "clothes_hue",
        "light_azimuth",
    } & moved


@pytest.mark.parametrize("way", range(len(WAYS)), ids=WAYS)
def test_what_is_kept_is_what_a_figure_gives(data: RenderedPairs, way: int) -> None:
    pair = data.batch(np.array([2]), np.array([1]), np.array([way]))
    rows = data.factors[2]
    wanted = Figure(rows[0], BODY, WAYS[way], ATLAS).towards(rows[2:3], SIDE)
    exact, own = pair.given.exact, wanted.exact
    assert exact is not None and own is not None
    torch.testing.assert_close(pair.given.picture, wanted.picture, atol=0.01, rtol=0)
    torch.testing.assert_close(pair.given.pose, wanted.pose, atol=0.51, rtol=0)
    torch.testing.assert_close(pair.given.flow, wanted.flow, atol=0.01, rtol=0)
    for kept, given in zip(exact, own, strict=True):
        torch.testing.assert_close(kept, given, atol=1e-5, rtol=0)


def test_in_its_own_pose_every_pixel_is_known_and_stays(data: RenderedPairs) -> None:
    pair = data.batch(np.arange(3), np.full(3, -1), np.zeros(3, np.int64))
    assert pair.given.exact is not None and bool((pair.given.exact.known == 1).all())
    carried = F.grid_sample(pair.given.picture, pair.given.flow.permute(0, 2, 3, 1), align_corners=False)
    torch.testing.assert_close(carried, pair.wanted, atol=1e-4, rtol=0)


def test_what_comes_next_depends_on_how_far_the_run_is_alone(data: RenderedPairs) -> None:
    first, again, later = (data.drawn_by_chance(2, 0.5, done) for done in (8, 8, 10))
    assert torch.equal(first.wanted, again.wanted) and not torch.equal(first.wanted, later.wanted)


def test_renders_are_taken_up_where_they_were_left(data: RenderedPairs, tmp_path: Path) -> None:
    made = RenderedPairs(tmp_path, 6, SIDE)
    before = np.array(made.images)
    made.images[:] = 0
    assert not RenderedPairs(tmp_path, 6, SIDE).images.any()  # nothing is drawn twice
    other = RenderedPairs(tmp_path, 6, SIDE, seed=1)
    assert other.images.any() and not np.array_equal(other.images, before)
    assert np.array_equal(before, data.images)


def test_rates_fall_with_the_root_and_to_nothing_at_the_end() -> None:
    assert [fallen(done, 100, 10_000) for done in (0, 100, 400)] == [1.0, 1.0, 0.5]
    values = [fallen(done, 100, 10_000) for done in range(0, 10_000, 50)]
    assert values == sorted(values, reverse=True) and values[-1] < 0.01


def test_the_discriminator_sees_the_surface_from_0_to_1(data: RenderedPairs) -> None:
    pair = data.batch(np.arange(4), np.zeros(4, np.int64), np.zeros(4, np.int64))
    seen = judged(pair.wanted, pair.given.pose)
    assert seen.shape == (4, 6, SIDE, SIDE)
    assert float(seen[:, 3:].min()) == 0 and 0.5 < float(seen[:, 3:].max()) <= 1


@learned
@pytest.mark.slow
def test_the_loss_falls_on_a_few_pictures_and_gains_stay_ones(data: RenderedPairs) -> None:
    run = PosedRun(replace(TINY, adversarial_weight=0.0), "cpu")
    pair = data.batch(np.arange(4), np.array([0, 1, 2, -1]), np.array([0, 1, 0, 1]))
    losses = [pair_step(run, pair)["pixels"] for _ in range(40)]
    assert losses[-1] < losses[0] / 3
    gains = [p for name, p in run.generator.synthesis.named_parameters() if name.endswith("affine.weight")]
    assert gains and not any(p.requires_grad or bool(p.any()) for p in gains)
    near = (drawn(run.averaged, pair.given) - pair.wanted).abs().mean()
    assert float(near) < float((pair.given.picture - pair.wanted).abs().mean()) + 0.5


@learned
@pytest.mark.slow
def test_a_run_goes_on_with_the_same_bits(data: RenderedPairs, tmp_path: Path) -> None:
    def steps(run: PosedRun, count: int) -> list[float]:
        return [v for _ in range(count) for v in pair_step(run, data.drawn_by_chance(2, 0.2, run.total)).values()]

    run = PosedRun(replace(TINY, feature_weight=0.1), "cpu")
    steps(run, 2)
    run.save(tmp_path / "run.pt")
    onward = steps(run, 2)
    assert onward == steps(PosedRun.load(tmp_path / "run.pt", "cpu"), 2)


@learned
@pytest.mark.slow
def test_the_command_leaves_weights_that_open_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    asked = ["train", "posed", "--out", str(out), "--renders", "4", "--resolution", "64", "--ngf", "4", "--widest", "8"]
    for images in ("4", "8"):
        assert main([*asked, "--batch", "2", "--adversarial-from", "4", "--images", images]) == 0
    assert {path.name for path in out.iterdir()} == {"checkpoint.pt", "generator.safetensors", "pairs.png", "renders"}
    run = PosedRun.load(out / "checkpoint.pt", "cpu")
    assert run.total == 8


def test_all_that_is_given_goes_to_a_device_garments_too() -> None:
    x = torch.zeros(1, 3, 4, 4)
    exact = Exact(x, x, x[:, :1])
    given = Reposing(x, x[:, :1], x, x[:, :2], Garment(x, x[:, :1], x[:, :2], x[:, :1], exact), exact)
    moved = given.to(torch.device("meta"))
    assert moved.garment is not None and moved.garment.exact is not None and moved.exact is not None
    parts = [*moved[:4], *moved.garment[:4], *moved.garment.exact, *moved.exact]
    assert all(isinstance(part, torch.Tensor) and part.is_meta for part in parts)
    assert isinstance(moved, Reposing) and given._replace(garment=None).to(torch.device("meta")).garment is None
