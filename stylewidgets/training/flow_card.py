"""The model card of a flow: what it was made of, and what it does to faces that it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ..editing.flow import Flow
from ..editing.flow.attributes import Attribute

FACES = 8
STEP = 1.5
"""Standard deviations that an attribute is asked to move, away from the side where it is."""


class Moved(NamedTuple):
    """What edits of one attribute did, as the reader of codes has it: the share of what was asked for (median), the mean
    distance from it and the mean change of the other shown attributes, in standard deviations."""

    share: float
    missed: float
    others: float


def card(flow: Flow, path: Path, command: str, faces: int = FACES) -> str:
    """Markdown. Edits are measured on faces of another seed.

    Args:
        command: that makes the same flow again.
    """
    about, core = flow.about, flow.core
    session = flow.session
    w = session.sample_w(faces, about.get("seed", 0) + 7)
    rows = []
    for entry in core.attributes.shown:
        plain, corrected = (_moved(flow, entry, w, corrections) for corrections in (0, 2))
        rows.append(
            f"| {entry.name} | {entry.unit or '–'} | {entry.low:g} to {entry.high:g} | {about['reader'][entry.name]:.2f} | "
            f"{plain.share:.2f} | {plain.missed:.2f} | {corrected.share:.2f} | {corrected.missed:.2f} | {corrected.others:.2f} |"
        )
    table = "\n".join(rows)
    training, surprise = about["training"], about["surprise"]
    held = len(core.attributes) - len(core.attributes.shown)
    return f"""# {path.name}

A conditional continuous normalising flow (StyleFlow, Abdal et al., ACM TOG 2021) of the w of {about["name"]}, made from
{about["samples"]:,} generated faces that the domain's reader read: {len(core.attributes.shown)} attributes to ask for, and
{held} more that are only held still. Licence: {about.get("licence") or "that of the generator"}. The whole command:

    {command}

* Network: concat-squash layers {" → ".join(map(str, (core.network.width, *core.network.hidden, core.network.width)))}, context
  of {len(core.attributes)} attributes and t, {sum(p.numel() for p in core.network.parameters()):,} parameters;
  {core.network.steps} fixed steps of RK4, the fewest with which twice as many agree to 1e-4.
* Before it w is whitened: minus its linear expectation given the attributes, along principal axes. A flow that does nothing is
  the linear conditional Gaussian.
* Training: {training["matching"]:,} steps of flow matching, {training["likelihood"]:,} of likelihood. On faces held out, nats per
  number of w: **{surprise["flow"]:.3f}**, the linear conditional Gaussian {surprise["linear conditional Gaussian"]:.3f}.

Single edits of {faces} other faces by {STEP} σ, as the file's own reader of codes reads them (its R² against the reader of
pictures on faces held out is in the table): the median share of what was asked for and the mean distance from it in σ, without
and with two corrections, and the mean change of the other attributes that can be asked for, in σ. What pictures show is measured
by `stylewidgets bench editing`.

| attribute | unit | range | R² of codes | share | missed | share, corrected | missed, corrected | others |
|---|---|---|---|---|---|---|---|---|
{table}
"""


def _moved(flow: Flow, entry: Attribute, w: Tensor, corrections: int) -> Moved:
    core = flow.core
    at = core.attributes.names.index(entry.name)
    shown = [i for i, other in enumerate(core.attributes) if not other.held and i != at]
    shares, missed, others = [], [], []
    for code in w[:, None].expand(-1, flow.session.num_ws, -1):
        before = core.read(code)
        step = STEP if before[at] < 0 else -STEP
        moved = before.clone()
        moved[at] += step
        value = float(core.attributes.natural(moved)[at])
        wanted = entry.check(min(max(value, entry.low), entry.high))
        moved = core.attributes.natural(before)
        moved[at] = wanted
        asked = float(core.attributes.seen(moved)[at] - before[at])
        change = core.read(core.edited(code, {entry.name: wanted}, corrections=corrections)) - before
        if abs(asked) > 0.2:
            shares.append(float(change[at]) / asked)
            missed.append(abs(float(change[at]) - asked))
            others.append(float(change[shown].abs().mean()))
    middle = torch.tensor(shares or [0.0], dtype=torch.float32, device="cpu").median()
    return Moved(float(middle), sum(missed) / max(len(missed), 1), sum(others) / max(len(others), 1))
