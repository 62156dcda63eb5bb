"""The model card of a rig: what it was made of, and what its edits do as its own reader of codes has it."""

from __future__ import annotations

from pathlib import Path

import torch

from ...editing.rig import Rig

FACES = 32


def card(rig: Rig, path: Path, command: str) -> str:
    """Markdown. Edits are measured on faces of another seed.

    Args:
        command: that makes the same rig again.
    """
    about, core = rig.about, rig.core
    training = about["training"]
    rows = "\n".join(_line(rig, i) for i in range(len(rig.names)))
    held = len(core.attributes) - len(rig.names)
    sizes = " and ".join(" → ".join(map(str, part.sizes)) for part in (core.net.encoder, core.net.decoder))
    return f"""# {path.name}

A rig (StyleRig, Tewari et al., CVPR 2020) of the w of {about["name"]}: {len(rig.names)} parameters in {len(rig.groups)} groups
({", ".join(rig.groups)}), and {held} more readings that are held still. Made from {about["samples"]:,} generated faces that the
domain's reader read. Licence: {about.get("licence") or "that of the generator"}. The whole command:

    {command}

* RigNet: {core.net.rows} rows, each {sizes}, {sum(p.numel() for p in core.net.parameters()):,} parameters in all; {training["steps"]:,} steps.
* Reader of codes: three layers with ELU on each row, {sum(p.numel() for p in core.reader.parameters()):,} parameters; R² against the
  reader of pictures on faces held out is in the table.
* Gains: what a wanted change is multiplied by, so that pictures show it; measured with the reader of pictures on other faces.

Edits of {FACES} faces of another seed, each parameter alone to the ends of the middle 80 % of its range, as the reader of codes has it:
mean distance from what was asked for, times the gain, as a share of the range, and the mean change of all other readings in σ. What
pictures show, read by a judge that had no part in this, is in docs/editing.md (`stylewidgets bench editing`).

| parameter | group | unit | range | R² of codes | gain | missed | others |
|---|---|---|---|---|---|---|---|
{rows}
"""


def _line(rig: Rig, i: int) -> str:
    core, entry = rig.core, rig.core.attributes[i]
    ws = rig.session.sample_w(FACES, rig.about.get("seed", 0) + 7)[:, None].expand(-1, rig.session.num_ws, -1)
    before, gain = core.read(ws), float(core.gains[i])
    others = torch.arange(len(core.attributes), dtype=torch.int64, device="cpu") != i
    missed, moved = [], []
    for share in (0.1, 0.9):
        value = entry.low + share * (entry.high - entry.low)
        after = core.read(core.edited(ws, {entry.name: value}))
        now, then = core.attributes.natural(before)[:, i], core.attributes.natural(after)[:, i]
        missed.append(float((then - now - gain * (value - now)).abs().mean()) / (entry.high - entry.low))
        moved.append(float((after - before)[:, others].abs().mean()))
    return (
        f"| {entry.name} | {entry.group or entry.name} | {entry.unit or '–'} | {entry.low:g} to {entry.high:g} | "
        f"{rig.about['reader'][entry.name]:.2f} | {gain:.2f} | {sum(missed) / 2:.3f} | {sum(moved) / 2:.3f} |"
    )
