"""The solid parts of an avatar: head, nose, ears, neck, clothes, hair, hats and beard, placed into the z-buffer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..world.groups import columns
from ..world.rows import by_name
from .geometry import FRAMINGS, Canvas, Frame, Framing, bounds, cluster, ellipsoid, rotation
from .head import DEPTH, HeadShape, head_shape, intersect
from .skeleton import Skeleton, skeleton

PARTS = (
    "background",
    "skin",
    "nose",
    "ears",
    "neck",
    "clothes",
    "collar",
    "hair_back",
    "hair",
    "hat",
    "hat_trim",
    "beard",
    "glasses",
    "torso",
    "sleeve_left",
    "sleeve_right",
    "upper_arm_left",
    "upper_arm_right",
    "forearm_sleeve_left",
    "forearm_sleeve_right",
    "forearm_left",
    "forearm_right",
    "hand_left",
    "hand_right",
    "thumb_left",
    "thumb_right",
    "headphones",
    "earrings",
)
"""Solids, by the numbers of the output "part"; they keep their numbers, new ones come behind. From "torso" to the thumbs they are
of half figures only, whose clothes are torso and sleeves instead of "clothes"; the last ones are of the group "unseen". Left and
right are the picture's."""
PART = {name: i for i, name in enumerate(PARTS)}


@dataclass(frozen=True)
class Scene:
    """One batch of avatars: factor values by name [N], the frames of head and body, and the z-buffer.

    `orbit` is the frame of everything together, light included; None where the camera has not moved.
    """

    values: Mapping[str, Tensor]
    head: Frame
    body: Frame
    shape: HeadShape
    canvas: Canvas
    groups: tuple[str, ...]
    orbit: Frame | None = None
    exact: bool = False  # slopes of the surfaces themselves, not the softened ones that look better in the light
    skeleton: Skeleton | None = None  # of half figures

    @classmethod
    def of(
        cls,
        factors: Tensor,
        size: int,
        groups: Sequence[str],
        orbit: Frame | None = None,
        exact: bool = False,
        framing: Framing = FRAMINGS["head"],
    ) -> Scene:
        """The scene of factors [N, F] on an empty canvas of size x size pixels."""
        v = by_name(factors, groups)
        canvas = Canvas.empty(len(factors), size, factors, framing)
        half = framing == FRAMINGS["half"]
        head, body = frames(v, orbit, half)
        limbs = skeleton(v, body) if half else None
        shape = head_shape(v["face_width"], v["jaw"])
        return cls(v, head, body, shape, canvas, tuple(groups), orbit, exact, limbs)

    def which(self, factor: str, *categories: str) -> Tensor | None:
        """The pictures [n] whose categorical factor is one of `categories`; None when there is none."""
        at = columns(self.groups)
        names = at.factors[at.index[factor]].categories
        index = self.values[factor].round()
        mask = torch.zeros_like(index, dtype=torch.bool)
        for category in categories:
            mask |= index == names.index(category)
        rows = mask.nonzero()[:, 0]
        return rows if len(rows) else None

    def vectors(self, rows: Tensor | None, *parts: Tensor | float) -> Tensor:
        """Stack numbers and [n] tensors to [n, 3]."""
        n = len(self.head.base) if rows is None else len(rows)
        like = self.head.base
        return torch.stack([p.expand(n) if isinstance(p, Tensor) else like.new_full((n,), p) for p in parts], -1)


def frames(v: Mapping[str, Tensor], orbit: Frame | None = None, half: bool = False) -> tuple[Frame, Frame]:
    """The frames of head and body; the body turns a quarter as far as the head, and does not nod or tilt. That of a `half`
    figure also turns, bends and leans by its own factors. An orbit turns both together."""
    own = rotation(v["yaw"] * 0.25, v["pitch"] * 0, v["roll"] * 0)
    if half:
        own = rotation(v["yaw"] * 0.25 + v["body_turn"], -v["body_bend"], v["body_lean"])
    turns = rotation(v["yaw"], v["pitch"], v["roll"]), own
    head, body = turns if orbit is None else (orbit.matrix @ turn for turn in turns)
    return Frame.of(head), Frame.of(body)


def build(scene: Scene) -> None:
    """Place every solid part."""
    _head(scene)
    _torso(scene)
    _beard(scene)
    _hair(scene)
    _hats(scene)


def _head(scene: Scene) -> None:
    canvas, frame, shape = scene.canvas, scene.head, scene.shape
    reach = scene.vectors(None, shape.width * 1.03 + 0.02, 1.02, DEPTH + 0.12)
    window = canvas.window(None, *bounds(frame, torch.zeros_like(reach), reach))
    rounds = 3 if scene.orbit is None else 8  # to a hundredth of a head for 99.6 % of the rays at a pitch of 60 degrees
    canvas.place(window, intersect(canvas, frame, shape, window, rounds), PART["skin"])
    size = scene.values["nose_size"]
    tip = scene.vectors(None, 0.0, -0.25 - 0.02 * size, DEPTH - 0.07 + 0.05 * size)
    radii = (a + b * size for a, b in ((0.095, 0.115), (0.11, 0.1), (0.14, 0.12)))
    window, hit = ellipsoid(canvas, frame, None, tip, scene.vectors(None, *radii))
    if not scene.exact:
        # the nose grows out of the face: slopes turn from the face's to its own over the first bit of height
        rise = ((hit.depth - canvas.read(canvas.depth, window)) * 9).clamp_(0, 1)
        hit = hit._replace(
            slope_x=torch.lerp(canvas.read(canvas.slope_x, window), hit.slope_x, rise),
            slope_y=torch.lerp(canvas.read(canvas.slope_y, window), hit.slope_y, rise),
        )
    canvas.place(window, hit, PART["nose"])
    offset = ear_offset(scene.values, shape)
    for side in (-1.0, 1.0):
        centre = scene.vectors(None, side * offset, -0.1, -0.08)
        window, hit = ellipsoid(canvas, frame, None, centre, scene.vectors(None, 0.11, 0.2, 0.13))
        canvas.place(window, hit, PART["ears"])


def ear_offset(v: Mapping[str, Tensor], shape: HeadShape) -> Tensor:
    """How far out the middle of an ear is, [N]; long hair lies over the ears."""
    style = v["hair_style"].round()
    return shape.width + torch.where((style == 2) | (style == 3), style.new_tensor(-0.06), 0.03)


def _torso(scene: Scene) -> None:
    canvas, frame = scene.canvas, scene.body
    for centre, radii, part in (
        ((0.0, -1.1, -0.2), (0.34, 0.8, 0.34), "neck"),
        ((0.0, -2.17, -0.25), (1.25, 0.93, 0.62), "clothes"),
        ((0.0, -1.31, -0.18), (0.46, 0.15, 0.44), "collar"),
    ):
        if part == "clothes" and scene.skeleton is not None:
            continue  # a half figure has a torso
        window, hit = ellipsoid(canvas, frame, None, scene.vectors(None, *centre), scene.vectors(None, *radii))
        canvas.place(window, hit, PART[part])


def _beard(scene: Scene) -> None:
    rows = scene.which("beard", "full")
    if rows is None:
        return
    canvas, frame, width = scene.canvas, scene.head.rows(rows), scene.shape.width[rows]
    centre = scene.vectors(rows, 0.0, -0.58, 0.1)
    window, hit = ellipsoid(canvas, frame, rows, centre, scene.vectors(rows, width * 0.86, 0.6, 0.78))
    x, y, z = (canvas.local(window, frame, k, hit.depth) for k in range(3))
    opening = scene.values["mouth_open"][rows, None, None]
    mouth = (x / 0.29) ** 2 + ((y + 0.575 + 0.07 * opening) / (0.11 + 0.1 * opening)) ** 2
    line = -0.42 + 0.75 * (x.abs() - 0.34).clamp_(min=0)
    canvas.place(window, hit, PART["beard"], (y < line) & (mouth > 1) & (z > -0.12))


def hairline(scene: Scene, rows: Tensor | None, x: Tensor, z: Tensor) -> Tensor:
    """Lowest local y of the hair cap at local (x, z): forehead, then temple and sideburn, then nape."""
    v = {
        k: (a if rows is None else a[rows])[:, None, None]
        for k, a in scene.values.items()
        if k in ("fringe", "hair_length", "hair_style")
    }
    short = v["hair_style"].round() == 1
    fringe = v["fringe"]
    front = 0.66 - 0.34 * fringe + (0.22 - 0.1 * fringe) * x + 0.02 * (x * 19).sin()
    front = front - 0.3 * (x * x) * (1 - fringe)
    side = torch.where(short, -0.02 - 0.3 * v["hair_length"], torch.full_like(fringe, -0.1))
    forward = ((z - 0.12) * 2.6).clamp(0, 1)
    back = ((0.05 - z) * 3.0).clamp(0, 1)
    line = torch.lerp(side.expand_as(front), front, forward * forward * (3 - 2 * forward))
    style = v["hair_style"].round()
    nape = torch.where((style == 2) | (style == 3), style.new_tensor(-0.62), -0.34)
    return torch.lerp(line, nape.to(line.dtype).expand_as(line), back)


def _hair(scene: Scene) -> None:
    canvas = scene.canvas
    rows = scene.which("hair_style", "short", "bob", "long", "curly", "bun")
    if rows is None:
        return
    frame, width = scene.head.rows(rows), scene.shape.width[rows]
    centre = scene.vectors(rows, 0.0, 0.07, -0.06)
    window, hit = ellipsoid(
        canvas, frame, rows, centre, scene.vectors(rows, width * 1.03 + 0.05, 1.06, 0.96), back=True
    )
    assert hit.back is not None
    # where the front of the cap is cut away, its far side shows: hair is a shell, and no background peeps through
    inner = hit._replace(depth=hit.back)
    x, y, z = (canvas.local(window, frame, k, inner.depth) for k in range(3))
    canvas.place(window, inner, PART["hair_back"], y > hairline(scene, rows, x, z))
    x, y, z = (canvas.local(window, frame, k, hit.depth) for k in range(3))
    canvas.place(window, hit, PART["hair"], y > hairline(scene, rows, x, z))
    _back_hair(scene)
    _top_hair(scene)
    _curls(scene)


def _bareheaded(scene: Scene, rows: Tensor | None) -> Tensor | None:
    """Of these pictures, the ones without a hat."""
    if rows is None:
        return None
    rows = rows[scene.values["hat"][rows].round() == 0]
    return rows if len(rows) else None


def _back_hair(scene: Scene) -> None:
    canvas = scene.canvas
    for style, low, high in (("bob", 0.62, 1.1), ("long", 1.25, 1.95)):
        rows = scene.which("hair_style", style)
        if rows is None:
            continue
        frame, width = scene.head.rows(rows), scene.shape.width[rows]
        end = -(low + (high - low) * scene.values["hair_length"][rows])
        top = 1.0 - 0.5 * (scene.values["hat"][rows] >= 0.5).to(end.dtype)  # stays under a hat
        bulge = 0.15 if style == "bob" else 0.17
        overshoot = 0.25 if style == "bob" else 0.35  # the ellipsoid goes on below the cut, so that the ends are wide
        centre = scene.vectors(rows, 0.0, (top + end - overshoot) / 2, -0.22)
        radii = scene.vectors(rows, width + bulge, (top - end + overshoot) / 2, 0.84)
        window, hit = ellipsoid(canvas, frame, rows, centre, radii)
        x, y = (canvas.local(window, frame, k, hit.depth) for k in range(2))
        tips = end[:, None, None] + 0.05 * (x * 9).sin()
        # the front parts before the neck and chin; behind them is a deeper layer
        parted = x.abs() > 0.42 + 0.16 * (-0.35 - y).clamp(0, 0.6)
        canvas.place(window, hit, PART["hair"], (y > tips) & (parted | (y > 0.2)))
        centre = scene.vectors(rows, 0.0, (top + end - overshoot) / 2, -0.62)
        radii = scene.vectors(rows, width + bulge - 0.06, (top - end + overshoot) / 2, 0.42)
        window, hit = ellipsoid(canvas, frame, rows, centre, radii)
        x, y = (canvas.local(window, frame, k, hit.depth) for k in range(2))
        canvas.place(window, hit, PART["hair_back"], y > end[:, None, None] + 0.05 * (x * 9).sin())


def _top_hair(scene: Scene) -> None:
    canvas = scene.canvas
    rows = _bareheaded(scene, scene.which("hair_style", "short"))
    if rows is not None:
        length = scene.values["hair_length"][rows]
        centre = scene.vectors(rows, 0.08, 0.72, 0.22)
        radii = scene.vectors(rows, scene.shape.width[rows] * 0.84, 0.26 + 0.34 * length, 0.60 + 0.1 * length)
        frame = scene.head.rows(rows)
        window, hit = ellipsoid(canvas, frame, rows, centre, radii)
        x, y, z = (canvas.local(window, frame, k, hit.depth) for k in range(3))
        canvas.place(window, hit, PART["hair"], y > hairline(scene, rows, x, z) + 0.03)
    rows = _bareheaded(scene, scene.which("hair_style", "bun"))
    if rows is not None:
        size = 0.24 + 0.16 * scene.values["hair_length"][rows]
        centre = scene.vectors(rows, 0.0, 1.0 + size * 0.55, -0.12)
        window, hit = ellipsoid(
            canvas, scene.head.rows(rows), rows, centre, scene.vectors(rows, size, size * 0.88, size)
        )
        canvas.place(window, hit, PART["hair"])


def _curl_centres(like: Tensor) -> Tensor:
    """Directions [K, 3] of curls over the head, away from the face: a Fibonacci spiral."""
    points = []
    count = 64
    for i in range(count):
        y = 1 - 2 * (i + 0.5) / count
        angle = i * math.pi * (3 - math.sqrt(5))
        r = math.sqrt(1 - y * y)
        x, z = r * math.cos(angle), r * math.sin(angle)
        if y > -0.45 and (z < 0.05 or y > 0.62 - 0.1 * abs(x)):
            points.append((x, y, z))
    return like.new_tensor(points)


def _curls(scene: Scene) -> None:
    rows = scene.which("hair_style", "curly")
    if rows is None:
        return
    directions = _curl_centres(scene.head.base)
    length = scene.values["hair_length"][rows]
    reach = scene.vectors(rows, scene.shape.width[rows] + 0.03, 0.93, 0.85) * (1 + 0.14 * length[:, None])
    centres = directions * reach[:, None] + directions.new_tensor((0.0, 0.03, -0.06))
    radii = (0.215 + 0.1 * length)[:, None].expand(-1, len(directions))
    hatted = (scene.values["hat"][rows] >= 0.5)[:, None] & (directions[:, 1] > 0.25)
    window, hit = cluster(scene.canvas, scene.head.rows(rows), rows, centres, radii.masked_fill(hatted, -1.0))
    if not scene.exact:
        hit = hit._replace(slope_x=hit.slope_x * 0.7, slope_y=hit.slope_y * 0.7)  # soft locks, not billiard balls
    scene.canvas.place(window, hit, PART["hair"])


def _hats(scene: Scene) -> None:
    canvas = scene.canvas

    def solid(
        rows: Tensor,
        centre: tuple[float, ...],
        radii: tuple[Tensor | float, ...],
        part: str,
        low: float = -9.0,
        high: float = 9.0,
        tilt: float = 0.0,
    ) -> None:
        frame = scene.head.rows(rows)
        window, hit = ellipsoid(canvas, frame, rows, scene.vectors(rows, *centre), scene.vectors(rows, *radii))
        keep = None
        if low > -9:
            y, z = (canvas.local(window, frame, k, hit.depth) for k in (1, 2))
            height = y.addcmul_(z, z.new_tensor(-tilt))
            keep = (height > low) & (height < high)
        canvas.place(window, hit, PART[part], keep)

    rows = scene.which("hat", "cap")
    if rows is not None:
        width = scene.shape.width[rows]
        solid(rows, (0.0, 0.14, -0.04), (width * 1.03 + 0.13, 1.08, 1.0), "hat", 0.36, 9.0, 0.1)
        solid(rows, (0.0, 0.40, 0.74), (width * 0.92, 0.11, 0.72), "hat_trim")
        solid(rows, (0.0, 1.22, -0.04), (0.09, 0.05, 0.09), "hat_trim")
    rows = scene.which("hat", "beanie")
    if rows is not None:
        width = scene.shape.width[rows]
        solid(rows, (0.0, 0.16, -0.05), (width * 1.03 + 0.13, 1.12, 1.0), "hat", 0.34, 9.0, 0.12)
        solid(rows, (0.0, 0.16, -0.05), (width * 1.03 + 0.19, 1.2, 1.06), "hat_trim", 0.34, 0.6, 0.12)
        solid(rows, (0.0, 1.31, -0.05), (0.19, 0.17, 0.19), "hat_trim")
