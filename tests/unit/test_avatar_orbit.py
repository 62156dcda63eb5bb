"""Orbits of avatars: the camera moves, and everything else stands still."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from stylewidgets.avatars import INDEX, OUTPUTS, PARTS, REGIONS, Camera, Render, defaults, render, sample

SIZE = 96
SEEN = ("image", "depth", "camera", "part")


def still(count: int, seed: int) -> Tensor:
    """Avatars without glasses: clear lenses are drawn on what is behind them, which is another place from every side."""
    factors = torch.from_numpy(sample(count, seed=seed))
    factors[:, INDEX["glasses"]] = 0
    return factors


def warped(source: Render, target: Render) -> tuple[Tensor, Tensor]:
    """The source's picture as the target's camera sees it, by depth and cameras alone, and where both see one point."""
    n, size, _ = target.depth.shape
    line = torch.arange(size, dtype=torch.float32) + 0.5
    y, x = torch.meshgrid(line, line, indexing="ij")
    there = target.depth.isfinite()
    places = torch.stack([x.expand_as(there), y.expand_as(there), target.depth.nan_to_num(posinf=0.0)], 3).flatten(1, 2)

    def through(part: str) -> Tensor:
        before, after = (Camera(getattr(r.camera, part), r.camera.body, r.camera.pixels) for r in (source, target))
        return before.project(after.unproject(places))

    on_body = torch.isin(target.part, torch.tensor([PARTS.index(p) for p in ("neck", "clothes", "collar")]))
    found = torch.where(on_body.flatten(1)[..., None], through("body"), through("head")).view(n, size, size, 3)
    grid = found[..., :2] / size * 2 - 1

    def looked_up(values: Tensor, mode: str) -> Tensor:
        return torch.nn.functional.grid_sample(values, grid, mode=mode, padding_mode="border", align_corners=False)

    depth = looked_up(source.depth.nan_to_num(posinf=99.0)[:, None], "nearest")[:, 0]
    part = looked_up(source.part[:, None].float(), "nearest")[:, 0]
    both = there & (part == target.part) & ((depth - found[..., 2]).abs() < 0.05) & (grid.abs() < 0.98).all(3)
    return looked_up(source.image, "bilinear"), both


def test_no_orbit_draws_every_bit_that_was_drawn_before() -> None:
    factors = torch.from_numpy(sample(6, seed=3))
    plain, home = render(factors, 48, outputs=OUTPUTS), render(factors, 48, outputs=OUTPUTS, orbit=(0.0, 0.0))
    mixed = render(
        factors, 48, outputs=OUTPUTS, orbit=torch.tensor([[0.0, 0.0]] * 2 + [[25.0, 5.0]] + [[0.0, 0.0]] * 3)
    )
    for name in OUTPUTS:
        if name != "camera":
            assert torch.equal(getattr(plain, name), getattr(home, name)), name
            for i in (0, 1, 3, 4, 5):
                assert torch.equal(getattr(plain, name)[i], getattr(mixed, name)[i]), name
    assert not torch.equal(plain.image[2], mixed.image[2])


def test_orbits_of_a_batch_are_those_of_its_avatars_alone() -> None:
    factors, orbits = torch.from_numpy(sample(3, seed=8)), torch.tensor([[-40.0, 10.0], [170.0, -20.0], [15.0, 0.0]])
    together = render(factors, 48, outputs=OUTPUTS, orbit=orbits)
    for i in range(3):
        alone = render(factors[i : i + 1], 48, outputs=OUTPUTS, orbit=(float(orbits[i, 0]), float(orbits[i, 1])))
        for name in ("depth", "uv", "part", "segmentation", "landmarks"):
            assert torch.allclose(getattr(together, name)[i], getattr(alone, name)[0], atol=1e-4), name


def test_the_head_is_where_its_factors_would_turn_it() -> None:
    faces = torch.from_numpy(defaults(2))
    turned = faces.clone()
    turned[:, INDEX["yaw"]], turned[:, INDEX["pitch"]] = 20.0, 8.0
    orbited, posed = (
        render(f, SIZE, outputs=OUTPUTS, orbit=o) for f, o in ((faces, (20.0, 8.0)), (turned, (0.0, 0.0)))
    )
    assert torch.allclose(orbited.camera.head, posed.camera.head, atol=1e-6)
    assert torch.allclose(orbited.landmarks, posed.landmarks, atol=1e-3)
    head = (posed.part == orbited.part) & (posed.part == PARTS.index("skin"))
    assert head.sum() > 500 and (posed.depth - orbited.depth)[head].abs().max() < 0.02
    assert torch.allclose(orbited.camera.body[:, :3, :3], orbited.camera.head[:, :3, :3], atol=1e-6)
    assert not torch.allclose(posed.camera.body[:, :3, :3], posed.camera.head[:, :3, :3], atol=1e-2)


def test_two_orbits_show_one_scene_and_two_poses_do_not() -> None:
    factors = still(16, seed=11)
    spread = torch.tensor([30.0, 12.0])
    random = torch.Generator().manual_seed(0)
    here, there = ((torch.rand(16, 2, generator=random) * 2 - 1) * spread for _ in range(2))
    picture, both = warped(*(render(factors, SIZE, outputs=SEEN, orbit=o) for o in (here, there)))
    target = render(factors, SIZE, outputs=SEEN, orbit=there)
    off = (picture - target.image).abs().mean(1)[both]
    assert both.sum() > 0.75 * target.depth.isfinite().sum()
    assert off.mean() < 0.04 and off.median() < 0.004  # what two look-ups with straight lines cost at outlines

    def posed(angles: Tensor) -> Render:
        rows = factors.clone()
        rows[:, INDEX["yaw"]], rows[:, INDEX["pitch"]] = angles[:, 0], angles[:, 1]
        return render(rows, SIZE, outputs=SEEN)

    picture, both = warped(posed(here), posed(there))
    before = (picture - posed(there).image).abs().mean(1)[both]
    assert before.mean() > 1.8 * off.mean() and before.median() > 8 * off.median()


def test_the_error_between_views_is_of_pixels_and_goes_away_with_their_size() -> None:
    factors = still(3, seed=2)
    errors = []
    for size in (64, 256):
        views = [render(factors, size, outputs=SEEN, orbit=o) for o in ((-15.0, 5.0), (20.0, -6.0))]
        picture, both = warped(*views)
        errors.append((picture - views[1].image).abs().mean(1)[both])
    assert errors[1].mean() < 0.6 * errors[0].mean() and errors[1].median() < 0.001


def test_the_truth_of_an_orbit_agrees_with_itself() -> None:
    made = render(torch.from_numpy(sample(6, seed=4)), SIZE, outputs=OUTPUTS, orbit=(-130.0, 25.0))
    seen = made.depth.isfinite()
    assert made.image.isfinite().all() and made.normals.isfinite().all()
    assert torch.equal(seen, made.part > 0) and torch.equal(made.uv[:, 0] >= 0, seen)
    assert torch.allclose(made.camera.project(made.points)[..., :2], made.landmarks, atol=1e-4)


@pytest.mark.parametrize("orbit", [(90.0, 0.0), (-90.0, 0.0), (180.0, 0.0), (0.0, 60.0), (0.0, -60.0), (90.0, 60.0)])
def test_no_angle_breaks_the_drawing(orbit: tuple[float, float]) -> None:
    made = render(torch.from_numpy(sample(8, seed=6)), 48, outputs=OUTPUTS, orbit=orbit)
    assert made.image.isfinite().all() and made.uv.isfinite().all() and made.depth[made.part > 0].isfinite().all()
    assert (made.part > 0).float().mean() > 0.15


def test_the_back_of_a_head_has_no_face() -> None:
    back = render(torch.from_numpy(defaults()), 64, outputs=("segmentation",), orbit=(180.0, 0.0)).segmentation
    painted = {REGIONS.index(r) for r in ("eye_left", "eye_right", "brows", "mouth", "nose")}
    assert not painted & set(back.unique().tolist())


def test_rims_of_glasses_are_seen_before_the_backdrop() -> None:
    face = torch.from_numpy(defaults())
    face[0, INDEX["glasses"]] = 1
    made = render(face, 128, outputs=("segmentation", "part", "image"), orbit=(75.0, 0.0))
    rim = (made.segmentation == REGIONS.index("glasses")) & (made.part == PARTS.index("glasses"))
    assert rim.sum() > 30 and made.image.mean(1)[rim].median() < -0.2  # dark, as frames are


def test_part_tells_what_stands_in_front() -> None:
    made = render(torch.from_numpy(sample(6, seed=3)), 64, outputs=("part", "segmentation", "depth"))
    assert (
        made.part.dtype == torch.uint8 and int(made.part.max()) < PARTS.index("torso") == 13
    )  # the rest are of bodies
    agree = (made.part == PARTS.index("clothes")) == (made.segmentation == REGIONS.index("clothes"))
    assert agree[made.part != PARTS.index("collar")].float().mean() > 0.99
    assert torch.equal(made.part > 0, made.depth.isfinite())


def test_gradients_of_an_orbited_picture_are_there() -> None:
    factors = torch.from_numpy(sample(2, seed=9)).requires_grad_()
    orbit = torch.tensor([[20.0, 5.0], [0.0, 0.0]])
    made = render(factors, 24, outputs=("image", "part"), grad=True, orbit=orbit)
    assert torch.equal(made.image, render(factors.detach(), 24, orbit=orbit).image)
    (gradient,) = torch.autograd.grad(made.image.square().mean(), factors)
    assert gradient.isfinite().all() and bool(gradient.any(1).all())


@pytest.mark.parametrize(
    ("orbit", "words"),
    [
        ((10.0,), r"an orbit is \(yaw, pitch\) for all pictures or a tensor \[2, 2\]"),
        (torch.zeros(3, 2), r"got the shape \[3, 2\]"),
        ((190.0, 0.0), "yaw is -180 to 180"),
        ((0.0, 61.0), "pitch -60 to 60"),
        ((float("nan"), 0.0), "yaw is -180 to 180"),
    ],
)
def test_bad_orbits_say_what_is_accepted(orbit: tuple[float, ...] | Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        render(torch.from_numpy(defaults(2)), 16, orbit=orbit)  # type: ignore[arg-type]
