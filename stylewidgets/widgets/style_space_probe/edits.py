"""Channels as edits of a latent: which edit moves which channel, and the latent with a channel moved."""

from __future__ import annotations

from ...latent.latent import Direction, Edit, Latent
from ...latent.move import Move, moves

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


def free_name(latent: Latent, name: str) -> str:
    """Return `name`, with a number after it when an edit of the latent is called so."""
    names = {edit.name for edit in latent.edits}
    number = 2
    made = name
    while made in names:
        made, number = f"{name} {number}", number + 1
    return made
