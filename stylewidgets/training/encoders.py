"""``stylewidgets train encoder psp|e4e|restyle``: the small encoders, from generated pictures with known w and from renders."""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from .. import load
from ..core import files
from ..core.checks import check_finite, unknown_name
from ..core.options import Options
from ..inversion.encoders import small
from ..inversion.losses.perceptual import perceptual
from ..inversion.spaces import spread
from ..jobs import Job, Progress
from ..ops.devices import own_random
from .avatars import drive, falling, rate
from .data import RenderedAvatars
from .losses import discriminator_loss, generator_loss, r1_penalty
from .muon import Together
from .state import adam, matrices_and_rest

SHARED = ("avatar-128", "avatar-64")
"""Bundled generators with one mapping network, which the cards report on."""
WARM = 0.35
"""Share of the pictures in which only the known w teaches: no picture is drawn from what the encoder says."""
WEIGHTS = {"pixels": 1.0, "perceptual": 0.8, "w": 0.3, "delta": 0.03, "adversarial": 0.05}
"""Of the losses. "w", the distance from the known w of generated pictures, is not in the papers: ``--weight w=0`` leaves it out
once an encoder can draw."""
E4E = ("delta", "adversarial")
"""Those of e4e alone."""
PROGRESSIVE = (0.15, 0.6)
"""e4e: shares of the pictures until the second row of w+ may leave the first, and until all may (Tov et al., section 4.1)."""
POOL = 50
"""e4e: how many codes the critic's history holds; half of what it is shown comes from there (Tov et al., section 4.2)."""
FULL_EVERY = 8
"""Every so many steps pictures are drawn in full size, so that the finest rows learn too; else at 64 px."""


OPTIONS: Options = {
    "kind": {"choices": small.KINDS, "help": "psp: w+; e4e: w+ that stays near w; restyle: corrects itself"},
    "--generator": {"help": "a bundled name or a file (default: the best bundled one)"},
    "--out": {"type": Path, "default": Path("runs/encoder"), "help": "folder of the run (default %(default)s)"},
    "--start-from": {"type": Path, "metavar": "FILE", "help": "weights of another encoder to begin with"},
    "--images": {"type": int, "default": 60_000, "help": "pictures to see (default %(default)s)"},
    "--renders": {"type": int, "default": 4000, "help": "size of the pool of renders (default %(default)s)"},
    "--batch": {"type": int, "default": 8, "help": "generated, and as many renders (default %(default)s)"},
    "--rate": {"type": float, "default": 0.01, "help": "of matrices, by Muon (default %(default)s)"},
    "--steps": {"type": int, "default": 3, "help": "corrections of restyle (default %(default)s)"},
    "--weight": {
        "action": "append",
        "default": [],
        "metavar": "NAME=VALUE",
        "help": f"weight of a loss, 0 leaves it out; may be given several times. Usual ones: {WEIGHTS}",
    },
    "--card": {"type": Path, "metavar": "FILE", "help": "train nothing: measure this file and write its card"},
    "--minutes": {"type": float, "help": "stop after this time; the same command goes on later"},
    "--checkpoint-minutes": {"type": float, "default": 3.0, "help": "default %(default)s"},
    "--device": {"default": "cuda" if torch.cuda.is_available() else "cpu", "help": "default %(default)s"},
    "--seed": {"type": int, "default": 0, "help": "default %(default)s"},
}


@own_random()
def run(args: argparse.Namespace) -> None:
    """Train until the pictures are seen, the time is up or the user stops; leaves a checkpoint and weights."""
    if args.card:
        from .encoder_card import card

        generators = (args.generator,) if args.generator else SHARED
        args.card.with_suffix(".md").write_text(card(args.card, generators), encoding="utf-8")
        return
    args.out.mkdir(parents=True, exist_ok=True)
    training = EncoderTraining(args)
    renders = RenderedAvatars(
        args.out / "renders", args.renders, training.session.resolution, seed=args.seed + 1, device=args.device
    )
    batches = renders.batches(args.batch, seed=training.images)

    def job() -> Job[None]:
        while training.images < args.images:
            terms = training.step(next(batches).image)
            yield Progress(training.images, args.images, args.kind, terms)

    drive(job(), args, training.save)
    tqdm.write(f"{args.out}: {training.images} pictures, {training.seconds / 60:.0f} minutes in all")


class EncoderTraining:
    """The state of a run, and one step of it."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.images, self.seconds, self.means = args, 0, 0.0, dict[str, float]()
        self.weights = weights_of(args.weight)
        torch.manual_seed(args.seed)
        self.session = load(args.generator, device=args.device, precision="fp32")
        if args.device == "cpu":
            self.session.generator.synthesis.to(memory_format=torch.channels_last)
        found = spread(self.session)
        shape = small.Shape(args.kind, self.session.num_ws, self.session.w_dim, relative=args.kind == "e4e")
        centre = found.mean.reshape(-1, self.session.w_dim)[0]
        self.net = small.SmallEncoder(shape, centre, float(found.length) / self.session.w_dim**0.5).to(args.device)
        self.before: dict[str, int] = {}
        """Pictures that the weights it began with had seen, by kind."""
        self.freed = False
        """Whether those were an e4e's, whose rows are told apart already."""
        if args.start_from:
            old, about = small.load(args.start_from, args.device)
            widen(self.net, old)
            self.before = {**about.get("before", {})}
            self.before[old.shape.kind] = self.before.get(old.shape.kind, 0) + int(about["images"])
            self.freed = old.shape.relative
        self.average = copy.deepcopy(self.net)
        self.critic = critic(self.session.w_dim).to(args.device)
        self.real, self.encoded = History(), History()
        self.optimisers: dict[str, Together | torch.optim.Optimizer] = {
            "net": matrices_and_rest(self.net, args.rate, 1e-3, 0.9, equalised=False),
            "critic": adam(list(self.critic.parameters()), 1e-3, 0.0),
        }
        self.modules: dict[str, nn.Module] = {"net": self.net, "average": self.average, "critic": self.critic}
        self.measure = perceptual("factors", self.session.device)
        path = args.out / "checkpoint.pt"
        if path.exists():
            state = torch.load(path, weights_only=True)
            for name, module in self.modules.items():
                module.load_state_dict(state[name])
            for name, optimiser in self.optimisers.items():
                optimiser.load_state_dict(state["optimisers"][name])
            self.images, self.seconds = state["images"], state["seconds"]

    def step(self, renders: Tensor) -> dict[str, float]:
        """One step on generated pictures and as many renders; returns running means of the losses."""
        begin = time.perf_counter()
        done = self.images / self.args.images
        for optimiser in self.optimisers.values():
            rate(optimiser, falling(done))
        with torch.no_grad():
            z = torch.randn(len(renders), self.session.z_dim, device=self.args.device, dtype=torch.float32)
            known = self.session.generator.map(z)
            made = self._draw(known, None)
        fresh = self.args.kind == "psp" and not self.args.start_from and self.weights["w"] > 0
        warm = fresh and done < WARM
        images = made if warm else torch.cat([made, renders.to(made.dtype)])
        for losses in self._losses(images, known, warm, done):
            total = torch.stack([self.weights[name] * value for name, value in losses.items()]).sum()
            self.optimisers["net"].zero_grad()
            total.backward()
            self.optimisers["net"].step()
            for name, value in losses.items():
                self.means[name] = self.means.get(name, float(value.detach())) * 0.98 + float(value.detach()) * 0.02
        keep = min(0.998, 0.9 + self.images / 1e5)
        for mine, new in zip(self.average.parameters(), self.net.parameters(), strict=True):
            mine.data.lerp_(new.data, 1 - keep)
        self.images += len(images)
        self.seconds += time.perf_counter() - begin
        return self.means

    def _losses(self, images: Tensor, known: Tensor, warm: bool, done: float) -> Iterator[dict[str, Tensor]]:
        """The losses of one update after the other: one, or for restyle one for each correction."""
        side = None if (self.images // (2 * self.args.batch)) % FULL_EVERY == 0 else small.SIDE
        if self.args.kind != "restyle":
            code = self.net(images)
            tied = self.args.kind == "e4e" and not self.freed
            free = free_rows(done, code.shape[1]) if tied else code.shape[1]
            code = torch.cat([code[:, :free], code[:, :1].expand(-1, code.shape[1] - free, -1)], dim=1)
            losses = {"w": self._w_loss(code, known)} if warm else self._compare(code, images, known, side)
            if self.args.kind == "e4e":
                # The length and not its square, as published: most offsets are to be none at all.
                losses["delta"] = _length((code[:, 1:] - code[:, :1]) / self.net.spread).mean()
                self._teach_critic(known, code[:, :free].detach())
                losses["adversarial"] = generator_loss(self.critic(self._scaled(code[:, :free])))
            yield losses
            return
        code = self.net.centre.expand(len(images), self.net.shape.rows, -1)
        for _ in range(self.args.steps):
            with torch.no_grad():
                drawn = self._draw(code, small.SIDE)
            code = self.net(images, drawn, code.detach())
            yield self._compare(code, images, known, side)

    def _compare(self, code: Tensor, images: Tensor, known: Tensor, side: int | None) -> dict[str, Tensor]:
        drawn = self._draw(code, side)
        wanted = small.pooled(images) if side else images
        with torch.no_grad():
            seen = self.measure.features(wanted)
        return {
            "pixels": (drawn - wanted).square().mean(),
            "perceptual": self.measure.distance(drawn, seen).mean(),
            "w": self._w_loss(code, known),
        }

    def _w_loss(self, code: Tensor, known: Tensor) -> Tensor:
        return ((code[: len(known)] - known) / self.net.spread).square().mean()

    def _draw(self, code: Tensor, side: int | None) -> Tensor:
        return self.session.synthesize(code, exact=True, max_resolution=side)

    def _scaled(self, code: Tensor) -> Tensor:
        return ((code - self.net.centre) / self.net.spread).flatten(0, 1)

    def _teach_critic(self, known: Tensor, code: Tensor) -> None:
        """Real codes against a row by chance of each of the encoder's, both through a history, with R1 (Tov et al. 2021,
        section 4.2)."""
        rows = torch.randint(code.shape[1], (len(code),), device=code.device, dtype=torch.int64)
        chosen = code[torch.arange(len(code), device=code.device, dtype=torch.int64), rows]
        real = self.real.mixed(self._scaled(known[:, :1])).requires_grad_()
        score = self.critic(real)
        loss = discriminator_loss(score, self.critic(self.encoded.mixed(self._scaled(chosen[:, None])))) + r1_penalty(
            score, real
        )
        self.optimisers["critic"].zero_grad()
        loss.backward()
        self.optimisers["critic"].step()

    def save(self) -> None:
        """Checkpoint, and the weights that ship."""
        state: dict[str, Any] = {name: module.state_dict() for name, module in self.modules.items()}
        state |= {
            "optimisers": {k: o.state_dict() for k, o in self.optimisers.items()},
            "images": self.images,
            "seconds": self.seconds,
        }
        with files.writing(self.args.out / "checkpoint.pt") as part:
            torch.save(state, part)
        small.save(
            self.average,
            self.args.out / "encoder.safetensors",
            {
                "w_space": self.session.fingerprint("w"),
                "generator": self.session.name,
                "images": self.images,
                "seconds": round(self.seconds),
                "licence": "MIT",
                "weights": {
                    name: weight
                    for name, weight in self.weights.items()
                    if weight and (self.args.kind == "e4e" or name not in E4E)
                },
                "before": self.before,
                "batch": self.args.batch,
                "rate": self.args.rate,
                "steps": self.args.steps,
            },
        )


def weights_of(given: Sequence[str]) -> dict[str, float]:
    """The weights of the losses with those of NAME=VALUE. ValueError for an unknown name, or a weight below 0."""
    found = dict(WEIGHTS)
    for text in given:
        name, _, value = text.partition("=")
        if name not in WEIGHTS:
            raise unknown_name("loss", name, WEIGHTS)
        try:
            found[name] = check_finite(f"the weight of {name}", float(value), 0, 100)
        except ValueError as error:
            raise ValueError(f"a weight is NAME=VALUE, such as w=0; {text!r} was given ({error})") from None
    return found


class History:
    """Codes that a critic was shown before, so that it does not learn the latest ones only (Shrivastava et al., CVPR 2017)."""

    def __init__(self, size: int = POOL) -> None:
        self.size, self.held = size, list[Tensor]()

    def mixed(self, codes: Tensor) -> Tensor:
        """Codes [N, C], of which about half are exchanged for ones from before; without gradients."""
        shown = []
        for code in codes.detach():
            place = int(torch.randint(2 * self.size, (), dtype=torch.int64, device="cpu"))
            if len(self.held) < self.size:
                self.held.append(code)
            elif place < self.size:
                code, self.held[place] = self.held[place], code
            shown.append(code)
        return torch.stack(shown)


def free_rows(done: float, rows: int) -> int:
    """How many rows of w+ an e4e encoder may tell apart after this share of its pictures: 1 is W, then one more at a time."""
    first, last = PROGRESSIVE
    return 1 + round(min(1.0, max(0.0, (done - first) / (last - first))) * (rows - 1))


def _length(x: Tensor) -> Tensor:
    """Root mean square over the last axis; its slope at 0 is 0."""
    return (x.square().mean(-1) + 1e-8).sqrt()


def critic(w_dim: int) -> nn.Module:
    """w in units of its spread → how much it looks like one of the mapping network."""
    return nn.Sequential(
        nn.Linear(w_dim, 256, dtype=torch.float32, device="cpu"),
        nn.LeakyReLU(0.2),
        nn.Linear(256, 256, dtype=torch.float32, device="cpu"),
        nn.LeakyReLU(0.2),
        nn.Linear(256, 1, dtype=torch.float32, device="cpu"),
    )


def widen(net: small.SmallEncoder, old: small.SmallEncoder) -> None:
    """Take over the weights of another encoder; what it did not see starts at zero, and so do the offsets of e4e."""
    new = net.state_dict()
    for name, value in old.state_dict().items():
        if new[name].shape == value.shape:
            new[name] = value.clone()
        elif name == "stem.weight":
            new[name] = torch.zeros_like(new[name])
            new[name][:, : value.shape[1]] = value
    if net.shape.relative and not old.shape.relative:
        for name in (name for name in new if name.startswith("heads.")):
            new[name][net.shape.w_dim if name.startswith("heads.0.") else 0 :] = 0
    net.load_state_dict(new)
