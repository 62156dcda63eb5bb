"""Asked against achieved: absolute values over the middle of a parameter's range, asked of every face, and what the judge reads.

Its readings are calibrated first: on renders whose parameter is spread evenly over its range, reading = a + b·truth is fitted and
undone, for each parameter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch

from ...avatars.drawing.renderer import render
from ...avatars.reading.factor_net import ReadingNet
from ...avatars.world.factors import FACTORS, INDEX
from ...avatars.world.sampling import sample
from ...latent.latent import Latent
from .editors import Editor
from .readings import Array, Readings, pictures, settled, table
from .report import markdown
from .score import Bench

PARAMETERS = (
    "yaw", "pitch", "roll", "light_azimuth", "light_elevation", "smile", "mouth_open", "eye_openness", "gaze_x", "gaze_y",
    "brow_height", "brow_angle",
)  # fmt: skip
READ = 0.85
"""R² of the judge, where a parameter can be seen, from which its figures count."""
MIDDLE, LEVELS = 0.8, 5
"""Share of the range that requests are spread over, and how many."""
FACES = 24
RENDERS, SEED = 800, 8_300_000
SIDE = 64
SLOPE, MISSED = (0.85, 1.15), 0.15
"""What counts as carried out: the slope of reading on request, and the root mean square of what is missed, of the range."""
EYES = 0.35
"""Eye openness from which a gaze can be read."""


@runtime_checkable
class Absolute(Editor, Protocol):
    """An editor that takes values instead of changes."""

    def bring(self, latent: Latent, values: Mapping[str, float]) -> Latent: ...


def calibration(judge: ReadingNet) -> dict[str, tuple[float, float]]:
    """a and b of reading = a + b·truth, by parameter, from renders over the middle of its range."""
    factors = torch.as_tensor(sample(RENDERS, SEED))
    random = torch.Generator().manual_seed(SEED)
    for name in PARAMETERS:
        factor = FACTORS[INDEX[name]]
        even = torch.rand((RENDERS,), generator=random, device="cpu", dtype=torch.float32)
        factors[:, INDEX[name]] = factor.low + (factor.high - factor.low) * even
    drawn = torch.cat([render(part, SIDE, outputs=("image",)).image for part in factors.split(50)])
    read = judge.natural(judge.raw(drawn))
    found = {}
    for name in PARAMETERS:
        truth, ends = factors[:, INDEX[name]].double().numpy(), _ends(name)
        inside = (truth >= ends[0]) & (truth <= ends[1])
        if name.startswith("gaze"):
            inside &= factors[:, INDEX["eye_openness"]].numpy() >= EYES
        b, a = np.polyfit(truth[inside], np.asarray(read[name], np.float64)[inside], 1)
        found[name] = float(a), float(b)
    return found


def measure(bench: Bench, editors: Sequence[Editor], now: Readings, record: dict[str, Any]) -> Iterator[str]:
    """Add what is missing to a record: editor → parameter → figures. All editors that take values, and boundaries.

    Args:
        now: what the factor network reads of the faces, which boundaries were made with.
    """
    lines = calibration(bench.judge)
    record["read"] = {name: float(bench.judge.metadata["visible"][name][1]) for name in PARAMETERS}
    for editor in editors:
        if not isinstance(editor, Absolute) and "boundary" not in editor.name:
            continue
        done = record.setdefault(editor.name, {})
        for name in PARAMETERS:
            if name in done or editor.why_not(name):
                continue
            done[name] = _of(bench, editor, name, now, lines[name])
            yield f"{editor.name}, {name}: slope {done[name]['slope']:.2f}, missed {done[name]['missed']:.3f} of the range"


def _of(bench: Bench, editor: Editor, name: str, now: Readings, line: tuple[float, float]) -> dict[str, float]:
    faces = bench.faces.part(FACES)
    before = {key: values[: len(faces)] for key, values in bench.before.items()}
    low, high = _ends(name)
    factor = FACTORS[INDEX[name]]
    asked: list[Array] = []
    read: list[Array] = []
    others: list[Array] = []
    identity: list[Array] = []
    for value in np.linspace(low, high, LEVELS):
        edited = []
        for latent, there in zip(faces.latents, now[name], strict=False):
            if isinstance(editor, Absolute):
                made = editor.bring(latent, {name: float(value)})
            else:  # changes in σ, from what the factor network reads
                made = editor.edit(latent, {name: (float(value) - float(there)) / bench.deviations[name]})
            edited.append(settled(bench.session, made))
        after = table(bench.judge, bench.judge.raw(pictures(bench.session, edited)))
        seen = np.asarray(after[name], np.float64)
        at = np.asarray(after["eye_openness"] >= EYES) if name.startswith("gaze") else np.ones(len(seen), dtype=bool)
        asked.append(np.full(int(at.sum()), value))
        read.append((seen[at] - line[0]) / line[1])
        others.append(bench.ruler.others(name, before, after))
        identity.append(bench.ruler.identity(name, before, after))
    x, y = np.concatenate(asked), np.concatenate(read)
    return {
        "slope": round(float(np.polyfit(x, y, 1)[0]), 3),
        "missed": round(float(np.sqrt(np.mean((y - x) ** 2)) / (factor.high - factor.low)), 4),
        "others": round(float(np.mean(others)), 3),
        "identity": round(float(np.mean(identity)), 3),
    }


def _ends(name: str) -> tuple[float, float]:
    """Of the middle of a parameter's range."""
    factor = FACTORS[INDEX[name]]
    margin = (1 - MIDDLE) / 2 * (factor.high - factor.low)
    return factor.low + margin, factor.high - margin


def text_of(record: Mapping[str, Any]) -> str:
    """A line for each parameter: slope, what is missed and change of the others of each editor; then what the rig reached."""
    names = [name for name in record if name != "read"]
    if not names:
        return "Not measured yet."
    lines = []
    for parameter in PARAMETERS:
        cells = [parameter, f"{record['read'][parameter]:.2f}"]
        for name in names:
            found = record[name].get(parameter)
            cells.append(
                "–" if found is None
                else f"{found['slope']:.2f} / {100 * found['missed']:.1f} % / {found['others']:.2f} / {found['identity']:.2f}"
            )  # fmt: skip
        lines.append(cells)
    return markdown(["", "read, R²", *names], lines) + "".join(
        f"\n\n{name}: {_verdict(record[name], record['read'])}" for name in names
    )


def _verdict(found: Mapping[str, Any], read: Mapping[str, float]) -> str:
    counted = [name for name in found if read[name] >= READ]
    short = [
        name for name in counted
        if not (SLOPE[0] <= found[name]["slope"] <= SLOPE[1] and found[name]["missed"] <= MISSED)
    ]  # fmt: skip
    words = f"{len(counted) - len(short)} of {len(counted)} parameters that are read with R² ≥ {READ} are carried out"
    return words + (f"; not {', '.join(short)}." if short else ".")
