"""What no generator has seen: it lies where its label says, turns with the head, and leaves a head without it as it was."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from stylewidgets.avatars import (
    ALL_REGIONS,
    BODY_REGIONS,
    NUM_FACTORS,
    PARTS,
    UNSEEN,
    UNSEEN_FACTORS,
    caption,
    defaults,
    edit_factors,
    render,
    sample,
)
from stylewidgets.avatars.drawing.renderer import Render

SIZE = 64


def face(**change: float | str) -> Tensor:
    """The neutral face, bare-headed, with something added."""
    return edit_factors(torch.from_numpy(defaults(1, UNSEEN)), {"hair_style": "bald", **change}, groups=UNSEEN)


def drawn(rows: Tensor, *outputs: str) -> Render:
    return render(rows, SIZE, outputs=outputs or ("image", "segmentation"), groups=UNSEEN)


def labelled(made: Render, *regions: str) -> Tensor:
    return torch.isin(made.segmentation, torch.tensor([ALL_REGIONS.index(r) for r in regions], dtype=torch.uint8))


def grown(mask: Tensor) -> Tensor:
    """The mask and two pixels around it."""
    return F.max_pool2d(mask.float()[:, None], 5, 1, 2)[:, 0] > 0


def test_without_any_of_it_a_head_is_drawn_to_the_last_bit_as_without_the_group() -> None:
    rows = torch.from_numpy(sample(4, 8, groups=UNSEEN))
    rows[:, NUM_FACTORS:] = torch.from_numpy(defaults(4, UNSEEN))[:, NUM_FACTORS:]
    outputs = ("image", "segmentation", "depth", "uv", "part")
    for one, other in zip(drawn(rows, *outputs), render(rows[:, :NUM_FACTORS], SIZE, outputs=outputs), strict=True):
        assert torch.equal(one, other)  # type: ignore[arg-type]


def test_regions_and_parts_come_behind_those_that_there_were() -> None:
    assert ALL_REGIONS[: len(BODY_REGIONS)] == BODY_REGIONS
    assert PARTS[26:] == ("headphones", "earrings")


@pytest.mark.parametrize(
    ("change", "regions"),
    [
        ({"eye_patch": "left"}, ("eye_patch",)),
        ({"eye_patch": "right"}, ("eye_patch",)),
        ({"face_paint": "stripes"}, ("face_paint",)),
        ({"face_paint": "dots"}, ("face_paint",)),
        ({"face_paint": "half"}, ("face_paint",)),
        ({"scar": "cheek"}, ("scar",)),
        ({"scar": "brow"}, ("scar",)),
        ({"moustache": "handlebar"}, ("moustache",)),
        ({"moustache": "walrus"}, ("moustache",)),
        ({"headphones": "on"}, ("headphones",)),
        ({"earrings": "drops"}, ("earrings",)),
        ({"earrings": "studs"}, ("earrings",)),
        ({"backdrop": "checks"}, ("background",)),
        ({"backdrop": "dots"}, ("background",)),
    ],
)
def test_pixels_change_where_the_label_is_and_nowhere_else(change: dict[str, str], regions: tuple[str, ...]) -> None:
    before, after = drawn(face()), drawn(face(**change))
    moved = (after.image - before.image).abs().amax(1) > 1e-4
    where = labelled(after, *regions)
    assert moved.any() and where.any()
    stray = moved & ~grown(where)  # of dots that the rim foreshortens to less than half a pixel
    assert stray.sum() <= 0.05 * moved.sum()
    assert (moved & where).sum() > 0.4 * where.sum()


@pytest.mark.parametrize(
    ("change", "region", "place"),
    [
        ({"eye_patch": "left"}, "eye_patch", (-0.365, -0.06, 0.75)),
        ({"face_paint": "half"}, "face_paint", (0.2, 0.3, 0.8)),
        ({"scar": "cheek"}, "scar", (0.46, -0.36, 0.66)),
        ({"headphones": "on"}, "headphones", (1.05, -0.1, 0.0)),
    ],
)
def test_the_truth_follows_the_pose(change: dict[str, str], region: str, place: tuple[float, float, float]) -> None:
    """The pixel that the camera projects a head point to has the label, wherever the head turns while it can be seen."""
    poses = [(0.0, 0.0, 0.0), (-25.0, 8.0, 5.0), (10.0, -10.0, -8.0)]
    if region == "headphones":
        poses[1] = (-12.0, 8.0, 5.0)
    rows = torch.cat([face(**change, yaw=yaw, pitch=pitch, roll=roll) for yaw, pitch, roll in poses])
    made = render(rows, 128, outputs=("segmentation", "camera"), groups=UNSEEN)
    x, y = made.camera.project(torch.tensor(place).expand(3, 1, 3))[:, 0, :2].long().unbind(1)
    near = labelled(made, region)
    for k in range(3):
        assert near[k, y[k] - 2 : y[k] + 3, x[k] - 2 : x[k] + 3].any(), poses[k]


def test_a_drawing_in_another_style_keeps_its_truth() -> None:
    shaded, toon, pencil = (drawn(face(drawing=kind)) for kind in ("shaded", "toon", "pencil"))
    assert torch.equal(shaded.segmentation, toon.segmentation) and torch.equal(shaded.segmentation, pencil.segmentation)
    torch.testing.assert_close(pencil.image[:, 0], pencil.image[:, 2])
    skin = labelled(shaded, "skin")
    tones = [len((made.image[:, 0][skin] * 40).round().unique()) for made in (shaded, toon)]
    assert tones[1] < 0.8 * tones[0]
    assert float((toon.image - shaded.image).abs().mean()) > 0.03


def test_solids_are_in_depth_and_parts() -> None:
    before, after = (drawn(face(headphones=kind), "depth", "part", "uv") for kind in ("none", "on"))
    on = after.part == PARTS.index("headphones")
    assert on.sum() > 50 and (after.depth <= before.depth).all()
    assert (after.uv.permute(0, 2, 3, 1)[on] >= 0).all()


def test_gradients_reach_the_head_through_all_of_it() -> None:
    rows = face(
        face_paint="dots", eye_patch="left", moustache="walrus", drawing="toon", backdrop="dots"
    ).requires_grad_()
    render(rows, 32, outputs=("image",), groups=UNSEEN, grad=True).image.sum().backward()
    assert rows.grad is not None and rows.grad.isfinite().all()


def test_captions_say_what_there_is() -> None:
    rows = face(eye_patch="left", drawing="pencil")
    assert "a patch over the left eye" in caption(rows[0], groups=UNSEEN)
    assert "drawn in pencil" in caption(rows[0], 5, groups=UNSEEN)
    assert "patch" not in caption(face()[0], groups=UNSEEN)


def test_most_rows_have_none_of_a_thing_and_every_kind_comes() -> None:
    rows = sample(600, 1, groups=UNSEEN)[:, NUM_FACTORS:]
    for i, factor in enumerate(UNSEEN_FACTORS):
        if factor.categories:
            share = [(rows[:, i] == k).mean() for k in range(len(factor.categories))]
            assert min(share) > 0.03 and share[0] > 0.6
