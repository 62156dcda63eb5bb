"""Training of scenes: what is drawn, what is learned, and exact figures where the truth is known."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stylewidgets.avatars import INDEX, render, sample
from stylewidgets.ops.upfirdn2d import upsample2d
from stylewidgets.training.scenes.data import RenderedScenes, scenes
from stylewidgets.training.scenes.phases import field_step, picture, picture_step, silhouette_loss
from stylewidgets.training.scenes.state import SceneRecipe, SceneRun
from stylewidgets.training.scenes.warp import head_pixels, orbits, warp_error
from stylewidgets.training.world import LatentWorld

TINY = SceneRecipe(
    resolution=16, rays=8, grid=4, channels=(8,), hidden=8, field_layers=2, features=8, frequencies=2, samples=4,
    w_dim=16, mapping_layers=2, mapping_width=16, batch=4, judge=(8, 8, 8), learning_rate=5e-3,
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> RenderedScenes:
    return RenderedScenes(tmp_path_factory.mktemp("renders"), 12, 16, LatentWorld(64), seed=0)


def test_the_pose_goes_from_the_avatar_to_the_camera() -> None:
    factors = torch.from_numpy(sample(5, 1))
    ahead, pose = scenes(factors)
    assert bool((ahead[:, [INDEX[name] for name in ("yaw", "pitch", "roll")]] == 0).all())
    assert torch.equal(pose, factors[:, [INDEX["yaw"], INDEX["pitch"]]])
    others = [k for name, k in INDEX.items() if name not in ("yaw", "pitch", "roll")]
    assert torch.equal(ahead[:, others], factors[:, others])


def test_renders_are_those_of_the_orbits_and_are_found_again(data: RenderedScenes, tmp_path: Path) -> None:
    views = data.batch(torch.arange(3).numpy())
    wanted = render(views.factors, 16, outputs=("image", "segmentation"), orbit=views.pose)
    assert float((views.image - wanted.image).abs().max()) < 0.01
    assert torch.equal(views.solid[:, 0] > 0, wanted.segmentation > 0)
    torch.testing.assert_close(views.weight.mean(dim=(1, 2, 3)), torch.ones(3))


def test_a_silhouette_that_fades_costs_more_the_more_it_fades() -> None:
    solid = torch.ones(1, 4)
    losses = [float(silhouette_loss(torch.full((1, 4), opaque), solid)) for opaque in (0.9, 0.5, 0.0)]
    assert losses == sorted(losses) and losses[2] > 9


@pytest.mark.slow
def test_a_few_steps_learn_and_a_run_goes_on_with_the_same_bits(data: RenderedScenes, tmp_path: Path) -> None:
    views = data.batch(torch.arange(4).numpy())

    def steps(run: SceneRun, seed: int) -> list[float]:
        torch.manual_seed(seed)
        made = [field_step(run, views)["colour"] for _ in range(4)]
        return [*made, *(picture_step(run, views, adversarial=True)["paired"] for _ in range(2))]

    run = SceneRun(TINY, "cpu")
    first = [field_step(run, views)["colour"] for _ in range(40)]
    assert sum(first[-5:]) < 0.8 * sum(first[:5])
    run.colours_start()
    run.save(tmp_path / "checkpoint.pt")
    again = SceneRun.load(tmp_path / "checkpoint.pt", "cpu")
    assert again.recipe == TINY and again.images == run.images
    assert steps(again, 3) == steps(run, 3)


def test_the_first_picture_is_the_fields_own_enlarged(data: RenderedScenes) -> None:
    run = SceneRun(TINY, "cpu")
    run.colours_start()
    generator = run.averaged["generator"]
    views = data.batch(torch.arange(2).numpy())
    styles = generator.styles(run.embedding(views.factors))  # type: ignore[operator]
    made, small, _ = picture(generator, styles, views.pose, random=False)  # type: ignore[arg-type]
    torch.testing.assert_close(made, upsample2d(small))


def test_views_of_one_scene_agree_and_those_of_two_do_not() -> None:
    factors, _ = scenes(torch.from_numpy(sample(3, 7)))
    aside = torch.tensor([[15.0, 0.0]]).expand(3, -1)
    one, two = orbits(factors, -aside, 48), orbits(factors, aside, 48)
    exact = warp_error(one.image, two.image, one, two)
    copied = [
        ((one.image - two.image).abs().mean(dim=1) * head_pixels(two))[k].sum() / head_pixels(two)[k].sum()
        for k in range(3)
    ]
    swapped = warp_error(one.image, two.image.roll(1, dims=0), one, two)
    assert bool((exact < 0.12).all()) and bool((exact < 0.7 * torch.stack(copied)).all())
    assert bool((exact < 0.5 * swapped).all())
