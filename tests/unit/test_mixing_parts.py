"""Grids that mix one part only: each cell is its row with that part of its column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import stylewidgets as sw
from stylewidgets import mixing
from stylewidgets.editing import Parts

from .test_parts import finished, made


@pytest.fixture(scope="module")
def session():
    session = made()
    parts = finished(Parts.fit(session, clusters=4, pictures=6, keep=False))
    session.editors.add("parts", Parts(session, parts.catalogue.named("hair", [0, 1])))
    return session


@pytest.fixture
def grid(session) -> sw.MixGrid:
    return sw.MixGrid.of(session, [1, 2], [3, 4], "all", part="hair")


def test_a_cell_is_the_transfer_of_that_part(session, grid):
    machine = session.editors.of("parts")
    row, column = session.latent(seed=1), session.latent(seed=4)
    assert mixing.mix_cell(session, grid, (0, 1)) == machine.transfer(row, column, "hair", method="editing")
    assert mixing.mix_cell(session, grid, (0, mixing.HEADER)) == row
    assert mixing.mix(session, 1, 4, "all", part="hair") == mixing.mix_cell(session, grid, (0, 1))


def test_the_layers_of_the_mask_and_the_channels_of_the_part_meet(session, grid):
    some = grid.replace(mask=mixing.mask_of(session, (2, 4)))
    weights = mixing.mix_cell(session, some, (0, 0)).edit("hair").weights
    layers = np.repeat([layer.ws_index in (2, 3) for layer in session.layers], [x.channels for x in session.layers])
    whole = mixing.mix_cell(session, grid, (0, 0)).edit("hair").weights
    assert np.array_equal(weights, whole * layers) and 0 < weights.sum() < whole.sum()
    none = grid.replace(mask=(False,) * session.num_ws)
    assert mixing.mix_cell(session, none, (0, 0)) == session.latent(seed=1)


def test_pictures_are_those_of_the_latents(session, grid):
    drawn = mixing.GridRenderer(session).all(grid)
    for place in grid.places():
        wanted = session.image(mixing.mix_cell(session, grid, place)).astype(int)
        assert np.abs(drawn[place] - wanted).max() <= 1


def test_a_file_and_the_code_bring_the_same_grid_back(session, grid, tmp_path: Path):
    assert sw.MixGrid.load(grid.save(tmp_path / "grid.json")) == grid
    plain = grid.replace(part="")
    assert plain.catalogue == "" and "part" not in plain.to_dict()
    widget = sw.StyleMixGrid(session, value=grid)
    assert f"part='hair',\n    catalogue={grid.catalogue!r}" in widget.code()
    widget.close()


def test_what_the_session_does_not_know_is_said(session, grid):
    with pytest.raises(ValueError, match="there is no part 'hare'.*'hair'"):
        sw.MixGrid.of(session, [1], [2], part="hare")
    other = made(seed=1)
    with pytest.raises(ValueError, match="needs the 'parts' editor"):
        mixing.check_grid(other, grid)
    with pytest.raises(FileNotFoundError, match="no parts"):
        sw.MixGrid.of(other, [1], [2], part="hair")


def test_the_menu_chooses_a_part_and_undo_takes_it_back(session):
    widget = sw.StyleMixGrid(session, rows=[1], columns=[3])
    start = widget.value
    widget._panels._switcher.selected = "Mixing"
    choice = widget._panels._part.choice
    assert choice.options == ("everything", "part 3", "part 4", "hair", "pose") and choice.value == "everything"
    choice.value = "hair"
    assert widget.value.part == "hair" and all(widget.value.mask), "in all layers, until somebody paints"
    assert "hair only" in repr(widget.value)
    widget.undo()
    assert widget.value == start and choice.value == "everything" and widget.view.error == ""
    widget.close()


def test_where_no_parts_are_known_the_menu_says_who_finds_them():
    widget = sw.StyleMixGrid(made(seed=2), rows=[1], columns=[3])
    widget._panels._switcher.selected = "Mixing"
    part = widget._panels._part
    assert part.choice.disabled and "Parts panel" in part._said.value
    widget.close()
