"""Channels as edits of a latent: which edit moves which channel, and the latent with a channel moved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...directions import DirectionSet
from ...latent.latent import Direction, Edit, Latent
from ...stylespace import Channel, edit_direction
from ..kit.code import WIDTH, _arguments, _session_lines

MOST_CHANNELS = 64
"""Directions of more channels are written into code as JSON."""


def channel_of(direction: Direction) -> int | None:
    """Return the place of the only channel that a direction moves, None for any other direction."""
    if direction.space != "s":
        return None
    moved = np.flatnonzero(direction.vector)
    return int(moved[0]) if len(moved) == 1 else None


def edit_of(latent: Latent, flat: int) -> Edit | None:
    """Return the edit of `latent` that moves just this channel, if there is one."""
    return next((edit for edit in latent.edits if channel_of(edit.direction) == flat), None)


def edited_channels(latent: Latent) -> list[int]:
    """Return the places of all channels that edits of strength other than 0 move, at most those of small directions."""
    found: set[int] = set()
    for edit in latent.edits:
        if edit.direction.space == "s" and edit.strength:
            moved = np.flatnonzero(edit.direction.vector)
            if len(moved) <= MOST_CHANNELS:
                found.update(int(place) for place in moved)
    return sorted(found)


def moved(latent: Latent, direction: Direction, strength: float) -> Latent:
    """Return `latent` with the channel of a one-channel direction at this strength, under the name that it has there."""
    flat = channel_of(direction)
    there = None if flat is None else edit_of(latent, flat)
    if there is not None:
        return latent.with_edit(there.direction, strength, there.layers)
    return latent.with_edit(direction, strength)


def as_direction(session: Any, latent: Latent, name: str, statistics: Any) -> tuple[Latent, Direction]:
    """Return `latent` with all its edits of single channels made one direction, which draws the same, and the direction.

    Raises:
        ValueError: no channel is edited, or another direction is called so.
    """
    layers, name = session.layers, name.strip()
    strong = [(channel_of(edit.direction), edit) for edit in latent.edits if edit.strength and edit.layers is None]
    edits = {flat: edit for flat, edit in strong if flat is not None}
    if not edits:
        raise ValueError("no channel is edited: select one on the map and move its strength")
    others = tuple(edit for edit in latent.edits if edit not in edits.values())
    if name in (edit.direction.name for edit in others):
        raise ValueError(f"another direction called {name!r} is in use; choose another name")
    weights = {Channel.of(flat, layers): edit.strength for flat, edit in edits.items()}
    direction = edit_direction(session, weights, statistics, name)
    # How long one unit is belongs to the maker of directions; the picture must stay what it was.
    whole = sum(np.asarray(edit.direction.vector) * edit.direction.sigma * edit.strength for edit in edits.values())
    along = direction.vector * direction.sigma
    strength = round(float(np.dot(whole, along) / np.dot(along, along)), 6)
    return latent.replace(edits=others).with_edit(direction, strength), direction


def add_to_file(session: Any, direction: Direction, path: Path) -> None:
    """Write a direction to a file, after those that the file has."""
    there = DirectionSet.load(path).check(session) if path.exists() else DirectionSet.of(session)
    there.add(direction, replace=True).save(path)


def free_name(latent: Latent, name: str) -> str:
    """Return `name`, with a number after it when an edit of the latent is called so."""
    names = {edit.direction.name for edit in latent.edits}
    number = 2
    made = name
    while made in names:
        made, number = f"{name} {number}", number + 1
    return made


def probe_code(session: Any, latent: Latent) -> str:
    """Return Python that makes the picture of a latent, with its channels by number and not as arrays."""
    latent = latent.replace(edits=tuple(edit for edit in latent.edits if edit.strength))
    lines = ["import numpy as np", "import stylewidgets as sw", "", *_session_lines(session), ""]
    if any(_is_sparse(edit.direction) for edit in latent.edits):
        size = sum(layer.channels for layer in session.layers)
        lines += [
            "def channels(name, weights, sigma):",
            f"    vector = np.zeros({size}, np.float32)",
            "    for place, weight in weights.items():",
            "        vector[place] = weight",
            '    return sw.Direction(name, vector, sigma, "s")',
            "",
        ]
    lines += _source_lines(latent)
    for edit in latent.edits:
        lines += _edit_lines(session, edit)
    lines.append("image = session.render(latent)")
    return "\n".join(lines) + "\n"


def _is_sparse(direction: Direction) -> bool:
    return direction.space == "s" and int(np.count_nonzero(direction.vector)) <= MOST_CHANNELS


def _source_lines(latent: Latent) -> Iterator[str]:
    if latent.code is None:
        yield f"latent = session.latent({', '.join(_arguments(latent))})"
    else:
        yield from _json("latent", "Latent", latent.replace(edits=()).to_json())


def _edit_lines(session: Any, edit: Edit) -> Iterator[str]:
    direction = edit.direction
    layers = "" if edit.layers is None else f", layers={edit.layers!r}"
    if session.directions.get(direction.name) == direction:
        words = f"session.directions[{direction.name!r}]"
    elif _is_sparse(direction):
        weights = {int(place): float(direction.vector[place]) for place in np.flatnonzero(direction.vector)}
        words = f"channels({direction.name!r}, {weights!r}, {direction.sigma!r})"
    else:
        yield from _json("edited", "Latent", Latent(edits=(edit,)).to_json())
        yield "latent = latent.replace(edits=(*latent.edits, *edited.edits))"
        return
    yield f"latent = latent.with_edit({words}, {edit.strength!r}{layers})"


def _json(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"{name} = sw.{kind}.from_json("
    for start in range(0, len(text), WIDTH):
        yield f"    {text[start : start + WIDTH]!r}"
    yield ")"
