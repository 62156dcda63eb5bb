"""How good a scene generator of avatars is, each figure beside what the renders themselves would get."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...avatars import INDEX, render, sample
from ...avatars.reading.factor_net import FactorRegressor
from ...avatars.world.dataset import to_uint8
from ...generators.stylenerf import StyleNeRF
from ...metrics import frechet, look, precision_recall
from ...session.session import GeneratorSession
from ..world import FactorEmbedding, LatentWorld
from .data import scenes
from .warp import TRUTH, head_pixels, orbits, warp_error

HELD_OUT = 4_000_003
"""Seed of avatars that no training has seen."""
YAWS = (0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0)
APART = 20.0
"""Degrees to each side between which views are compared."""
BESIDE = "avatar-64"
"""Whose yaw direction turns heads, for comparison."""


class Held(NamedTuple):
    """Avatars kept out of training that look ahead: factors [N, F], the camera's pose [N, 2], and w [N, w_dim] as a generator
    has them."""

    factors: Tensor
    pose: Tensor
    w: Tensor


def of_factors(embedding: FactorEmbedding, count: int) -> Held:
    """Through the paired mapping, from their true factors."""
    factors, pose = scenes(torch.from_numpy(sample(count, HELD_OUT)))
    with torch.no_grad():
        return Held(factors, pose, embedding(factors))


def of_latents(session: GeneratorSession, world: LatentWorld, count: int, seed: int) -> Held:
    """From z that training has not seen, which the world gives factors."""
    z = torch.from_numpy(np.random.RandomState(seed).randn(count, session.z_dim).astype(np.float32))
    factors, pose = scenes(world.factors(z))
    with torch.no_grad():
        return Held(factors, pose, session.generator.map(z)[:, 0])


def in_pieces(draw: Callable[[slice], Tensor], count: int, size: int = 16) -> Tensor:
    """Tensors [N, …] made a piece at a time."""
    with torch.no_grad():
        return torch.cat([draw(slice(i, min(i + size, count))) for i in range(0, count, size)])


def pictures(generator: StyleNeRF, w: Tensor, pose: Tensor) -> Tensor:
    """Pictures [N, 3, H, W] of w [N, w_dim] for cameras of `pose` [N, 2], through 8 bits."""

    def draw(rows: slice) -> Tensor:
        with generator.posed(torch.nn.functional.pad(pose[rows], (0, 1))):
            return eight_bits(generator.synthesize(w[rows]))

    return in_pieces(draw, len(w))


def eight_bits(images: Tensor) -> Tensor:
    """Pictures as they are shown."""
    return to_uint8(images).float() / 127.5 - 1


def geometry(generator: StyleNeRF, held: Held) -> dict[str, float]:
    """Depth and silhouette against the truth, at the picture's own size.

    Returns:
        "correlation": of depth inside the head, mean over pictures; "error": mean absolute, in head units (half the height of a
        head); "error, shift allowed": after the mean difference of each picture was taken off; "iou": of the silhouettes;
        "floor": the correlation that the mean head of these avatars would get in the same poses.
    """
    side = generator.resolution
    truth = orbits(held.factors, held.pose, side)
    mean = torch.zeros_like(held.w) + held.w.mean(dim=0)

    def depths(w: Tensor) -> Callable[[slice], Tensor]:
        def draw(rows: slice) -> Tensor:
            with generator.posed(torch.nn.functional.pad(held.pose[rows], (0, 1))):
                return torch.cat(generator.depth(w[rows], side), dim=1)

        return draw

    found = in_pieces(depths(held.w), len(held.w))
    average = in_pieces(depths(mean), len(held.w))
    on_head, solid = head_pixels(truth), truth.depth.isfinite()
    rows: dict[str, list[float]] = {
        name: [] for name in ("correlation", "error", "error, shift allowed", "iou", "floor")
    }
    for k, mask in enumerate(on_head):
        true, made, same = truth.depth[k][mask], found[k, 0][mask], average[k, 0][mask]
        opaque = found[k, 1] > 0.5
        difference = made - true
        rows["correlation"].append(_correlation(made, true))
        rows["floor"].append(_correlation(same, true))
        rows["error"].append(float(difference.abs().mean()))
        rows["error, shift allowed"].append(float((difference - difference.mean()).abs().mean()))
        rows["iou"].append(float((opaque & solid[k]).sum() / (opaque | solid[k]).sum()))
    return {name: float(np.mean(values)) for name, values in rows.items()}


def _correlation(a: Tensor, b: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a, b]))[0, 1])


def views(generator: StyleNeRF, held: Held) -> dict[str, float]:
    """Warp error between ± `APART` degrees on the head, of 2: of the generator, of the renders, and how much more that is."""
    side, aside = generator.resolution, torch.zeros_like(held.pose)
    aside[:, 0] = APART
    truth = [orbits(held.factors, pose, side) for pose in (-aside, aside)]
    made = [pictures(generator, held.w, pose) for pose in (-aside, aside)]
    own = float(warp_error(made[0], made[1], truth[0], truth[1]).mean())
    floor = float(warp_error(eight_bits(truth[0].image), eight_bits(truth[1].image), truth[0], truth[1]).mean())
    return {"error": own, "floor": floor, "excess": own - floor}


def views_by_direction(
    session: GeneratorSession, world: LatentWorld, net: FactorRegressor, count: int, seed: int
) -> dict[str, float]:
    """The same for a generator that turns heads by its yaw direction: each w goes along it until ± `APART` degrees are read.

    Its world is the avatars': the body turns by a quarter and the light stays with the camera, and the floor is that of its
    renders.
    """
    z = torch.from_numpy(np.random.RandomState(seed).randn(count, session.z_dim).astype(np.float32))
    factors = world.factors(z)
    factors[:, [INDEX["pitch"], INDEX["roll"]]] = 0.0
    with torch.no_grad():
        w = session.generator.map(z)
    direction = session.tensor(session.directions["yaw"].vector).reshape(-1, session.w_dim)

    def read(strength: Tensor) -> tuple[Tensor, Tensor]:
        images = in_pieces(
            lambda rows: eight_bits(session.synthesize(w[rows] + strength[rows, None, None] * direction)), count
        )
        return images, torch.from_numpy(net.natural(look(net, images).raw)["yaw"])

    made, truth, reached = [], [], []
    for target in (-APART, APART):
        low, high = z.new_full((count,), -12.0), z.new_full((count,), 12.0)
        for _ in range(9):
            middle = (low + high) / 2
            images, yaw = read(middle)
            low, high = torch.where(yaw < target, middle, low), torch.where(yaw < target, high, middle)
        images, yaw = read((low + high) / 2)
        turned = factors.clone()
        turned[:, INDEX["yaw"]] = target
        made.append(images)
        truth.append(render(turned, session.resolution, outputs=TRUTH))
        reached.append(float((yaw - target).abs().mean()))
    own = float(warp_error(made[0], made[1], truth[0], truth[1]).mean())
    floor = float(warp_error(eight_bits(truth[0].image), eight_bits(truth[1].image), truth[0], truth[1]).mean())
    return {"error": own, "floor": floor, "excess": own - floor, "read yaw off by": max(reached)}


def poses(generator: StyleNeRF, held: Held, net: FactorRegressor) -> dict[str, dict[str, float]]:
    """Asked against read pose: slope, correlation and root of the mean square difference in degrees, beside those of renders."""
    images = {
        "generator": pictures(generator, held.w, held.pose),
        "renders": eight_bits(render(held.factors, generator.resolution, outputs=("image",), orbit=held.pose).image),
    }
    result: dict[str, dict[str, float]] = {}
    for name, drawn in images.items():
        read = net.natural(look(net, drawn).raw)
        for k, angle in enumerate(("yaw", "pitch")):
            asked = held.pose[:, k].double().numpy()
            slope = float(np.polyfit(asked, read[angle].astype(np.float64), 1)[0])
            result.setdefault(angle, {}).update(
                {
                    f"slope, {name}": slope,
                    f"correlation, {name}": float(np.corrcoef(asked, read[angle])[0, 1]),
                    f"rmse, {name}": float(np.sqrt(np.square(read[angle] - asked).mean())),
                }
            )
    return result


def by_angle(generator: StyleNeRF, held: Held) -> dict[str, dict[str, float]]:
    """Peak signal to noise in dB against the exact view, and depth correlation, by yaw: training had up to 35 degrees."""
    result = {}
    for yaw in YAWS:
        pose = torch.zeros_like(held.pose)
        pose[::2, 0], pose[1::2, 0] = yaw, -yaw
        turned = held._replace(pose=pose)
        truth = eight_bits(render(held.factors, generator.resolution, outputs=("image",), orbit=pose).image)
        error = (pictures(generator, held.w, pose) - truth).square().mean(dim=(1, 2, 3))
        result[f"{yaw:g}"] = {
            "psnr": float((10 * torch.log10(4 / error)).mean()),
            "correlation": geometry(generator, turned)["correlation"],
        }
    return result


def distances(
    session: GeneratorSession, world: LatentWorld, net: FactorRegressor, count: int, seed: int
) -> dict[str, Any]:
    """Fréchet distance, precision and recall of samples from z against renders, each beside that of other renders."""
    seen = {}
    for k, name in enumerate(("renders", "floor", "samples"), 1001):
        held = of_latents(session, world, count, k + 10 * seed)
        if name == "samples":
            images = pictures(session.generator, held.w, held.pose)  # type: ignore[arg-type]
        else:
            images = eight_bits(render(held.factors, session.resolution, outputs=("image",), orbit=held.pose).image)
        seen[name] = look(net, images)
    result: dict[str, Any] = {"frechet": {}, "precision": {}, "recall": {}}
    for name in ("samples", "floor"):
        pair = seen["renders"].features, seen[name].features
        result["frechet"][name] = frechet(*pair)
        result["precision"][name], result["recall"][name] = precision_recall(*pair)
    return result
