"""Depth, normals, surface coordinates, camera, landmarks and gradients of the avatar world agree with one another."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from stylewidgets.avatars import (
    FACTORS,
    INDEX,
    LANDMARKS,
    OUTPUTS,
    REGIONS,
    Camera,
    Render,
    body_uv,
    defaults,
    head_uv,
    render,
    sample,
)
from stylewidgets.avatars.drawing.renderer import _Job, draw
from stylewidgets.training.data import region_weights


def face(**values: float | str) -> Tensor:
    row = torch.from_numpy(defaults())
    for name, value in values.items():
        factor = FACTORS[INDEX[name]]
        row[0, INDEX[name]] = factor.categories.index(value) if isinstance(value, str) else value
    return row


def pixels(x: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns of the pixels that positions [..., 2] lie in."""
    return x[..., 1].floor().long(), x[..., 0].floor().long()


def labelled(made: Render, region: str) -> Tensor:
    return made.segmentation == REGIONS.index(region)


@pytest.fixture(scope="module")
def many() -> Render:
    return render(torch.from_numpy(sample(12, seed=3)), 96, outputs=OUTPUTS)


def test_only_what_is_asked_for_is_there_and_the_error_says_how_to_ask() -> None:
    made = render(face(), 32)
    assert made.names == ("image", "segmentation", "landmarks") and len(list(made)) == 3
    with pytest.raises(AttributeError, match="outputs="):
        _ = made.depth
    assert render(face(), 32, outputs=("uv",)).names == ("uv",)
    with pytest.raises(ValueError, match="did you mean 'normals'"):
        render(face(), 32, outputs=("normal",))


def test_asking_for_more_does_not_change_the_pictures(many: Render) -> None:
    plain = render(torch.from_numpy(sample(12, seed=3)), 96)
    assert torch.equal(plain.image, many.image) and torch.equal(plain.segmentation, many.segmentation)
    assert torch.equal(plain.landmarks, many.landmarks)


def test_no_factors_give_empty_truth() -> None:
    made = render(torch.zeros(0, len(FACTORS)), 16, outputs=OUTPUTS)
    assert made.depth.shape == (0, 16, 16) and made.uv.shape == (0, 2, 16, 16) and made.camera.head.shape == (0, 4, 4)


def test_depth_is_infinite_exactly_where_nothing_is_seen(many: Render) -> None:
    nothing = labelled(many, "background")
    seen = many.depth.isfinite()
    assert (
        seen == nothing
    ).float().mean() < 0.01  # edges: a pixel's label is of most rays, its depth of the middle one
    assert many.depth[seen].min() > 2 and many.depth[seen].max() < 6
    assert torch.equal(many.normals.square().sum(1) > 0, seen) and torch.equal(many.uv[:, 0] >= 0, seen)


def test_normals_are_unit_and_face_the_viewer(many: Render) -> None:
    length = many.normals.norm(dim=1)
    assert torch.allclose(length[many.depth.isfinite()], torch.tensor(1.0), atol=1e-5)
    assert (many.normals[:, 2] >= 0).all()


def test_normals_are_the_slopes_of_depth() -> None:
    made = render(torch.from_numpy(sample(10, seed=5)), 192, outputs=("depth", "normals", "camera"))
    size = 1 / float(made.camera.pixels[0, 0, 0])
    d, n = made.depth, made.normals
    right, left, down, up = d[:, 1:-1, 2:], d[:, 1:-1, :-2], d[:, 2:, 1:-1], d[:, :-2, 1:-1]
    here = d[:, 1:-1, 1:-1]
    bend = torch.maximum((right + left - 2 * here).abs(), (up + down - 2 * here).abs())
    smooth = bend < 0.2 * size  # a surface and not an edge
    slopes = torch.stack([(right - left) / (2 * size), (up - down) / (2 * size), torch.ones_like(here)], 1)
    cosine = (torch.nn.functional.normalize(slopes, dim=1) * n[:, :, 1:-1, 1:-1]).sum(1)[smooth]
    assert smooth.float().mean() > 0.3
    assert cosine.quantile(0.01) > 0.995 and cosine.median() > 0.9999


def test_a_pixel_and_its_depth_lie_on_the_surface_that_uv_names(many: Render) -> None:
    rows, columns = torch.meshgrid(torch.arange(96) + 0.5, torch.arange(96) + 0.5, indexing="ij")
    place = torch.stack([columns.expand_as(many.depth), rows.expand_as(many.depth), many.depth], 3).flatten(1, 2)
    head = many.camera.unproject(place)
    body = Camera(many.camera.body, many.camera.body, many.camera.pixels).unproject(place)
    uv = many.uv.flatten(2).transpose(1, 2)
    for points, chart, part in (
        (head, head_uv, (uv[..., 0] >= 0) & (uv[..., 1] < 0.745)),
        (body, body_uv, uv[..., 1] > 0.755),
    ):
        assert part.any() and (chart(points[part]) - uv[part]).abs().max() < 1e-4


def test_every_landmark_has_a_name_and_the_first_six_keep_their_places() -> None:
    assert LANDMARKS[:6] == ("eye_left", "eye_right", "nose_tip", "mouth_left", "mouth_right", "chin")
    assert len(LANDMARKS) >= 20 and len(set(LANDMARKS)) == len(LANDMARKS)


def test_the_camera_brings_the_points_to_the_landmarks(many: Render) -> None:
    projected = many.camera.project(many.points)
    assert torch.equal(projected[..., :2], many.landmarks)
    columns = torch.cat([many.points, torch.ones_like(many.points[..., :1])], 2)
    by_hand = columns @ (many.camera.pixels @ many.camera.head).transpose(1, 2)
    assert torch.allclose(by_hand[..., :3], projected, atol=1e-4) and torch.equal(
        by_hand[..., 3], torch.ones(12, len(LANDMARKS))
    )
    assert torch.allclose(many.camera.unproject(projected), many.points, atol=1e-4)


def test_the_camera_turns_without_stretching(many: Render) -> None:
    turn = many.camera.head[:, :3, :3]
    assert torch.allclose(turn @ turn.transpose(1, 2), torch.eye(3).expand(12, 3, 3), atol=1e-5)
    assert torch.allclose(torch.linalg.det(turn), torch.ones(12), atol=1e-5)


PAINTED = [
    k
    for k, name in enumerate(LANDMARKS)
    if name.startswith(("eye", "pupil", "lid", "brow", "forehead", "lip", "mouth"))
]


@pytest.mark.parametrize("pose", [{}, {"yaw": 20.0}, {"yaw": -25.0, "pitch": 10.0}, {"pitch": -12.0, "roll": 8.0}])
def test_landmarks_lie_on_the_surface_and_keep_their_uv_when_the_head_turns(pose: dict[str, float]) -> None:
    made = render(face(hair_style="bald", **pose), 256, outputs=OUTPUTS)
    y, x = pixels(made.landmarks[0, PAINTED])
    depth = made.camera.project(made.points)[0, PAINTED, 2]
    visible = (made.depth[0, y, x] - depth).abs() < 0.02
    assert visible.sum() >= len(PAINTED) - 6  # some are round the corner of the face
    still = head_uv(render(face(hair_style="bald"), 16, outputs=("points",)).points[0, PAINTED])
    off = (made.uv[0, :, y, x].T - still)[visible].abs().amax(1)
    assert off.max() < 0.012  # about a pixel of this size


def test_landmarks_lie_in_the_regions_that_they_name() -> None:
    made = render(face(hair_style="bald", mouth_open=1.0, eye_openness=1.0, smile=0.4), 256)
    inside = {
        "pupil_left": "eye_left",
        "pupil_right": "eye_right",
        "brow_left_middle": "brows",
        "brow_right_middle": "brows",
        "forehead": "skin",
        "nose_tip": "nose",
    }
    for name, region in inside.items():
        y, x = pixels(made.landmarks[0, LANDMARKS.index(name)])
        assert labelled(made, region)[0, y, x], name
    ends = {
        "lid_left_top": ("eye_left", "up"),
        "lid_right_bottom": ("eye_right", "down"),
        "eye_left_outer": ("eye_left", "left"),
        "eye_right_outer": ("eye_right", "right"),
        "ear_left": ("ears", "left"),
        "ear_right": ("ears", "right"),
        "lip_bottom": ("mouth", "down"),
        "brow_right_outer": ("brows", "right"),
    }
    for name, (region, side) in ends.items():
        ys, xs = labelled(made, region)[0].nonzero().unbind(1)
        x, y = made.landmarks[0, LANDMARKS.index(name)].tolist()
        gap = {"up": ys.min() - y, "down": ys.max() + 1 - y, "left": xs.min() - x, "right": xs.max() + 1 - x}[side]
        assert abs(float(gap)) < 6, name


def test_an_open_mouth_shows_its_inside_between_the_lips_and_a_closed_one_does_not() -> None:
    made = render(face(mouth_open=0.9), 128)
    inner, lips = labelled(made, "mouth_inner")[0], labelled(made, "mouth")[0]
    assert inner.sum() > 40 and lips.sum() > 40
    top, bottom = (made.landmarks[0, LANDMARKS.index(n), 1] for n in ("mouth_top", "mouth_bottom"))
    rows = inner.nonzero()[:, 0]
    assert rows.min() >= top - 2 and rows.max() <= bottom + 2
    assert not labelled(render(face(mouth_open=0.0), 128), "mouth_inner").any()


def test_both_parts_of_the_mouth_count_alike_in_training() -> None:
    weights = region_weights()
    assert len(weights) == len(REGIONS)
    assert weights[REGIONS.index("mouth_inner")] == weights[REGIONS.index("mouth")] == 8


def test_glasses_stand_before_the_face_and_their_lenses_are_clear() -> None:
    bare, worn = (render(face(glasses=kind), 128, outputs=("depth", "segmentation")) for kind in ("none", "square"))
    nearer = (bare.depth - worn.depth) > 0.01
    rim = labelled(worn, "glasses")
    assert nearer.sum() > 60 and (rim & nearer).sum() > 0.8 * nearer.sum()
    lens = labelled(worn, "eye_left")
    assert torch.equal(bare.depth[lens & ~nearer], worn.depth[lens & ~nearer])


# gradients

SHADING = (
    "light_azimuth",
    "light_elevation",
    "skin_tone",
    "hair_lightness",
    "blush",
    "lip_colour",
    "clothes_lightness",
    "background_lightness",
    "background_hue",
    "hair_hue",
    "iris_hue",
    "clothes_hue",
)
SHAPE = (
    "smile",
    "mouth_open",
    "eye_openness",
    "eye_size",
    "gaze_x",
    "gaze_y",
    "brow_height",
    "brow_angle",
    "brow_thickness",
)


def base() -> Tensor:
    return face(
        hair_style="long",
        hair_hue=33.0,
        skin_tone=0.3,
        smile=0.3,
        mouth_open=0.5,
        yaw=8.0,
        pitch=3.0,
        blush=0.5,
        light_azimuth=-30.0,
        fringe=0.2,
        gaze_x=0.1,
        eye_openness=0.7,
    ).double()


def derivative(name: str, job: _Job, step: float) -> Tensor:
    """Central difference of the outputs in 64 bits."""
    plus, minus = base(), base()
    plus[0, INDEX[name]] += step
    minus[0, INDEX[name]] -= step
    return (draw(plus, job)[0] - draw(minus, job)[0]) / (2 * step)


def test_a_differentiable_render_is_the_same_picture() -> None:
    f = torch.from_numpy(sample(5, seed=8))
    plain = render(f, 32, outputs=OUTPUTS)
    made = render(f.requires_grad_(), 32, outputs=OUTPUTS, grad=True)
    assert made.image.requires_grad and not made.segmentation.requires_grad
    for name in ("image", "segmentation", "depth", "normals", "uv", "landmarks"):
        assert torch.equal(getattr(made, name), getattr(plain, name)), name


@pytest.mark.slow
def test_every_gradient_is_finite_and_categories_get_none() -> None:
    f = torch.from_numpy(sample(4, seed=9)).requires_grad_()
    made = render(f, 24, outputs=OUTPUTS, grad=True)
    seen = made.depth.isfinite()
    total = made.image.mean() + made.depth[seen].mean() + made.normals.mean() + made.uv.mean() + made.landmarks.mean()
    (gradient,) = torch.autograd.grad(total, f)
    assert gradient.isfinite().all()
    for i, factor in enumerate(FACTORS):
        assert (gradient[:, i] == 0).all() == (factor.kind == "categorical"), factor.name


def autograd(weight: Tensor, job: _Job) -> Tensor:
    """Gradient of the weighted sum of the first output, [F], in 64 bits by the backward pass of `render`."""
    from stylewidgets.avatars.drawing.renderer import _Draw

    f = base().requires_grad_()
    (gradient,) = torch.autograd.grad((_Draw.apply(f, job)[0] * weight).sum(), f)
    return gradient[0]


def test_gradients_of_light_and_colours_are_those_of_differences() -> None:
    job = _Job(48, 2, ("image",))
    weight = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gradient = autograd(weight, job)
    for name in SHADING:
        expected = (derivative(name, job, 1e-5) * weight).sum()
        assert gradient[INDEX[name]] == pytest.approx(float(expected), rel=1e-4, abs=1e-6), name


def test_gradients_of_what_is_painted_are_those_of_differences() -> None:
    job = _Job(48, 2, ("image",))
    weight = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    gradient = autograd(weight, job)
    for name in SHAPE:
        expected = (derivative(name, job, 1e-6) * weight).sum()
        assert gradient[INDEX[name]] == pytest.approx(float(expected), rel=2e-3, abs=1e-4), name


@pytest.mark.parametrize("name", ["yaw", "pitch", "roll", "face_width", "jaw"])
def test_gradients_of_pose_and_shape_are_those_of_differences_inside_surfaces(name: str) -> None:
    job = _Job(48, 1, ("image",))
    slope = derivative(name, job, 1e-6)
    inside = (slope.abs().amax(1, keepdim=True) < 5).double()  # no outline swept over the pixel within the step
    weight = inside * torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    assert inside.mean() > 0.9
    assert autograd(weight, job)[INDEX[name]] == pytest.approx(float((slope * weight).sum()), rel=5e-3, abs=1e-3)


def test_a_skin_tone_is_found_again_by_following_the_gradient() -> None:
    wanted = render(face(skin_tone=0.5), 16, supersample=1).image
    tone, rates = torch.tensor(0.3), (0.1, 0.1, 0.03, 0.03, 0.01)
    for rate in rates:
        row = face()
        row[0, INDEX["skin_tone"]] = tone
        row.requires_grad_()
        (render(row, 16, supersample=1, outputs=("image",), grad=True).image - wanted).square().mean().backward()
        assert row.grad is not None
        tone = tone - rate * row.grad[0, INDEX["skin_tone"]].sign()
    assert float(tone) == pytest.approx(0.5, abs=0.05)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_cpu_and_cuda_draw_the_same_picture() -> None:
    f = torch.from_numpy(sample(16, seed=11))
    here, there = (render(f.to(device), 128, outputs=("image", "depth")) for device in ("cpu", "cuda"))
    off = (here.image - there.image.cpu()).abs().amax(1)
    assert (off > 2 * 2 / 255).float().mean() < 5e-4  # an outline may fall on the other side of a ray
    assert off.median() < 1e-4
