"""``stylewidgets train regressor``: trains the factor network on renders and measures it on renders it has not seen."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from tqdm.auto import tqdm

from .factor_net import FactorRegressor, Head, load_regressor, make_heads, save_regressor
from .muon import Muon

__all__ = ["FactorRegressor", "add_arguments", "evaluate", "fit", "load_regressor", "run", "train_regressor"]

Callback = Callable[[int, int], None]
SAVE_EVERY = 30.0  # seconds between checkpoints


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--out", type=Path, default=Path("factor-regressor.safetensors"), help="default %(default)s")
    parser.add_argument("--images", type=int, default=16_000, help="renders to train on (default %(default)s)")
    parser.add_argument("--held-out", type=int, default=1_500, help="renders to measure on (default %(default)s)")
    parser.add_argument("--resolution", type=int, default=64, help="side of the pictures (default %(default)s)")
    parser.add_argument("--epochs", type=int, default=5, help="passes over the renders (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of renders, start and augmentation (default %(default)s)")
    parser.add_argument("--device", default="cpu", help="torch device (default %(default)s)")
    parser.add_argument("--threads", type=int, help="threads of torch (default: as torch decides)")
    parser.add_argument("--checkpoint", type=Path, help="folder of renders and state (default: beside the output)")


def run(args: argparse.Namespace) -> None:
    """Train, measure and write."""
    if args.threads:
        torch.set_num_threads(args.threads)
    train_regressor(
        args.out, images=args.images, held_out=args.held_out, resolution=args.resolution, epochs=args.epochs,
        seed=args.seed, device=args.device, checkpoint=args.checkpoint,
    )


def train_regressor(
    out: str | Path,
    *,
    images: int = 16_000,
    held_out: int = 1_500,
    resolution: int = 64,
    epochs: int = 5,
    batch: int = 32,
    rate: float = 2e-3,
    seed: int = 0,
    device: str = "cpu",
    checkpoint: str | Path | None = None,
    callback: Callback | None = None,
) -> FactorRegressor:
    """Render, train, measure, and write `out` (safetensors, fp16) with a model card `out` with the suffix .md beside it.

    Args:
        out: file to write.
        images, held_out: renders to train on and to measure on; their seeds differ.
        resolution: side of the pictures.
        epochs, batch, rate: passes over the renders, pictures a step, peak learning rate.
        seed: of the renders, the start and the augmentation.
        device: torch device.
        checkpoint: folder for renders and state, by default `out` with the suffix .train. A second call with the same
            settings goes on where the first one stopped.
        callback: callback(step, steps).

    Returns:
        FactorRegressor: the trained network, in eval mode, with `metrics`.
    """
    from ..avatars import FACTORS
    from .data import RenderedAvatars
    from .world import LatentWorld

    out = Path(out)
    folder = Path(checkpoint) if checkpoint is not None else out.with_suffix(".train")
    world = LatentWorld(64, seed=seed).to(device)
    train = RenderedAvatars(folder / "train", images, resolution, world, seed=seed + 1_000_000, device=device)
    test = RenderedAvatars(folder / "test", held_out, resolution, world, seed=seed + 2_000_000, device=device)
    net = FactorRegressor(make_heads(FACTORS), resolution=resolution)
    settings = {"images": images, "resolution": resolution, "epochs": epochs, "batch": batch, "rate": rate, "seed": seed}
    seconds = fit(
        net, train.images, train.factors, epochs=epochs, batch=batch, rate=rate, seed=seed, device=device,
        checkpoint=folder / "state.pt", callback=callback,
    )
    # Measured as it ships: written in fp16, read back, asked about pictures that it has not seen.
    save_regressor(net, out, metrics={}, training={})
    net = load_regressor(out, device)
    net.metrics = evaluate(net, test.images, test.factors)
    net.metadata = {
        **settings, "held_out": held_out, "seconds": round(seconds), "threads": torch.get_num_threads(), "device": device,
        "most_frequent": most_frequent(net.heads, test.factors), "parameters": sum(p.numel() for p in net.parameters()),
    }
    save_regressor(net, out, metrics=net.metrics, training=net.metadata)
    out.with_suffix(".md").write_text(model_card(net), encoding="utf-8")
    return net


def fit(
    net: FactorRegressor,
    images: NDArray[np.uint8],
    factors: NDArray[np.float32],
    *,
    epochs: int = 5,
    batch: int = 32,
    rate: float = 2e-3,
    seed: int = 0,
    device: str = "cpu",
    checkpoint: Path | None = None,
    callback: Callback | None = None,
) -> float:
    """Train `net` in place on pictures uint8 [N, 3, H, W] and factors [N, F] in natural units; returns the seconds.

    Squared error of standardised targets and cross entropy of categories, Muon (vectors and outputs: AdamW), a moving
    average of the weights. With `checkpoint`, a file written twice a minute, the next call goes on from there.
    """
    torch.manual_seed(seed)
    net.heads = tuple(_with_statistics(net.heads, factors))
    targets = encode(net.heads, factors)
    net.to(device, memory_format=torch.channels_last).train()
    steps_per_epoch = max(1, len(images) // batch)
    steps = epochs * steps_per_epoch
    matrices = [p for name, p in net.named_parameters() if p.ndim > 1 and not name.startswith(("out", "direct"))]
    others = [p for p in net.parameters() if all(p is not m for m in matrices)]
    muon, adam = Muon(matrices, lr=10 * rate), torch.optim.AdamW(others, lr=rate, weight_decay=1e-2)
    schedules = [LambdaLR(optimiser, lambda step: _pace(step, steps)) for optimiser in (muon, adam)]
    average = {key: value.detach().clone() for key, value in net.state_dict().items()}
    parts = {"net": net, "muon": muon, "adam": adam, "muon_pace": schedules[0], "adam_pace": schedules[1]}
    start, seconds = _resume(checkpoint, parts, average, steps)
    began = saved = time.monotonic()
    with tqdm(total=steps, initial=start, desc="factor network", unit="step") as bar:
        for step in range(start, steps):
            random = np.random.RandomState((seed * 7919 + step) % 2**32)
            index = np.sort(_epoch_order(len(images), seed, step // steps_per_epoch)[_slice(step, steps_per_epoch, batch)])
            x = torch.from_numpy(images[index]).to(device).float() / 127.5 - 1
            loss = loss_of(net, net(augment(x, random)), targets[torch.from_numpy(index)].to(device))
            net.zero_grad(set_to_none=True)
            loss.backward()
            muon.step()
            adam.step()
            for schedule in schedules:
                schedule.step()
            _update(average, net, min(0.998, (step + 1) / (step + 10)))
            bar.update()
            if step % 20 == 0:
                bar.set_postfix(loss=f"{loss.item():.3f}")
            if callback is not None:
                callback(step + 1, steps)
            if checkpoint is not None and (time.monotonic() - saved > SAVE_EVERY or step + 1 == steps):
                saved = time.monotonic()
                _save(checkpoint, parts, average, step + 1, steps, seconds + saved - began)
    net.load_state_dict(average)
    net.eval()
    return seconds + time.monotonic() - began


def _pace(step: int, steps: int) -> float:
    """Factor of the learning rate: a short rise, a plateau, a long linear fall."""
    t = step / max(steps, 1)
    return min(1.0, (step + 1) / 50, 0.01 + (1 - t) / 0.6)


def loss_of(net: FactorRegressor, raw: Tensor, targets: Tensor) -> Tensor:
    """Sum over factors of the squared error (in target variances) or the cross entropy of a batch."""
    total = raw.new_zeros(())
    for head in net.heads:
        guess, truth = raw[:, head.start : head.stop], targets[:, head.start : head.stop]
        if head.kind == "categorical":
            total = total + F.cross_entropy(guess, truth.argmax(1))
        else:
            total = total + (guess - truth).square().mean()
    return total / len(net.heads)


def augment(x: Tensor, random: np.random.RandomState) -> Tensor:
    """What separates a generator's picture from a render: a shift by a pixel, blur, noise, a little brightness."""
    dx, dy = random.randint(0, 3, size=2)
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")[..., dy : x.shape[-2] + dy, dx : x.shape[-1] + dx]
    if random.rand() < 0.5:
        side = random.uniform(0.05, 0.3)
        kernel = x.new_tensor([side / 2, 1 - side, side / 2])
        x = _separable(x, kernel)
    n = len(x)
    gain = x.new_tensor(random.normal(1.0, 0.03, size=(n, 1, 1, 1)))
    offset = x.new_tensor(random.normal(0.0, 0.03, size=(n, 1, 1, 1)))
    level = x.new_tensor(np.abs(random.normal(0.0, 0.04, size=(n, 1, 1, 1))))
    # Seeded from the step, so that a resumed run sees what an uninterrupted one would have seen.
    generator = torch.Generator(x.device).manual_seed(int(random.randint(2**31 - 1)))
    noise = torch.randn(x.shape, generator=generator, device=x.device)
    return (x * gain + offset + noise * level).clamp(-1, 1)


def encode(heads: Sequence[Head], factors: NDArray[np.float32]) -> Tensor:
    """Training targets [N, outputs]: standardised numbers, standardised (sin, cos), one-hot categories."""
    columns = []
    for i, head in enumerate(heads):
        value = np.asarray(factors[:, i], np.float64)
        if head.kind == "categorical":
            columns.append(np.eye(len(head.categories))[value.round().astype(int)])
            continue
        unit = _unit(head, value)
        columns.append((unit - head.mean) / head.std if head.mean else unit)
    return torch.from_numpy(np.concatenate(columns, axis=1).astype(np.float32))


@torch.inference_mode()
def evaluate(net: FactorRegressor, images: NDArray[np.uint8], factors: NDArray[np.float32]) -> dict[str, float]:
    """R² of each continuous factor, of (sin, cos) of each circular one, and accuracy of each category, by name."""
    raw = torch.cat([net(part.to(net.out.weight.device)) for part in _floats(images)]).cpu()
    truth = encode(net.heads, factors)
    result = {}
    for head in net.heads:
        guess, target = raw[:, head.start : head.stop], truth[:, head.start : head.stop]
        if head.kind == "categorical":
            result[head.name] = float((guess.argmax(1) == target.argmax(1)).float().mean())
        else:
            left = (guess - target).square().sum()
            result[head.name] = float(1 - left / (target - target.mean(0)).square().sum())
    return result


def most_frequent(heads: Sequence[Head], factors: NDArray[np.float32]) -> dict[str, float]:
    """Share of the most frequent category of each categorical factor: the accuracy of always saying the same."""
    return {
        head.name: float(np.bincount(factors[:, i].round().astype(int)).max() / len(factors))
        for i, head in enumerate(heads)
        if head.kind == "categorical"
    }


def model_card(net: FactorRegressor) -> str:
    """The model card in Markdown, from the record in the network."""
    t = net.metadata
    rows = "\n".join(
        f"| {head.name} | R² | {net.metrics[head.name]:.3f} |"
        if head.kind != "categorical"
        else f"| {head.name} | accuracy (always the same: {t['most_frequent'][head.name]:.2f}) | {net.metrics[head.name]:.3f} |"
        for head in net.heads
    )
    command = " ".join(
        f"--{key} {t[key]}" for key in ("images", "resolution", "epochs", "seed", "threads", "device")
    )
    command = f"stylewidgets train regressor {command} --held-out {t['held_out']}"
    return f"""# factor-regressor

Reads the factors of the avatar world from a picture. It labels generated pictures for boundaries, measures edits, and its
feature maps serve as a perceptual distance.

* Network: residual, {t["parameters"]:,} parameters, input {net.resolution} px (other sizes are resized by area), fp16 file.
* Trained on {t["images"]:,} renders of `stylewidgets.avatars` (seed {t["seed"]}), {t["epochs"]} passes, batch {t["batch"]},
  with small shifts, blur, noise and brightness changes, so that it also reads generated pictures.
* Time: {t["seconds"]} s of training after the rendering, on {t["device"]}, threads: {t["threads"]}.
* Command: `{command}`
* Licence: MIT, as the project; made from the project's own renders only.

Measured on {t["held_out"]:,} renders that it has not seen (another seed), without augmentation, in the shipped precision.
R² of a circular factor is that of its sine and cosine together. A factor that cannot be seen in a picture (the hue of
black hair, the hair length under a hat, an iris behind a closed lid) counts too, and limits what is possible.

| factor | measure | held-out |
|---|---|---|
{rows}
"""


def _unit(head: Head, value: NDArray[Any]) -> NDArray[np.float64]:
    """Targets [N, 1] in [-1, 1] or [N, 2] as (sin, cos)."""
    if head.kind == "circular":
        angle = np.deg2rad(value)
        return np.stack([np.sin(angle), np.cos(angle)], axis=1)
    scaled: NDArray[np.float64] = (2 * (value - head.low) / (head.high - head.low) - 1)[:, None]
    return scaled


def _with_statistics(heads: Sequence[Head], factors: NDArray[np.float32]) -> Iterator[Head]:
    for i, head in enumerate(heads):
        if head.kind == "categorical":
            yield head
            continue
        unit = _unit(head, factors[:, i].astype(np.float64))
        # One scale for both axes of a circle: their errors then weigh alike.
        std = np.full(unit.shape[1], max(math.sqrt(float(unit.var(axis=0).mean())), 1e-6))
        yield replace(head, mean=tuple(unit.mean(axis=0).tolist()), std=tuple(std.tolist()))


def _floats(images: NDArray[np.uint8], batch: int = 128) -> Iterator[Tensor]:
    for start in range(0, len(images), batch):
        yield torch.from_numpy(np.array(images[start : start + batch])).float() / 127.5 - 1


def _separable(x: Tensor, kernel: Tensor) -> Tensor:
    channels = x.shape[1]
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    x = F.conv2d(x, kernel.view(1, 1, 1, 3).expand(channels, 1, 1, 3), groups=channels)
    return F.conv2d(x, kernel.view(1, 1, 3, 1).expand(channels, 1, 3, 1), groups=channels)


def _epoch_order(n: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.RandomState((seed * 104729 + epoch) % 2**32).permutation(n)


def _slice(step: int, steps_per_epoch: int, batch: int) -> slice:
    first = step % steps_per_epoch * batch
    return slice(first, first + batch)


@torch.no_grad()
def _update(average: dict[str, Tensor], net: FactorRegressor, decay: float) -> None:
    for key, value in net.state_dict().items():
        if value.is_floating_point():
            average[key].lerp_(value, 1 - decay)
        else:
            average[key].copy_(value)


def _save(
    path: Path, parts: dict[str, Any], average: dict[str, Tensor], step: int, steps: int, seconds: float
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {key: part.state_dict() for key, part in parts.items()}
    partial = path.with_name(path.name + ".part")
    torch.save({**state, "average": average, "step": step, "steps": steps, "seconds": seconds}, partial)
    partial.replace(path)


def _resume(path: Path | None, parts: dict[str, Any], average: dict[str, Tensor], steps: int) -> tuple[int, float]:
    if path is None or not path.exists():
        return 0, 0.0
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["steps"] != steps:
        raise ValueError(
            f"{path} belongs to a run of {state['steps']} steps, this one has {steps}; "
            "use the same settings to go on, or another checkpoint folder to start afresh"
        )
    for key, part in parts.items():
        part.load_state_dict(state[key])
    for key, value in state["average"].items():
        average[key].copy_(value)
    return int(state["step"]), float(state["seconds"])
