"""Channels as edits of a latent: which edit moves which channel, and the latent with a channel moved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ... import stylespace
from ...directions import DirectionSet
from ...latent.latent import Direction, Edit, Latent
from ...latent.move import Move, moves
from ...stylespace import Channel

if TYPE_CHECKING:
    from ...session.session import GeneratorSession
    from ...stylespace import Statistics

MOST_CHANNELS = 64
"""Edits of more channels are not marked on the map."""


def channel_of(edit: Edit) -> int | None:
    """Return the place of the only channel that an edit along a direction moves, None for any other edit."""
    return int(edit.channels[0]) if edit.kind == Move.kind and len(edit.channels) == 1 else None


def edit_of(latent: Latent, flat: int) -> Move | None:
    """Return the edit of `latent` that moves just this channel, if there is one."""
    return next((edit for edit in moves(latent) if channel_of(edit) == flat), None)


def edited_channels(latent: Latent) -> list[int]:
    """Return the places of all channels that edits of strength other than 0 touch, at most `MOST_CHANNELS` of one edit."""
    touched = [edit.channels for edit in latent.edits if edit.strength and len(edit.channels) <= MOST_CHANNELS]
    return sorted({int(place) for places in touched for place in places})


def moved(latent: Latent, direction: Direction, strength: float) -> Latent:
    """Return `latent` with the channel of a one-channel direction at this strength, under the name that it has there."""
    flat = channel_of(Move(direction, strength))
    there = None if flat is None else edit_of(latent, flat)
    if there is not None:
        return latent.with_edit(there.direction, strength, there.layers)
    return latent.with_edit(direction, strength)


def as_direction(
    session: GeneratorSession, latent: Latent, name: str, statistics: Statistics
) -> tuple[Latent, Direction]:
    """Return `latent` with all its edits of single channels made one direction, which draws the same, and the direction.

    Raises:
        ValueError: no channel is edited, or another direction is called so.
    """
    layers, name = session.layers, name.strip()
    strong = [(channel_of(edit), edit) for edit in moves(latent) if edit.strength and edit.layers is None]
    edits = {flat: edit for flat, edit in strong if flat is not None}
    if not edits:
        raise ValueError("no channel is edited: select one on the map and move its strength")
    others = tuple(edit for edit in latent.edits if edit not in edits.values())
    if name in (edit.name for edit in others):
        raise ValueError(f"another direction called {name!r} is in use; choose another name")
    weights = {Channel.of(flat, layers): edit.strength for flat, edit in edits.items()}
    direction = stylespace.edit_direction(session, weights, statistics, name)
    # How long one unit is belongs to the maker of directions; the picture must stay what it was.
    whole = sum(np.asarray(edit.direction.vector) * edit.direction.sigma * edit.strength for edit in edits.values())
    along = direction.vector * direction.sigma
    strength = round(float(np.dot(whole, along) / np.dot(along, along)), 6)
    return latent.replace(edits=others).with_edit(direction, strength), direction


def add_to_file(session: GeneratorSession, direction: Direction, path: Path) -> None:
    """Write a direction to a file, after those that the file has."""
    there = DirectionSet.load(path).check(session) if path.exists() else DirectionSet.of(session)
    there.add(direction, replace=True).save(path)


def free_name(latent: Latent, name: str) -> str:
    """Return `name`, with a number after it when an edit of the latent is called so."""
    names = {edit.name for edit in latent.edits}
    number = 2
    made = name
    while made in names:
        made, number = f"{name} {number}", number + 1
    return made


def factor_words(factor: str) -> str:
    """The name of a factor for people: "hair hue" for "hair_hue cos", "bun hair style" for "hair_style: bun"."""
    words = factor.replace("_", " ").removesuffix(" cos").removesuffix(" sin")
    name, _, kind = words.partition(": ")
    return f"{kind} {name}".strip()
