"""Makes the sheets of docs/avatars.md about detail and about what no generator has seen: ``python docs/world_pictures.py``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from matplotlib import colormaps

from stylewidgets import avatars
from stylewidgets.avatars.drawing.sheet import Pictures, picture, save_sheet, tile

FOLDER = Path(__file__).parent
SIZE = 160
THINGS = (
    {"eye_patch": "left"},
    {"face_paint": "stripes"},
    {"face_paint": "dots"},
    {"face_paint": "half"},
    {"scar": "cheek"},
    {"earrings": "drops"},
    {"headphones": "on"},
    {"moustache": "handlebar"},
    {"moustache": "walrus"},
    {"backdrop": "checks"},
    {"drawing": "toon"},
    {"drawing": "pencil"},
)
FACES = (6, 1, 3, 4, 12, 7, 8, 9, 14, 11, 5, 13)
"""Which avatar of a seed wears each."""


def unseen() -> None:
    """Each thing on one head in two poses."""
    at = avatars.sample(16, seed=11, groups=avatars.UNSEEN)
    bare = avatars.defaults(16, avatars.UNSEEN)[:, avatars.NUM_FACTORS :]
    rows = torch.from_numpy(np.concatenate([at[:, : avatars.NUM_FACTORS], bare], 1))
    tiles = []
    for thing, face in zip(THINGS, FACES, strict=True):
        for yaw in (-18.0, 18.0):
            change = {**thing, "yaw": yaw, "hat": "none", "beard": "none"}
            row = avatars.edit_factors(rows[face], change, groups=avatars.UNSEEN)
            tiles.append(picture(avatars.render(row, SIZE, groups=avatars.UNSEEN), "image"))
    save_sheet(tile(np.concatenate(tiles), 6), FOLDER / "avatar-unseen.jpg")


def detail() -> None:
    """Rows: three heads. Columns: without detail, two seeds, the second seed turned, and where the seed moves pixels."""
    rows = torch.from_numpy(avatars.sample(12, seed=12, groups=avatars.DETAIL))[[0, 4, 2]]
    none, full = rows.clone(), rows.clone()
    none[:, avatars.NUM_FACTORS :], full[:, avatars.NUM_FACTORS :] = 0, 0.9
    turned = avatars.edit_factors(full, {"yaw": 22.0}, groups=avatars.DETAIL)
    columns: list[Pictures] = []
    for row, seed in ((none, 0), (full, 1), (full, 2), (turned, 2)):
        made = avatars.render(row, 256, groups=avatars.DETAIL, detail_seed=seed)
        columns.append(picture(made, "image"))
    where = avatars.chance_map(full, 256).numpy()
    columns.append((colormaps["magma"](np.clip(where / 0.15, 0, 1))[..., :3] * 255).astype(np.uint8))
    save_sheet(tile(np.stack(columns, 1).reshape(-1, 256, 256, 3), 5), FOLDER / "avatar-detail.jpg")


if __name__ == "__main__":
    unseen()
    detail()
