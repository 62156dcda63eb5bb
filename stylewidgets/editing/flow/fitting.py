"""From a generator to its flow: faces drawn and read, a reader of codes, the rows that act, and the training."""

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
from ...jobs import Job, part
from ...session.session import GeneratorSession
from ..kept import keep, place, resume
from .attributes import Floats, of_readings
from .core import FlowCore
from .network import ConditionalFlow
from .pairs import Read, collect, pictures_read
from .reader import STEPS as READER_STEPS
from .reader import fit_reader, r_squared
from .rows import find_rows
from .training import BATCH, Trainer, train

SAMPLES, MATCHING, LIKELIHOOD = 4_000, 1_500, 0
HIDDEN = (208, 208, 208)


def fit(
    session: GeneratorSession,
    *,
    reader: domain.Reader | Read | None = None,
    table: tuple[ArrayLike, Mapping[str, ArrayLike]] | None = None,
    names: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    samples: int = SAMPLES,
    matching: int = MATCHING,
    likelihood: int = LIKELIHOOD,
    reading: int = READER_STEPS,
    hidden: Sequence[int] = HIDDEN,
    seed: int = 0,
    faces_seed: int | None = None,
    folder: Path | None = None,
) -> Job[tuple[FlowCore, dict[str, Any]]]:
    """Make a flow for a generator.

    Args:
        reader: what reads the attributes: a `domain.Reader`, or any function pictures [N, C, H, W] → numbers [N, A]. None: the
            reader of the generator's domain.
        table: instead of a reader, codes w [N, w_dim] and labels [N] by name.
        names: of the attributes that can be asked for, first those to be shown first; of a function the names of its numbers,
            which are all shown. None: all that are numbers or chances of "any".
        groups: names of attributes that belong together, by group.
        samples: faces to learn from.
        matching, likelihood: steps of training, see `training.Trainer`.
        reading: steps of training for the reader of codes.
        hidden: widths of the flow's hidden layers.
        seed: of the training.
        faces_seed: of the faces to learn from; None: `seed`.
        folder: where partial work is kept; None: a folder of the cache, by generator and settings.

    Returns:
        The flow, and what its file will say of it.

    Raises:
        ValueError: nothing can be read (no domain, no reader, no table), or what is given does not fit.
    """
    faces_seed = seed if faces_seed is None else faces_seed
    if folder is None:
        folder = _own_folder(session, names, samples, faces_seed, reader, table)
    read: Read | None = None
    if table is not None:
        w, readings, columns = from_table(table, session.w_dim)
        about_readings: dict[str, Any] = {}
        shown = list(columns) if names is None else list(names)
    else:
        read, columns, about_readings, chosen = what_reads(session, reader, names)
        w, readings = yield from part(collect.steps(session, read, samples, faces_seed, place(folder, "pairs.npz")))
        shown = chosen
        if not columns:
            columns = tuple(names or ([f"reading {i}" for i in range(readings.shape[1])]))
            shown = list(columns)
        if len(columns) != readings.shape[1]:
            raise ValueError(f"{readings.shape[1]} numbers are read of a picture; {len(columns)} names were given")
    attributes, seen = of_readings(columns, readings, shown=shown, groups=groups, **about_readings)
    codes, values = _tensor(w), _tensor(seen)
    tested = max(len(codes) // 20, 1)
    found = yield from part(fit_reader.steps(codes[:-tested], values[:-tested], steps=reading, seed=seed))
    scores = r_squared(found, codes[-tested:], values[-tested:])
    shares = None
    if read is not None:
        at = [columns.index(entry.name) for entry in attributes]
        ordered: Read = chosen_columns(read, at)
        deviations = np.maximum(readings[:, at].std(axis=0), 1e-9)
        shares = yield from part(find_rows.steps(session, ordered, deviations, seed + 1))
    trainer = Trainer(codes, values, hidden=tuple(hidden), matching=matching, likelihood=likelihood, seed=seed)
    kept = place(folder, "training.safetensors")
    signature = {"w": list(codes.shape), "attributes": list(attributes.names), "sum": float(codes.double().sum()),
                 "hidden": list(hidden), "steps": [matching, likelihood], "seed": seed}  # fmt: skip
    resume(trainer, kept, signature)
    trained = yield from part(train.steps(trainer, lambda now: keep(now, kept, signature)))
    moments = torch.cat([values.mean(dim=0, keepdim=True), torch.cov(values.T)])
    known = domain.of(session)
    about = {
        "name": session.name,
        "w": session.fingerprint("w"),
        "domain": None if known is None or reader is not None or table is not None else known.stamp(readings=True),
        "licence": session.metadata.get("licence", ""),
        "samples": len(codes),
        "seed": faces_seed,
        "training": {"matching": trained.steps[0], "likelihood": trained.steps[1], "seed": seed},
        "surprise": {"flow": trained.surprise, "linear conditional Gaussian": trained.plain},
        "reader": {name: round(float(score), 3) for name, score in zip(attributes.names, scores, strict=True)},
    }
    core = FlowCore(trained.network, attributes, found, shares, moments)
    core.to(session.device)
    return core, about


def seconds(session: GeneratorSession) -> float:
    """About how long `fit` with no settings takes here, by a trial of a few pictures and one step."""
    known = domain.of(session)
    reader = known.reader() if known is not None and known.reader is not None else None
    w = session.sample_w(4, 0)
    began = time.perf_counter()
    pictures_read(session, reader or (lambda pictures: pictures.mean((1, 2, 3))), w)
    picture = (time.perf_counter() - began) / len(w)
    network = ConditionalFlow(session.w_dim, HIDDEN, 20)
    x, a = (torch.zeros((BATCH, n), dtype=torch.float32, device="cpu") for n in (session.w_dim, 20))
    began = time.perf_counter()
    network.velocity.given(a)(x.new_zeros(()), x).sum().backward()  # type: ignore[no-untyped-call]
    step = time.perf_counter() - began
    return SAMPLES * picture + (MATCHING * 1.5 + READER_STEPS * 0.3) * step


# -- what there is to learn from -------------------------------------------------------------------------------------------
def what_reads(
    session: GeneratorSession, reader: domain.Reader | Read | None, names: Sequence[str] | None
) -> tuple[Read, tuple[str, ...], dict[str, Any], list[str]]:
    """A function, names of its columns (() where it does not say), what is known of these, and those to be shown."""
    known = domain.of(session)
    if reader is None:
        if known is None or known.reader is None:
            raise ValueError(
                "nothing reads attributes of this generator's pictures: give reader=, a function pictures → numbers with "
                "names=, or table=(w, labels by name); or register a domain with a reader"
            )
        reader = known.reader()
    if not isinstance(reader, domain.Reader):
        return reader, (), {}, list(names or ())
    of_categories = {
        name for name, group in zip(reader.names, reader.attributes, strict=True)
        if any(other.startswith(f"{group}: ") for other in reader.names)
    }  # fmt: skip
    world = known.world() if known is not None and known.world is not None else None
    bounds = {name: world.bounds(name) for name in reader.names} if world is not None else {}
    limits = {name: pair for name, pair in bounds.items() if pair is not None}
    shown = list(names) if names is not None else [
        name for name, group in zip(reader.names, reader.attributes, strict=True) if name == group
    ]  # fmt: skip
    return reader, reader.names, {"units": reader.units, "chances": of_categories, "limits": limits}, shown


def from_table(table: tuple[ArrayLike, Mapping[str, ArrayLike]], w_dim: int) -> tuple[Floats, Floats, tuple[str, ...]]:
    codes, labels = np.asarray(table[0], np.float32), table[1]
    columns = [np.asarray(column, np.float32) for column in labels.values()]
    if codes.ndim != 2 or codes.shape[1] != w_dim:
        raise ValueError(f"codes of a table are w [N, {w_dim}]; {list(codes.shape)} was given")
    if not columns or any(column.shape != (len(codes),) for column in columns):
        raise ValueError(f"a table has a column of {len(codes)} labels for each name, as many as codes")
    values = np.stack(columns, axis=1)
    if not np.isfinite(values).all() or not np.isfinite(codes).all():
        raise ValueError("codes and labels of a table are finite numbers")
    return codes, values, tuple(labels)


def chosen_columns(read: Read, at: list[int]) -> Read:
    def chosen(pictures: Tensor) -> object:
        found = read(pictures)
        array = found.detach().cpu().numpy() if isinstance(found, Tensor) else np.asarray(found)
        return (array[:, None] if array.ndim == 1 else array)[:, at]

    return chosen


# -- partial work ----------------------------------------------------------------------------------------------------------
def _own_folder(session: GeneratorSession, *settings: object) -> Path | None:
    """A folder of the cache; None where a function or a table was given, which nobody can tell from another."""
    names, samples, faces_seed, reader, table = settings
    if table is not None or not (reader is None or (isinstance(reader, domain.Reader) and reader.key)):
        return None
    key = reader.key if isinstance(reader, domain.Reader) else ""
    text = json.dumps([session.fingerprint(), names, samples, faces_seed, key], default=str)
    return files.cache_folder() / "flow" / hashlib.sha256(text.encode()).hexdigest()[:16]


def _tensor(array: Floats) -> Tensor:
    return torch.tensor(array, dtype=torch.float32, device="cpu")
