"""Style mixing as plain compute: values, latents, pictures."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylewidgets import mixing
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.latent.latent import Code, Direction, Latent
from stylewidgets.mixing import HEADER, GridRenderer, MixGrid
from stylewidgets.mixing.figures import describe_mask
from stylewidgets.mixing.grid import nearest_first
from stylewidgets.session.engine import Engine
from stylewidgets.session.session import GeneratorSession

W_DIM = 8


def make_session(**changes: Any) -> GeneratorSession:
    torch.manual_seed(0)
    settings = {
        "z_dim": W_DIM,
        "w_dim": W_DIM,
        "c_dim": 0,
        "resolution": 32,
        "channels": (6, 6, 4, 4),
        "mapping_layers": 2,
    }
    generator = StyleGAN2(StyleGAN2Config(**{**settings, **changes}))
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            parameter.data.fill_(0.3)
    generator.mapping.w_avg.copy_(torch.randn(W_DIM))
    return GeneratorSession(generator, name="toy", device="cpu")


@pytest.fixture(scope="module")
def session() -> GeneratorSession:
    return make_session()


@pytest.fixture(scope="module")
def smile() -> Direction:
    return Direction("smile", np.random.RandomState(1).randn(W_DIM), layers=(0, 3))


def draw(session: GeneratorSession, latent: Latent) -> Any:
    """A picture from scratch, as floats."""
    return session.synthesize(session.code_styles(latent), noise_mode=latent.noise_mode, noise_seed=latent.noise_seed)


# -- the value ----------------------------------------------------------------------------------------------------------
def test_a_grid_compares_by_value_and_takes_seeds_latents_and_files(session: GeneratorSession, tmp_path: Path) -> None:
    path = Latent(seed=3, psi=0.5).save(tmp_path / "kept.json")
    grid = MixGrid.of(session, [1, Latent(seed=2)], [path, np.int64(4)], "middle")
    same = MixGrid((Latent(seed=1), Latent(seed=2)), (Latent(seed=3, psi=0.5), Latent(seed=4)), grid.mask)
    assert grid == same and hash(grid) == hash(same)
    assert grid.size == (2, 2) and len(grid.mask) == session.num_ws
    assert grid != grid.replace(noise="column")


@pytest.mark.parametrize("layers", ["coarse", "middle", "fine", "all", "none", (1, 5)])
def test_names_and_ranges_choose_the_same_layers_in_both_spaces(session: GeneratorSession, layers: Any) -> None:
    rows, each = (mixing.mask_of(session, layers, space) for space in ("w+", "s"))
    assert mixing.layer_mask(session, rows, "w+") == each
    assert mixing.convert_mask(session, each, "s", "w+") == rows


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda s: MixGrid.of(s, [], [1]), "1 to 64 rows"),
        (lambda s: MixGrid.of(s, [1], [1], "corse"), "did you mean 'coarse'"),
        (lambda s: MixGrid.of(s, [1], [1], [True, False, True]), "one bool for each row of w"),
        (lambda s: MixGrid.of(s, [1], [1], (3, 99)), "layers is a pair"),
        (lambda s: MixGrid.of(s, [1], [1], space="z"), "space to mix in"),
        (lambda s: MixGrid.of(s, [1], [1], noise="colum"), "did you mean 'column'"),
        (lambda s: MixGrid.of(s, [1], [1], row_psi=float("nan")), "row_psi"),
        (lambda s: MixGrid.of(s, [1], [Latent(code=Code("w", np.zeros(99)))]), "shape"),
        (
            lambda s: mixing.check_grid(s, MixGrid((Latent(),), (Latent(label=2),), (True,) * s.num_ws)),
            "column 0: .*label",
        ),
        (lambda s: MixGrid.of(s, [1], [2]).without("rows", 0), "last of the rows"),
        (lambda s: MixGrid.of(s, [1], [2]).swapped(("rows", 0), ("columns", 1)), "columns"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(session: GeneratorSession, make: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make(session)


def test_sources_swap_within_and_between_the_sides(session: GeneratorSession) -> None:
    grid = MixGrid.of(session, [1, 2], [3, 4])
    seeds = lambda g: ([x.seed for x in g.rows], [x.seed for x in g.columns])  # noqa: E731
    assert seeds(grid.swapped(("rows", 0), ("rows", 1))) == ([2, 1], [3, 4])
    assert seeds(grid.swapped(("rows", 0), ("columns", 1))) == ([4, 2], [3, 1])
    assert seeds(grid.without("columns", 0).added("rows", Latent(seed=9))) == ([1, 2, 9], [4])


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_a_saved_grid_comes_back(session: GeneratorSession, smile: Direction, tmp_path: Path, suffix: str) -> None:
    code = Latent(code=Code("w+", np.random.RandomState(0).randn(session.num_ws, W_DIM)))
    grid = MixGrid.of(session, [1, code], [Latent(seed=2).with_edit(smile, 1.5)], (0, 3), noise="layers", row_psi=0.7)
    assert MixGrid.load(grid.save(tmp_path / f"grid{suffix}")) == grid == MixGrid.from_dict(grid.to_dict())


@pytest.mark.parametrize("damage", [{"kind": "latent"}, {"version": 2}, {"rows": 3}, {"mask": []}, {"extra": 1}])
def test_a_damaged_file_is_refused(session: GeneratorSession, damage: dict[str, Any]) -> None:
    data = MixGrid.of(session, [1], [2]).to_dict()
    with pytest.raises((ValueError, TypeError)):
        MixGrid.from_dict({**data, **damage})


def test_a_latent_s_file_is_not_a_grid_s(session: GeneratorSession, tmp_path: Path) -> None:
    path = Latent(seed=1).save(tmp_path / "latent.json")
    with pytest.raises(ValueError, match="style-mixing grid"):
        MixGrid.load(path)


# -- one cell -----------------------------------------------------------------------------------------------------------
def sources(session: GeneratorSession, smile: Direction) -> list[Latent]:
    random = np.random.RandomState(5)
    channels = sum(layer.channels for layer in session.layers)
    return [
        Latent(seed=1, psi=0.6, cutoff=3),
        Latent(blend=((1, 0.5), (7, 0.5)), noise_mode="none"),
        Latent(seed=2, noise_mode="random", noise_seed=8).with_edit(smile, 2.0, (0, 3)),
        Latent(code=Code("w+", random.randn(session.num_ws, W_DIM)), psi=0.8),
        Latent(code=Code("s", random.randn(channels)), psi=0.9),
    ]


@pytest.mark.parametrize("space", ["w+", "s"])
@pytest.mark.parametrize("place", range(4))
def test_a_mix_equals_the_recompute_from_the_two_sources(
    session: GeneratorSession, smile: Direction, space: str, place: int
) -> None:
    everything = sources(session, smile)
    row, column = everything[place], everything[place + 1]
    count = session.num_ws if space == "w+" else len(session.layers)
    mask = [bool(x) for x in np.random.RandomState(place).randint(0, 2, count)]
    made = mixing.mix(session, row, column, mask, space=space, row_psi=0.75)
    each = mixing.layer_mask(session, mask, space)
    own, theirs = session.code_styles(row.replace(psi=0.75)), session.code_styles(column)
    styles = [b if taken else a for a, b, taken in zip(own, theirs, each, strict=True)]
    wanted = Engine(session.generator).picture(styles, session.noise(row.noise_mode, row.noise_seed))
    assert torch.allclose(draw(session, made), wanted, atol=1e-5)
    assert session.check(made).code is not None


def test_an_empty_and_a_full_mask_give_the_sources_themselves(session: GeneratorSession) -> None:
    row, column = Latent(seed=1, psi=0.5), Latent(seed=2, noise_mode="none")
    assert mixing.mix(session, row, column, "none") == row
    assert mixing.mix(session, row, column, "all") == column.replace(noise_mode="const")
    assert mixing.mix(session, row, column, "all", noise="column") == column


def test_mixing_by_rows_is_the_same_in_w_plus_and_in_s(session: GeneratorSession) -> None:
    pictures = [draw(session, mixing.mix(session, 1, 2, (2, 5), space=space)) for space in ("w+", "s")]
    assert torch.allclose(*pictures, atol=1e-5)


# -- many cells ---------------------------------------------------------------------------------------------------------
def assert_exact(session: GeneratorSession, grid: MixGrid, pictures: dict[Any, Any]) -> None:
    for place, picture in pictures.items():
        wanted = session.image(mixing.mix_cell(session, grid, place)).astype(int)
        assert np.abs(picture.astype(int) - wanted).max() <= 1, place  # rounding of batched sums


@pytest.mark.parametrize(("space", "noise"), list(product(["w+", "s"], ["row", "column"])))
def test_every_picture_is_that_of_its_latent(
    session: GeneratorSession, smile: Direction, space: str, noise: str
) -> None:
    everything = sources(session, smile)
    grid = MixGrid.of(session, everything[:3], everything[2:], (1, 4), space=space, noise=noise, column_psi=0.7)
    renderer = GridRenderer(session)
    pictures = renderer.all(grid)
    assert set(pictures) == set(grid.places()) and len(pictures) == 3 + 3 + 9
    assert_exact(session, grid, pictures)


def test_residual_generators_are_drawn_too() -> None:
    session = make_session(architecture="resnet")
    grid = MixGrid.of(session, [1, 2], [3], "middle")
    assert_exact(session, grid, GridRenderer(session).all(grid))


def test_noise_of_layers_follows_the_mask(session: GeneratorSession) -> None:
    same = Latent(seed=1, noise_mode="random", noise_seed=1)
    grid = MixGrid.of(
        session, [same], [same.replace(noise_seed=2), same.replace(noise_mode="const")], (4, 8), noise="layers"
    )
    pictures = GridRenderer(session).all(grid)
    convs = [layer for layer in session.layers if layer.kind == "conv"]
    for j, other in enumerate(grid.columns):
        noise = []
        for n, layer in enumerate(convs):
            source = other if 4 <= layer.ws_index < 8 else same
            stored = session.generator.synthesis.get_submodule(layer.name).get_buffer("noise_const")
            noise.append(stored if source.noise_mode == "const" else session.noise("random", source.noise_seed)[n])
        wanted = ((Engine(session.generator).picture(session.code_styles(same), noise) * 127.5) + 128).clamp(0, 255)
        assert np.abs(pictures[(0, j)].astype(int) - wanted[0].permute(1, 2, 0).byte().numpy().astype(int)).max() <= 1
        assert not np.array_equal(pictures[(0, j)], pictures[(0, HEADER)])


def test_another_mask_starts_at_its_first_changed_layer(session: GeneratorSession) -> None:
    grid = MixGrid.of(session, [1, 2, 3], [4, 5, 6], "coarse")
    renderer, layers = GridRenderer(session), len(session.layers)
    renderer.all(grid)
    before = renderer.cache.layers_run
    late = grid.replace(mask=(*grid.mask[:-1], not grid.mask[-1]))
    pictures = {(i, j): p for i, j, p in renderer.cells(late)}
    assert renderer.cache.layers_run - before == 9 * 2  # the last convolution and the colours of each cell
    assert_exact(session, late, pictures)
    before = renderer.cache.layers_run
    early = grid.replace(mask=(not grid.mask[0], *grid.mask[1:]))
    pictures = {(i, j): p for i, j, p in renderer.cells(early)}
    assert renderer.cache.layers_run - before == 9 * (layers - 1)  # the first one is that of the row's header
    assert_exact(session, early, pictures)


def test_one_changed_header_costs_one_row_or_column(session: GeneratorSession) -> None:
    grid = MixGrid.of(session, [1, 2, 3], [4, 5], "fine")
    renderer, layers = GridRenderer(session), len(session.layers)
    renderer.all(grid)
    for axis, cells in (("rows", 2), ("columns", 3)):
        changed = grid.with_source(axis, 1, Latent(seed=77))
        before = renderer.cache.layers_run
        places = [p for p in changed.places() if changed.content(p) != grid.content(p)]
        pictures = {(i, j): p for i, j, p in renderer.cells(changed, places)}
        assert len(places) == cells + 1
        assert renderer.cache.layers_run - before <= (cells + 1) * layers
        assert_exact(session, changed, pictures)


def test_layers_that_cells_share_are_computed_once(session: GeneratorSession) -> None:
    renderer, layers = GridRenderer(session), len(session.layers)
    grid = MixGrid.of(session, [1, 2, 3], [4, 5, 6, 7], "none")
    renderer.all(grid)
    assert renderer.cache.layers_run == 7 * layers  # of the headers: a cell without a mask is its row


def test_memory_stays_within_its_limit_and_pictures_stay_right(session: GeneratorSession) -> None:
    renderer = GridRenderer(session, memory=20_000)
    for layers in ("coarse", "middle", "fine"):
        grid = MixGrid.of(session, range(4), range(4, 8), layers)
        assert_exact(session, grid, renderer.all(grid))
        assert renderer.cache.bytes <= 20_000


def test_changed_weights_are_noticed() -> None:
    session = make_session()
    renderer, grid = GridRenderer(session), MixGrid.of(session, [1], [2])
    before = renderer.all(grid)
    with torch.no_grad():
        session.generator.synthesis.b4.const.add_(0.5)
    after = renderer.all(grid)
    assert not np.array_equal(before[(0, 0)], after[(0, 0)])
    assert_exact(session, grid, after)


def test_full_memory_makes_batches_smaller(session: GeneratorSession, monkeypatch: pytest.MonkeyPatch) -> None:
    renderer, grid = GridRenderer(session), MixGrid.of(session, [1, 2], [3, 4])
    draw = renderer.cache.draw

    def cramped(units: Any, *rest: Any) -> Any:
        if len(units) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return draw(units, *rest)

    monkeypatch.setattr(renderer.cache, "draw", cramped)
    assert_exact(session, grid, renderer.all(grid))


def test_cells_come_nearest_first_and_can_be_cancelled(session: GeneratorSession) -> None:
    grid = MixGrid.of(session, range(4), range(4))
    seen: list[Any] = []
    for i, j, _ in GridRenderer(session).cells(grid, near=lambda: (3, 3), batch=4, cancelled=lambda: len(seen) >= 8):
        seen.append((i, j))
    assert len(seen) == 8 and set(seen[:3]) == {(3, 3), (2, 3), (3, 2)}
    assert nearest_first([(0, 0), (HEADER, 1), (1, 1)], (1, 1)) == [(HEADER, 1), (1, 1), (0, 0)]


def test_small_pictures_are_no_larger_than_asked(session: GeneratorSession) -> None:
    grid = MixGrid.of(session, [1], [2])
    assert {p.shape for p in GridRenderer(session).all(grid, resolution=8).values()} == {(8, 8, 3)}


# -- figures ------------------------------------------------------------------------------------------------------------
def test_the_sheet_holds_every_picture_and_its_place(session: GeneratorSession) -> None:
    grid = MixGrid.of(session, [1, 2], [3, 4, 5])
    pictures = GridRenderer(session).all(grid)
    whole = np.asarray(mixing.sheet(grid, pictures))
    for picture in pictures.values():
        windows = np.lib.stride_tricks.sliding_window_view(whole, (32, 32, 3))[:, :, 0]
        assert (windows == picture).all(axis=(2, 3, 4)).any()
    assert mixing.sheet(grid, {}).size == mixing.sheet(grid, {}, side=64).size


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_a_figure_is_written_with_text_that_is_text(session: GeneratorSession, tmp_path: Path, suffix: str) -> None:
    grid = MixGrid.of(session, [1, 2], [31], (0, 3))
    path = mixing.save_figure(mixing.figure(grid, GridRenderer(session).all(grid)), tmp_path / f"grid{suffix}")
    data = path.read_bytes()
    assert data.startswith({".svg": b"<?xml", ".pdf": b"%PDF", ".png": b"\x89PNG"}[suffix])
    if suffix == ".svg":
        text = data.decode()
        assert ">seed 31</text>" in text and "w+ rows 0–2 from the columns" in text
    if suffix == ".pdf":
        assert b"TrueType" in data or b"Type0" in data


def test_another_kind_of_figure_is_refused(session: GeneratorSession, tmp_path: Path) -> None:
    grid = MixGrid.of(session, [1], [2])
    with pytest.raises(ValueError, match=r"\.svg"):
        mixing.save_figure(mixing.figure(grid, {}), tmp_path / "grid.gif")


def test_a_mask_is_described_by_its_ranges(session: GeneratorSession) -> None:
    grid = MixGrid.of(session, [1], [2], (1, 3))
    assert describe_mask(grid) == "w+ rows 1–2 from the columns, 0, 3–7 from the rows"
    assert describe_mask(grid.replace(mask=(True,) * 8)) == "all w+ rows from the columns"
