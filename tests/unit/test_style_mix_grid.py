"""The grid widget without a front end: one value, many ways to change it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from stylewidgets import mixing
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.latent.latent import Code, Direction, Latent
from stylewidgets.mixing import HEADER, MixGrid
from stylewidgets.session.session import GeneratorSession
from stylewidgets.widgets.latent_explorer.explorer import LatentExplorer
from stylewidgets.widgets.style_mix_grid.grid import StyleMixGrid
from stylewidgets.widgets.style_mix_grid.panels import EXPORT, MIX, SAVE, SOURCES

W_DIM = 8


@pytest.fixture(scope="module")
def session(device: str) -> GeneratorSession:
    torch.manual_seed(0)
    config = StyleGAN2Config(z_dim=W_DIM, w_dim=W_DIM, c_dim=0, resolution=16, channels=(4, 4, 4), mapping_layers=2)
    return GeneratorSession(StyleGAN2(config), name="toy", device=device)


class Page:
    """What a browser would see and say: decodes what the view sends, and answers."""

    def __init__(self, grid: StyleMixGrid, monkeypatch: pytest.MonkeyPatch) -> None:
        self.grid, self.tiles, self.slices = grid, {}, []
        monkeypatch.setattr(grid.view, "send", self.receive)
        self.say("hello")
        self.paint()

    def receive(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        assert message["type"] == "cells"
        self.slices.append(message["index"])
        strip = np.asarray(Image.open(io.BytesIO(buffers[0])).convert("RGB"))
        for place, tile in zip(message["places"], np.split(strip, message["count"], axis=1), strict=True):
            self.tiles[tuple(place)] = tile

    def say(self, kind: str, **more: Any) -> None:
        message = json.loads(json.dumps({"type": kind, **more}))
        self.grid.view._handle_custom_msg(message, [])

    def paint(self) -> None:
        while True:
            seen = len(self.slices)
            if self.slices:
                self.say("ack", index=self.slices[-1])
            if len(self.slices) == seen:
                return

    def shows_its_value(self) -> bool:
        self.paint()
        value, session = self.grid.value, self.grid.session
        return all(
            np.abs(self.tiles[p].astype(int) - session.image(mixing.mix_cell(session, value, p)).astype(int)).max() <= 1
            for p in value.places()
        )


@pytest.fixture
def grid(session: GeneratorSession) -> Iterator[StyleMixGrid]:
    made = StyleMixGrid(session, rows=[1, 2, 3], columns=[4, 5])
    yield made
    made.close()


@pytest.fixture
def page(grid: StyleMixGrid, monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(grid, monkeypatch)


def seeds(grid: StyleMixGrid) -> tuple[list[Any], list[Any]]:
    return [x.seed for x in grid.value.rows], [x.seed for x in grid.value.columns]


def large(grid: StyleMixGrid) -> Any:
    return np.asarray(Image.open(io.BytesIO(bytes(grid.picture.view.frame))))


def registry() -> dict[str, Any]:
    """Every open widget by its model id; kept elsewhere in ipywidgets 7."""
    known = getattr(ipywidgets.widgets.widget, "_instances", None)
    return ipywidgets.Widget.widgets if known is None else known


# -- starting -----------------------------------------------------------------------------------------------------------
def test_it_starts_complete_with_the_first_cell_chosen(grid: StyleMixGrid, page: Page) -> None:
    assert page.shows_its_value() and set(page.tiles) == set(grid.value.places())
    assert grid.cell == (0, 0) and grid.selected == grid.latent(0, 0)
    assert np.array_equal(large(grid), grid.session.image(grid.latent(0, 0)))
    assert grid.view.state["rows"] == ["seed 1", "seed 2", "seed 3"] and grid.view.error == ""


def test_an_unknown_keyword_and_a_source_that_does_not_fit_are_refused(session: GeneratorSession) -> None:
    with pytest.raises(TypeError, match="did you mean 'columns'"):
        StyleMixGrid(session, colums=[1])  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="shape"):
        StyleMixGrid(session, rows=[Latent(code=Code("w", np.zeros(99)))])


def test_a_value_can_be_given_and_the_notebook_keeps_a_picture_of_it(session: GeneratorSession) -> None:
    value = MixGrid.of(session, [9], [8, 7], "fine", space="s")
    grid = StyleMixGrid(session, value=value)
    grid._ipython_display_()
    data, mime, words = grid.saved._picture
    assert grid.value == value and mime == "image/png" and "seed 9 × seed 8, seed 7" in words
    assert Image.open(io.BytesIO(data)).size == grid.image.size
    sheet = Image.open(io.BytesIO(grid.view.sheet))
    assert sheet.size == (3 * 16, 2 * 16)
    grid.close()


# -- what a page does ---------------------------------------------------------------------------------------------------
def test_painting_layers_changes_the_mask_and_a_stroke_is_one_step(grid: StyleMixGrid, page: Page) -> None:
    start = grid.value
    times = iter(range(0, 1000, 10))  # a hand that rests for ten seconds within the stroke
    grid._history._clock = lambda: float(next(times))
    for count in range(1, 5):
        page.say("mask", mask=[k < count for k in range(grid.session.num_ws)], stroke=1)
    page.say("mask", mask=[True] * grid.session.num_ws, stroke=2)
    assert all(grid.value.mask) and page.shows_its_value()
    grid.undo()
    assert grid.value.mask == (True,) * 4 + (False,) * (grid.session.num_ws - 4)
    grid.undo()
    assert grid.value == start and page.shows_its_value()
    page.say("key", key="y")
    assert sum(grid.value.mask) == 4


def test_headers_swap_reroll_drop_and_add(grid: StyleMixGrid, page: Page) -> None:
    page.say("swap", one=["rows", 0], other=["columns", 1])
    assert seeds(grid) == ([5, 2, 3], [4, 1]) and page.shows_its_value()
    page.say("remove", header=["rows", 1])
    page.say("add", axis="columns")
    assert seeds(grid)[0] == [5, 3] and len(grid.value.columns) == 3
    page.say("reroll", header=["columns", 0])
    assert seeds(grid)[1][0] != 4 and page.shows_its_value()
    page.say("key", key="z")
    assert seeds(grid)[1][0] == 4


def test_picking_a_cell_enlarges_it_and_the_choice_follows_the_grid(grid: StyleMixGrid, page: Page) -> None:
    page.say("pick", place=[2, 1])
    assert grid.cell == (2, 1) and grid.selected == grid.latent(2, 1) and grid.view.state["selected"] == [2, 1]
    assert np.array_equal(large(grid), grid.session.image(grid.latent(2, 1)))
    page.say("mask", mask=[True] * grid.session.num_ws, stroke=1)
    grid.picture.view.on_settle()
    assert grid.selected == grid.value.columns[1] == grid.latent(2, 1)
    page.say("remove", header=["rows", 2])
    assert grid.cell == (1, 1)
    page.say("pick", place=[HEADER, 0])
    assert grid.selected == grid.value.columns[0]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"type": "pick", "place": [7, 0]}, "row"),
        ({"type": "pick", "place": [-1, -1]}, "corner"),
        ({"type": "mask", "mask": [True], "stroke": 1}, "one bool for each row"),
        ({"type": "swap", "one": ["rows", 0], "other": ["rows", 9]}, "rows"),
        ({"type": "add", "axis": "diagonal"}, "side of a grid"),
        ({"type": "reroll", "header": 7}, "int"),
    ],
)
def test_nonsense_shows_its_text_and_changes_nothing(
    grid: StyleMixGrid, page: Page, message: dict[str, Any], text: str
) -> None:
    before = grid.value, grid.selected
    page.say(**{"kind": message.pop("type"), **message})
    assert text in grid.view.error and (grid.value, grid.selected) == before
    page.say("pick", place=[1, 1])
    assert grid.view.error == ""


def test_the_last_source_of_a_side_stays(grid: StyleMixGrid, page: Page) -> None:
    page.say("remove", header=["columns", 0])
    page.say("remove", header=["columns", 0])
    assert seeds(grid)[1] == [5] and "last of the columns" in grid.view.error


def test_a_storm_of_strokes_ends_at_the_newest_with_one_slice_under_way(grid: StyleMixGrid, page: Page) -> None:
    before = len(page.slices)
    grid._filler._clock = grid.picture._pump._clock = lambda: 0.0  # however slow this machine is
    for n in range(100):
        page.say("mask", mask=[bool((n + 1) >> k & 1) for k in range(grid.session.num_ws)], stroke=n)
    assert len(page.slices) - before <= 2
    assert page.shows_its_value() and grid.value.mask[:3] == (False, False, True)


def test_a_failing_draw_says_why_and_the_last_pictures_stay(grid: StyleMixGrid, page: Page, monkeypatch: Any) -> None:
    tiles = dict(page.tiles)
    draw = grid._renderer.draw

    def fail(*_: Any) -> Any:
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(grid._renderer, "draw", fail)
    grid.reroll("rows", 0)
    assert "the device is gone" in grid.view.error and page.tiles == tiles
    monkeypatch.setattr(grid._renderer, "draw", draw)
    grid.reroll("rows", 0)
    assert page.shows_its_value()


# -- controls -----------------------------------------------------------------------------------------------------------
def test_controls_follow_the_value_and_change_it(grid: StyleMixGrid, page: Page) -> None:
    panels = grid._panels
    panels._switcher.selected = MIX
    panels._space.value = "s"
    assert grid.value.space == "s" and len(grid.value.mask) == len(grid.session.layers)
    assert len(grid.view.state["layers"]) == len(grid.session.layers) and page.shows_its_value()
    panels._noise.value = "column"
    panels._psi["row"]._on.value = True
    panels._psi["row"]._slider.value = 0.4
    assert grid.value.row_psi == 0.4 and grid.value.column_psi is None and page.shows_its_value()
    grid.value = MixGrid.of(grid.session, [1], [2], (1, 3), column_psi=0.9)
    assert panels._space.value == "w+"
    assert not panels._psi["row"]._on.value and panels._psi["column"]._slider.value == 0.9


@pytest.mark.parametrize("space", ["w+", "s"])
def test_the_strip_offers_the_coarse_the_middle_and_the_fine_layers(grid: StyleMixGrid, page: Page, space: str) -> None:
    grid.value = grid.value.replace(space=space, mask=mixing.mask_of(grid.session, "none", space))
    ranges = {each["name"]: each for each in grid.view.state["ranges"]}
    assert list(ranges) == ["coarse", "middle", "fine"] and all(each["words"] for each in ranges.values())
    assert [sum(column) for column in zip(*(each["taken"] for each in ranges.values()), strict=True)] == [1] * len(
        grid.value.mask
    ), "each layer is in one of them"
    page.say("mask", mask=ranges["fine"]["taken"], stroke=1)
    assert grid.value.mask == mixing.mask_of(grid.session, "fine", space) and page.shows_its_value()


def test_sources_are_added_by_seed_and_by_file(grid: StyleMixGrid, tmp_path: Path) -> None:
    grid._panels._switcher.selected = SOURCES
    path = Latent(seed=77, psi=0.5).save(tmp_path / "kept.json")
    grid._panels._item.value = f"12, {path}"
    grid._panels._add()
    assert seeds(grid)[0] == [1, 2, 3, 12, 77]
    with pytest.raises(ValueError, match="seed"):
        grid._panels._add()


# -- trait, files, code ---------------------------------------------------------------------------------------------------
def test_linked_grids_follow_each_other(session: GeneratorSession) -> None:
    a, b = StyleMixGrid(session, rows=[1], columns=[2]), StyleMixGrid(session, rows=[3], columns=[4])
    link = traitlets.link((a, "value"), (b, "value"))
    b.swap(("rows", 0), ("columns", 0))
    assert a.value == b.value and seeds(a) == ([2], [1])
    a.undo()
    assert b.value == a.value
    link.unlink()
    a.close()
    b.close()


def test_an_explorer_gets_the_chosen_picture_and_can_stay_linked(session: GeneratorSession) -> None:
    explorer = LatentExplorer(session)
    grid = StyleMixGrid(session, rows=[1, 2], columns=[3, 4], explorer=explorer)
    grid.select(1, 1)
    assert grid.send() is explorer and explorer.value == grid.latent(1, 1)
    link = traitlets.link((grid, "selected"), (explorer, "value"))
    grid.select(0, 1)
    assert explorer.value == grid.latent(0, 1)
    smile = Direction("smile", np.ones(W_DIM))
    explorer.add_direction(smile, 2.0)
    assert grid.selected == explorer.value and grid.cell is None
    grid.add("rows", grid.selected)
    assert grid.value.rows[2] == explorer.value
    link.unlink()
    grid.close()
    explorer.undo()
    explorer.close()


def test_without_an_explorer_one_opens_beside_it_and_can_be_closed(grid: StyleMixGrid) -> None:
    before = set(registry())
    made = grid.send()
    beside = grid._panels.beside
    assert made.value == grid.selected and beside.opened is made
    grid.select(1, 0)
    assert grid.send() is made and made.value == grid.latent(1, 0)
    bar = beside.children[0]
    bar.children[-1].click()
    assert beside.opened is None and beside.children == () and set(registry()) == before
    assert grid.send() is not made, "it can be opened again"


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_a_saved_state_comes_back_and_a_wrong_one_is_refused(grid: StyleMixGrid, tmp_path: Path, suffix: str) -> None:
    grid.value = grid.value.replace(mask=(True,) * grid.session.num_ws, row_psi=0.6)
    saved = grid.value
    path = grid.save(tmp_path / f"grid{suffix}")
    grid.undo()
    grid.load(path)
    assert grid.value == saved
    grid._panels._switcher.selected = SAVE
    state = grid._panels._switcher.made(SAVE)
    state._path.value = str(Latent(seed=3).save(tmp_path / f"latent{suffix}"))
    state.children[0].children[2].click()  # load
    assert "style-mixing grid" in grid.view.error and grid.value == saved


@pytest.mark.parametrize("space", ["w+", "s"])
def test_the_code_makes_exactly_the_figure_and_the_chosen_picture(grid: StyleMixGrid, space: str) -> None:
    import stylewidgets as sw

    session = grid.session
    mask = mixing.mask_of(
        session, [k % 2 == 0 for k in range(len(session.layers) if space == "s" else session.num_ws)], space
    )
    unknown = Latent(seed=1).with_edit(Direction("unknown", np.ones(W_DIM)), 1.5)
    rows = (Latent(seed=6), Latent(seed=3, psi=0.123456789, noise_mode="random", noise_seed=4), unknown)
    columns = (Latent(blend=((1, 0.25), (2, 0.75))), Latent(code=Code("w", np.linspace(-1, 1, W_DIM))))
    grid.value = MixGrid(rows, columns, mask, space, "column", 0.8)
    grid.select(1, 1)
    scope: dict[str, Any] = {"session": session, "sw": sw}
    exec(grid.code(), scope)  # noqa: S102  the point of that text
    assert scope["grid"] == grid.value and scope["latent"] == grid.selected
    assert np.array_equal(np.asarray(scope["image"]), session.image(grid.selected))
    assert "rows=[\n        6," in grid.code()


def test_the_code_of_a_plain_grid_is_short(grid: StyleMixGrid) -> None:
    assert "rows=[1, 2, 3],\n    columns=[4, 5],\n    layers=(0, " in grid.code() and "from_json" not in grid.code()


def test_figures_and_cells_are_written(grid: StyleMixGrid, tmp_path: Path) -> None:
    text = grid.save_figure(tmp_path / "grid.svg").read_text()
    assert ">seed 5</text>" in text and text.count("<image") == 3 + 2 + 6
    assert Image.open(grid.save_image(tmp_path / "grid.png")).size == grid.image.size
    cell = np.asarray(Image.open(grid.save_cell(tmp_path / "cell.png")))
    assert np.array_equal(cell, grid.session.image(grid.selected))
    with pytest.raises(ValueError, match=r"\.png"):
        grid.save_cell(tmp_path / "cell.gif")
    grid._panels._switcher.selected = EXPORT
    grid._panels._name.value = str(tmp_path / "mine")
    grid._panels._export("pdf")
    assert (tmp_path / "mine.pdf").exists()


def test_smaller_cells_leave_the_chosen_picture_in_full_size(session: GeneratorSession, monkeypatch: Any) -> None:
    grid = StyleMixGrid(session, rows=[1], columns=[2], resolution=8)
    page = Page(grid, monkeypatch)
    assert page.tiles[(0, 0)].shape == (8, 8, 3) and large(grid).shape == (16, 16, 3)
    assert {p.shape for p in grid.pictures(16).values()} == {(16, 16, 3)}
    grid.close()


def test_closing_leaves_no_widget_behind(session: GeneratorSession) -> None:
    before = set(registry())
    grid = StyleMixGrid(session, rows=[1], columns=[2])
    for name in (SOURCES, MIX, EXPORT, SAVE):
        grid._panels._switcher.selected = name
    grid.send()
    grid.close()
    left = {type(registry()[key]).__name__ for key in set(registry()) - before}
    assert left <= {"_CanvasManager"}
