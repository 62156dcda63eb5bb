"""From a generator to its rig: faces drawn and read, a reader of codes, the rows that act, RigNet, and its gains."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ... import domain
from ...core import files
from ...jobs import Job, Progress, Work, part
from ...session.session import GeneratorSession
from ..flow.attributes import ODDS, Attributes, of_readings
from ..flow.fitting import chosen_columns, from_table, what_reads
from ..flow.pairs import Read, collect, pictures_read
from ..flow.rows import find_rows
from ..kept import keep, place, resume
from .core import RigCore, Whitening
from .network import RigNet
from .training import BATCH, READING, Asking, Trainer, errors_of, fit_reader, train, weights_of

CONTROLS: dict[str, tuple[str, ...]] = {
    "pose": ("yaw", "pitch", "roll"),
    "expression": ("smile", "mouth_open", "eye_openness", "gaze_x", "gaze_y", "brow_height", "brow_angle"),
    "light": ("light_azimuth", "light_elevation"),
}
"""The groups of the paper, by the names that readers of faces give to their parameters."""
SAMPLES, STEPS = 6_000, 2_000
LATENT, HIDDEN = 32, (64,)
FACES, LEVELS = 16, 5
"""Faces and requests of each that gains are measured with."""
TRUSTED = (0.5, 2.0)
"""Between these a gain is believed."""


def fit(
    session: GeneratorSession,
    *,
    reader: domain.Reader | Read | None = None,
    table: tuple[ArrayLike, Mapping[str, ArrayLike]] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    samples: int = SAMPLES,
    steps: int = STEPS,
    reading: int = READING,
    latent: int = LATENT,
    hidden: Sequence[int] = HIDDEN,
    seed: int = 0,
    faces_seed: int | None = None,
    folder: Path | None = None,
) -> Job[tuple[RigCore, dict[str, Any]]]:
    """Make a rig for a generator.

    Args:
        reader: what reads the parameters: a `domain.Reader`, or any function pictures [N, C, H, W] → numbers [N, A] whose
            names are those in `groups`, in order. None: the reader of the generator's domain.
        table: instead of a reader, codes w [N, w_dim] and labels [N] by name. All rows then count alike, and nothing is
            calibrated by pictures.
        groups: names of the parameters by group, such as {"pose": ("yaw", "pitch")}. None: those of `CONTROLS` that are read;
            where there are none, each by itself.
        samples: faces to learn from.
        steps: of training of RigNet; reading: of the reader of codes.
        latent: numbers of each row's encoding.
        hidden: widths of the decoder's hidden layers; () for linear rows, whose change is the same for all faces.
        seed: of the training.
        faces_seed: of the faces to learn from; None: `seed`.
        folder: where partial work is kept; None: a folder of the cache, by generator and settings.

    Returns:
        The rig, and what its file will say of it.

    Raises:
        ValueError: nothing can be read (no domain, no reader, no table), or what is given does not fit.
    """
    faces_seed = seed if faces_seed is None else faces_seed
    given = [name for members in (groups or {}).values() for name in members]
    if folder is None and table is None and (reader is None or (isinstance(reader, domain.Reader) and reader.key)):
        folder = _own_folder(session, samples, faces_seed, reader)
    read: Read | None = None
    about_readings: dict[str, Any] = {}
    if table is not None:
        w, readings, columns = from_table(table, session.w_dim)
    else:
        read, columns, about_readings, _ = what_reads(session, reader, given or None)
        columns = columns or tuple(given)
        w, readings = yield from part(collect.steps(session, read, samples, faces_seed, place(folder, "pairs.npz")))
        if len(columns) != readings.shape[1]:
            raise ValueError(f"{readings.shape[1]} numbers are read of a picture; {len(columns)} names were given")
    groups = groups_of(columns) if groups is None else groups
    shown = [name for members in groups.values() for name in members]
    attributes, seen = of_readings(columns, readings, shown=shown, groups=groups, **about_readings)
    whitening = Whitening.fitted(torch.tensor(w, dtype=torch.float32, device="cpu"))
    codes = whitening(torch.tensor(w, dtype=torch.float32, device="cpu"))
    labels = torch.tensor(seen, dtype=torch.float32, device="cpu")
    held = max(len(codes) // 20, 1)
    found = yield from part(fit_reader.steps(codes, labels, held, steps=reading, seed=seed))
    errors = errors_of(found, codes[:held], labels[:held])
    shares = torch.full((session.num_ws, len(attributes)), 1 / session.num_ws, dtype=torch.float32, device="cpu")
    if read is not None:
        read = chosen_columns(read, [columns.index(entry.name) for entry in attributes])
        at = [columns.index(entry.name) for entry in attributes]
        deviations = np.maximum(readings[:, at].std(axis=0), 1e-9)
        shares = yield from part(find_rows.steps(session, read, deviations, seed + 1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = RigNet(
            session.num_ws,
            session.w_dim,
            len(attributes.shown),
            latent=latent,
            groups=len(groups),
            decoder_hidden=hidden,
        )
    trainer = Trainer(
        net, codes[held:], found, _asking(attributes, groups, weights_of(errors), shares), steps=steps, seed=seed
    )
    kept = place(folder, "training.safetensors")
    signature = {"w": list(codes.shape), "sum": float(labels.double().sum()), "groups": {n: list(m) for n, m in groups.items()},
                 "net": [latent, *hidden], "steps": steps, "reading": reading, "seed": seed}  # fmt: skip
    resume(trainer, kept, signature)
    trained = yield from part(train.steps(trainer, lambda now: keep(now, kept, signature)))
    core = RigCore(trained, found, attributes, whitening, shares)
    core.to(session.device)
    if read is not None:
        core.gains.copy_((yield from part(gains.steps(session, core, read, seed + 2))))
    known = domain.of(session)
    about = {
        "name": session.name,
        "w": session.fingerprint("w"),
        "domain": None if known is None or reader is not None or table is not None else known.stamp(readings=True),
        "licence": session.metadata.get("licence", ""),
        "samples": len(codes),
        "seed": faces_seed,
        "training": {"steps": steps, "reading": reading, "seed": seed, "latent": latent, "hidden": list(hidden)},
        "reader": {n: round(1 - float(e) ** 2, 3) for n, e in zip(attributes.names, errors, strict=True)},
    }
    return core, about


def groups_of(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The groups of `CONTROLS` as far as they are read; where nothing of them is, each reading by itself."""
    found = {group: tuple(name for name in members if name in names) for group, members in CONTROLS.items()}
    known = {group: members for group, members in found.items() if members}
    return known or {name: (name,) for name in names if ":" not in name}


@Work
def gains(session: GeneratorSession, core: RigCore, read: Read, seed: int = 0) -> Job[Tensor]:
    """What wanted changes must be multiplied by so that pictures show them, [P]: 1 over the slope of what the reader of
    pictures sees change on what was asked for, over the middle 80 % of each range, of faces by chance.

    Args:
        read: pictures → readings [N, A] in the order of the core's attributes.
        seed: of the faces.
    """
    ws = session.sample_w(FACES, seed)[:, None].expand(-1, session.num_ws, -1)
    before = core.read(ws)
    shown = _seen(core.attributes, pictures_read(session, read, ws)).to(before.device)
    found = []
    for i, entry in enumerate(core.attributes.shown):
        asked, done = [], []
        for step in np.linspace(0.1, 0.9, LEVELS):
            value = entry.low + float(step) * (entry.high - entry.low)
            target = core.attributes.natural(before)
            target[:, i] = value
            edited = core.edited(ws, {entry.name: value})
            after = _seen(core.attributes, pictures_read(session, read, edited)).to(before.device)
            asked.append(core.attributes.seen(target)[:, i] - before[:, i])
            done.append(after[:, i] - shown[:, i])
        x, y = torch.cat(asked), torch.cat(done)
        slope = float((x * y).sum() / x.square().sum().clamp_min(1e-9))
        found.append(min(max(1 / max(slope, 1e-3), TRUSTED[0]), TRUSTED[1]))
        yield Progress(i + 1, len(core.attributes.shown), "calibrating requests")
    return torch.tensor(found, dtype=torch.float32, device="cpu")


def seconds(session: GeneratorSession) -> float:
    """About how long `fit` with no settings takes here, by a trial of a few pictures and one step."""
    known = domain.of(session)
    reader = known.reader() if known is not None and known.reader is not None else None
    w = session.sample_w(4, 0)
    began = time.perf_counter()
    pictures_read(session, reader or (lambda pictures: pictures.mean((1, 2, 3))), w)
    picture = (time.perf_counter() - began) / len(w)
    net = RigNet(session.num_ws, session.w_dim, 12, latent=LATENT, groups=3, decoder_hidden=HIDDEN)
    ws, p, label = (
        torch.zeros(size, dtype=torch.float32, device="cpu")
        for size in ((BATCH, session.num_ws, session.w_dim), (BATCH, 12), (BATCH, 3))
    )
    began = time.perf_counter()
    net.change(ws, p, p, label).sum().backward()  # type: ignore[no-untyped-call]
    step = time.perf_counter() - began
    return (SAMPLES + 34 * session.num_ws + 12 * FACES * LEVELS) * picture + (STEPS * 2.5 + READING * 0.4) * step


def _seen(attributes: Attributes, readings: np.ndarray[Any, Any]) -> Tensor:
    """Readings [N, A] of a reader of pictures, whose chances are log-odds, as networks see them."""
    found = torch.tensor(readings, dtype=torch.float32, device="cpu")
    chance = torch.tensor([entry.chance for entry in attributes], dtype=torch.bool, device="cpu")
    return attributes.seen(torch.where(chance, torch.sigmoid(found.clamp(-ODDS, ODDS)), found))


def _asking(attributes: Attributes, groups: Mapping[str, Sequence[str]], weights: Tensor, shares: Tensor) -> Asking:
    count = len(attributes.shown)
    ends = attributes.natural(torch.zeros((2, len(attributes)), dtype=torch.float32, device="cpu"))
    for i, entry in enumerate(attributes.shown):
        ends[0, i], ends[1, i] = (entry.check(entry.low), entry.check(entry.high))
    low, high = attributes.seen(ends)[:, :count]
    names = attributes.names
    places = [[names.index(name) for name in members if name in names] for members in groups.values()]
    return Asking([each for each in places if each], low, high, weights, shares / shares.sum(dim=0))


# -- partial work ----------------------------------------------------------------------------------------------------------
def _own_folder(session: GeneratorSession, *settings: object) -> Path:
    samples, faces_seed, reader = settings
    key = reader.key if isinstance(reader, domain.Reader) else ""
    text = json.dumps([session.fingerprint(), samples, faces_seed, key])
    return files.cache_folder() / "rig" / hashlib.sha256(text.encode()).hexdigest()[:16]
