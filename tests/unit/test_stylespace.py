"""StyleSpace: channels, statistics, effects and searches, on a toy generator in which each channel paints one place."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from stylewidgets import stylespace as ss
from stylewidgets.generators.protocol import Layer, State
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.latent.latent import Code
from stylewidgets.session.session import GeneratorSession
from stylewidgets.stylespace import cache
from stylewidgets.stylespace.channel import Channel
from stylewidgets.stylespace.reports.dci import of_importance
from stylewidgets.stylespace.search.overlap import Overlaps
from stylewidgets.stylespace.search.regions import in_cells, label_maps

SIDE, PLACES = 16, 4


class Toy(nn.Module):
    """s is w. Channel i of "paint" lights the i-th quarter of the rows, those of "wash" all of the picture, "colour" is ToRGB."""

    family, architecture = "toy", "toy"
    layers = (
        Layer("paint", "conv", 0, 0, PLACES, SIDE),
        Layer("wash", "conv", 0, 1, 2, SIDE),
        Layer("colour", "torgb", 0, 2, 3, SIDE),
    )
    z_dim = w_dim = 9
    c_dim, num_ws, num_blocks, resolution, img_channels = 0, 3, 1, SIDE, 3
    noise_shapes: tuple[Any, ...] = ()
    has_inner_pictures, has_previews, default_psi, default_cutoff = True, False, 1.0, None
    extra: ClassVar[dict[str, int]] = {}
    needs_source = False

    def __init__(self) -> None:
        super().__init__()
        self.mapping = nn.Module()
        self.mapping.register_buffer("w_avg", torch.zeros(self.w_dim))
        self.mapping.register_buffer("scale", torch.tensor([1.0, 2.0, 0.5, 1.0, 1.0, 3.0, 1.0, 1.0, 1.0]))

    @property
    def w_avg(self) -> Tensor:
        return self.mapping.w_avg

    @property
    def device(self) -> torch.device:
        return self.w_avg.device

    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        return (z * self.mapping.scale)[:, None].expand(-1, self.num_ws, -1)

    def truncate(self, ws: Tensor, psi: float, cutoff: int | None = None, c: Tensor | None = None) -> Tensor:
        return ws * psi

    def styles(self, ws: Tensor) -> list[Tensor]:
        ws = ws if ws.ndim == 3 else ws[:, None].expand(-1, self.num_ws, -1)
        return [ws[:, 0, :4], ws[:, 1, 4:6], ws[:, 2, 6:]]

    def block_layers(self, i: int) -> slice:
        return slice(0, 3)

    def block_noise(self, noise: Any) -> list[Any]:
        return [None]

    def step(self, i: int, state: Any, styles: Any, noise: Any = None, dtype: Any = None) -> State:
        paint, wash, colour = styles
        rows = paint.repeat_interleave(SIDE // PLACES, dim=1)[:, None, :, None] * 0.05
        picture = (rows + wash.sum(dim=1)[:, None, None, None] * 0.02).expand(-1, 3, -1, SIDE)
        return State(picture, picture + colour[:, :, None, None] * 0.02)

    def image(self, state: State) -> Tensor:
        assert state.img is not None
        return state.img


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def session(device: str) -> GeneratorSession:
    return GeneratorSession(Toy(), device=device)


@pytest.fixture
def stats(session: GeneratorSession) -> ss.Statistics:
    return ss.statistics(session, 400)


@pytest.fixture(scope="module")
def real(device: str) -> GeneratorSession:
    torch.manual_seed(0)
    generator = StyleGAN2(
        StyleGAN2Config(z_dim=8, c_dim=0, w_dim=8, resolution=16, channels=(8, 6, 4), mapping_layers=1)
    )
    return GeneratorSession(generator, device=device)


# -- channels ------------------------------------------------------------------------------------------------------------
@given(st.integers(0, 8))
def test_a_channel_and_its_place_in_the_flat_s_are_one_to_one(flat: int) -> None:
    channel = Channel.of(flat, Toy.layers)
    assert channel.flat(Toy.layers) == flat
    assert Channel.parse(channel.paper, Toy.layers) == channel == Channel.parse(channel.name(Toy.layers), Toy.layers)


def test_channels_of_the_1024_pixel_network_have_the_published_offsets() -> None:
    sizes = [512] * 15 + [256, 256, 256, 128, 128, 128, 64, 64, 64, 32, 32]
    layers = [Layer(f"l{i}", "torgb" if i % 3 == 1 else "conv", 0, i, n, 4) for i, n in enumerate(sizes)]
    assert ss.num_channels(layers) == 9088 and int(ss.is_torgb(layers).sum()) == 3040
    assert [Channel(15, 45).flat(layers), Channel(25, 0).flat(layers)] == [7680 + 45, 9056]
    assert Channel(6, 501).paper == "6_501"


@pytest.mark.parametrize(
    ("text", "words"),
    [("7_0", "layers 0 to 2"), ("0_4", "channels 0 to 3"), ("pain:1", "did you mean 'paint'"), ("smile", "written as")],
)
def test_a_channel_that_does_not_exist_is_refused_with_those_that_do(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Channel.parse(text, Toy.layers)


# -- statistics ----------------------------------------------------------------------------------------------------------
def test_statistics_are_those_of_the_styles_of_seeded_z(session: GeneratorSession) -> None:
    stats = ss.statistics(session, 300, seed=4)
    expected = np.random.RandomState(4).randn(300, 9).astype(np.float32) * session.generator.mapping.scale.numpy()
    np.testing.assert_allclose(stats.values, expected, atol=5e-3)
    np.testing.assert_allclose(stats.std, expected.std(axis=0), rtol=1e-3)
    np.testing.assert_allclose(stats.in_sigma(expected).std(axis=0), 1, rtol=1e-3)
    counts, edges = stats.histogram(Channel(0, 1), bins=10)
    assert counts.sum() == 300 and len(edges) == 11
    np.testing.assert_allclose(ss.statistics(session, 300, seed=4, psi=0.5).std, stats.std / 2, rtol=1e-5)


def test_statistics_that_are_stopped_hold_what_was_sampled(session: GeneratorSession) -> None:
    run = ss.statistics.start(session, 1000, batch=32)
    while run.progress.words != "reading styles" or run.progress.done < 64:
        assert run.result() is None
        run.advance()
    run.advance()
    run.stop()
    part = run.result()
    assert part is not None and part.n == 96 == len(part.w) and not part.complete


# -- effects -------------------------------------------------------------------------------------------------------------
def test_style_edits_agree_with_a_recompute_from_scratch(real: GeneratorSession) -> None:
    stats, latent = ss.statistics(real, 64), real.latent(seed=2, psi=0.8)
    weights = {Channel(0, 3): 2.0, Channel(3, 1): -1.5, Channel(4, 2): 0.5}
    edited = latent.with_edit(ss.edit_direction(real, weights, stats, "three"), 1.2)
    z = torch.from_numpy(np.random.RandomState(2).randn(1, 8)).float()
    with torch.no_grad():
        ws = real.generator.w_avg + 0.8 * (real.generator.map(z) - real.generator.w_avg)
        styles = [s.clone() for s in real.generator.styles(ws)]
        for channel, weight in weights.items():
            styles[channel.layer][0, channel.channel] += 1.2 * weight * float(stats.std[channel.flat(real.layers)])
        expected = real.generator.synthesize(styles)
        found = real.synthesize(real.code_styles(edited))
    assert float((found - expected).abs().max()) < 1e-5
    assert float((found - real.synthesize(real.code_styles(latent))).abs().max()) > 1e-3


def test_the_effect_of_a_channel_is_where_it_paints(session: GeneratorSession, stats: ss.Statistics) -> None:
    latent = session.latent(seed=1)
    found = ss.effect(session, latent, Channel(0, 2), (-2, 0, 2), stats=stats)
    np.testing.assert_array_equal(found.pictures[1], session.image(latent))
    assert found.heat[8:12].min() > 0 and not found.heat[:8].any() and not found.heat[12:].any()
    expected = 2 * float(stats.std[2]) * 0.05 * 127.5
    np.testing.assert_allclose(found.heat[8:12], expected, rtol=1e-4)


def test_the_effect_starts_from_the_strength_that_the_latent_has(
    session: GeneratorSession, stats: ss.Statistics
) -> None:
    direction = ss.edit_direction(session, {Channel(0, 0): 1.0}, stats)
    latent = session.latent(seed=1).with_edit(direction, 1.0)
    found = ss.direction_effect(session, latent, direction, (0, 1))
    np.testing.assert_array_equal(found.pictures[0], session.image(latent))
    np.testing.assert_array_equal(found.pictures[1], session.image(latent.with_edit(direction, 2.0)))


def test_an_empty_edit_is_refused(session: GeneratorSession, stats: ss.Statistics) -> None:
    with pytest.raises(ValueError, match="at least one channel"):
        ss.edit_direction(session, {Channel(0, 0): 0.0}, stats)


# -- by place ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("colours", ["mixed", "each"])
@pytest.mark.parametrize("place", range(PLACES))
def test_the_channel_that_paints_a_place_is_found_there(
    session: GeneratorSession, stats: ss.Statistics, place: int, colours: str
) -> None:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[place * 4 : place * 4 + 4] = True
    latents = [session.latent(seed=i) for i in range(3)]
    rankings = list(ss.local_effect(session, latents, stats, mask, colours=colours, batch=8))
    assert all(r.channels[0] == Channel(0, place) for r in rankings), "from the first estimate on"
    first, last = rankings[0], rankings[-1]
    assert first.stage == "quick" and last.stage == "maps" and last.pictures == 3 and last.done == last.total
    assert last.values[place] == pytest.approx(1) and last.table["inside"][place] == pytest.approx(1, abs=1e-3)
    assert last.table["inside"][4] == pytest.approx(0.25, abs=1e-3), "a wash has a quarter of its effect in a quarter"
    assert np.isnan(last.values[6:]).all() and len(last.channels) == 6, "ToRGB is left out"
    assert last.table["strength"][place] == pytest.approx(0.05 * float(stats.std[place]) * 127.5, rel=2e-3)


def test_each_region_of_a_segmentation_accepts_its_own_channel(session: GeneratorSession, stats: ss.Statistics) -> None:
    def stripes(picture: np.ndarray) -> np.ndarray:
        return np.repeat(np.arange(SIDE) // 4, SIDE).reshape(SIDE, SIDE)

    *_, found = ss.local_effect(session, session.latent(seed=0), stats, stripes, names=("a", "b", "c", "d"), target="c")
    for place, name in enumerate("abcd"):
        accepted = found.for_region(name).accepted()
        assert accepted[0] == Channel(0, place)
        assert not any(Channel(0, other) in accepted for other in range(PLACES) if other != place)


def test_torgb_channels_are_ranked_when_asked(session: GeneratorSession, stats: ss.Statistics) -> None:
    *_, found = ss.local_effect(session, session.latent(seed=0), stats, np.ones((SIDE, SIDE), bool), include_torgb=True)
    assert len(found.channels) == 9


def test_a_search_that_is_stopped_keeps_its_last_ranking_and_goes_on_from_disk(
    session: GeneratorSession, stats: ss.Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask, seen = np.eye(SIDE, dtype=bool), []

    latents = [session.latent(seed=i) for i in range(2)]
    run = ss.local_effect.start(session, latents, stats, mask, batch=2)
    for progress in run:
        seen.append((progress.done, progress.total))
        if progress.done > 3 * progress.total // 4:  # in the second picture
            run.stop()
    assert run.result().pictures == 1 and seen[-1][0] < seen[-1][1]
    whole = list(ss.local_effect(session, latents, stats, mask, batch=2))
    assert whole[-1].pictures == 2 and len(whole) < seen[-1][1]
    again = list(ss.local_effect(session, latents, stats, mask, batch=2, cached=False))
    assert again[-1].channels == whole[-1].channels and again[-1].done == again[-1].total


def test_a_search_imports_nothing_that_holds_up_a_page(
    session: GeneratorSession, stats: ss.Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        sys.modules, "torch.fx.experimental.symbolic_shapes", None
    )  # importing it, and sympy, now fails
    mask = np.zeros((session.resolution, session.resolution), bool)
    mask[:4] = True
    *_, found = ss.local_effect(session, session.latent(seed=3), stats, mask, cached=False)
    assert found.stage == "maps" and found.done == found.total


def test_gradient_maps_agree_with_finite_differences(real: GeneratorSession) -> None:
    from stylewidgets.stylespace.search.gradients import gradient_maps, pooled

    latent = real.latent(seed=5)
    maps = gradient_maps(real, latent, grid=4, colours="each", cached=False)
    assert maps is not None and maps.shape == (ss.num_channels(real.layers), 4, 4)
    styles, flat, both = torch.cat(real.code_styles(latent), dim=1), 11, []
    for step in (-1e-3, 1e-3):
        moved = styles.clone()
        moved[0, flat] += step
        picture = real.synthesize(list(moved.split([layer.channels for layer in real.layers], dim=1)))
        both.append(torch.nn.functional.adaptive_avg_pool2d(picture, 4))
    expected = ((both[1] - both[0]) / 2e-3).abs().mean(dim=1)[0].numpy()
    np.testing.assert_allclose(maps[flat], expected, rtol=2e-2, atol=1e-3)
    picture, styles = pooled(real, [latent], 4)
    assert picture.shape == (1, 3, 4, 4) and all(s.requires_grad for s in styles)


@pytest.mark.parametrize(("regions", "words"), [
    (np.zeros((SIDE, SIDE), bool), "empty"), (np.ones((4, 4), bool), "pixels was given"),
    (np.full((SIDE, SIDE), 0.5), "fractions"), (np.full((SIDE, SIDE), -1), "0 to 254"),
])  # fmt: skip
def test_regions_that_do_not_fit_are_refused(
    session: GeneratorSession, stats: ss.Statistics, regions: Any, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        ss.local_effect(session, session.latent(), stats, regions)


def test_a_stroke_smaller_than_a_cell_is_not_lost() -> None:
    labels = np.zeros((16, 16), np.uint8)
    labels[5, 9] = 1
    cells = in_cells(labels, (4, 4), 2, 1)
    assert cells[1, 2] == 1 and cells.sum() == 1
    assert label_maps(labels * 255, [np.zeros((16, 16, 3), np.uint8)])[0][0].max() == 1


def test_overlap_counts_the_strongest_cells_that_lie_in_a_region() -> None:
    cells = np.array([[1, 1, 0, 0], [0, 0, 0, 0]], np.uint8)
    maps = np.array([[[9, 8, 0, 0], [0, 0, 0, 0]], [[9, 0, 8, 0], [0, 0, 0, 0]], [[0, 0, 0, 0], [0, 0, 0, 0]]], float)
    found = Overlaps(2, 3).with_picture(maps, cells)
    np.testing.assert_allclose(found.overlap(1)[:2], [1, 0.5])
    np.testing.assert_allclose(found.inside(1), [1, 9 / 17, 0])
    np.testing.assert_allclose(found.share()[:, 1], [1, 1, 0]), "a still channel wins nowhere"


# -- by example ----------------------------------------------------------------------------------------------------------
def test_theta_finds_the_channel_that_the_examples_share(session: GeneratorSession, stats: ss.Statistics) -> None:
    low = np.argsort(stats.samples(Channel(0, 1)))[:15]
    found = ss.attribute_ranking(session, stats, low)
    assert found.channels[0] == Channel(0, 1) and found.row(Channel(0, 1))["sign"] == -1
    delta = (stats.values[low].astype(np.float64) - stats.mean) / stats.std
    np.testing.assert_allclose(found.values[1], abs(delta[:, 1].mean()) / delta[:, 1].std(), rtol=1e-3)
    latents = [session.latent(code=Code("w", stats.w[i])) for i in low]
    assert ss.attribute_ranking(session, stats, latents).channels[0] == Channel(0, 1)
    assert ss.attribute_ranking(session, stats, stats.values[low]).channels == found.channels
    assert all(c.layer != 2 for c in found.channels)


@pytest.mark.parametrize("positives", [[1], [1, 400], [0.5, 1.5]])
def test_examples_that_do_not_fit_are_refused(session: GeneratorSession, stats: ss.Statistics, positives: Any) -> None:
    with pytest.raises(ValueError):
        ss.attribute_ranking(session, stats, positives)


# -- by attribute --------------------------------------------------------------------------------------------------------
def rows_reader() -> ss.Reader:
    """The brightness of each quarter of the rows; the first counts against the scale of the others."""
    names = tuple(f"row {i}" for i in range(PLACES))
    return ss.Reader(names, lambda x: x.mean(dim=(1, 3)).view(-1, PLACES, SIDE // PLACES).mean(dim=2))


@pytest.mark.parametrize("method", ["correlation", "regression"])
def test_factor_ranking_finds_the_channel_of_each_factor(
    session: GeneratorSession, stats: ss.Statistics, method: str
) -> None:
    factors = {"up": stats.samples(Channel(0, 3)), "down": -stats.samples(Channel(1, 0))}
    found = ss.factor_ranking(session, stats, factors, method=method)
    assert found["up"].channels[0] == Channel(0, 3) and found["down"].channels[0] == Channel(1, 0)
    assert found["down"].row(Channel(1, 0))["sign"] == -1


def test_gradients_of_readings_find_what_moves_them_alone(session: GeneratorSession, stats: ss.Statistics) -> None:
    reader = rows_reader()
    readings = ss.read_samples(session, stats, reader)
    effects = ss.factor_effects(session, stats, reader, readings.std(axis=0), faces=2)
    expected = 0.05 * stats.std[1] / readings[:, 1].std()
    np.testing.assert_allclose(effects[:, 1, 1], expected, rtol=1e-4)
    ranking = ss.effect_ranking(session, stats, effects, reader)
    assert [ranking[f"row {i}"].channels[0] for i in range(PLACES)] == [Channel(0, i) for i in range(PLACES)]


def test_attribute_dependency_is_that_of_the_definition(session: GeneratorSession, stats: ss.Statistics) -> None:
    reader, scale = rows_reader(), np.array([1.0, 2.0, 4.0, 1.0])
    local = ss.attribute_dependency(session, Channel(0, 0), stats, reader, "row 0", strengths=(1, 2), scale=scale)
    np.testing.assert_allclose(local.mean, 0, atol=1e-6)
    wash = ss.attribute_dependency(session, Channel(1, 1), stats, reader, "row 0", strengths=(10, 20), scale=scale)
    step = 20 * float(stats.std[5]) * 0.02
    np.testing.assert_allclose(
        [wash.change[1], wash.mean[1], wash.largest[1]], [step, np.mean([step / 2, step / 4, step]), step], rtol=1e-4
    )
    mean, largest = wash.at(step * 0.75)
    np.testing.assert_allclose([mean, largest], [0.75 * wash.mean[1], 0.75 * step], rtol=1e-4)
    assert np.isnan(wash.at(2 * step)[0])


def test_readings_of_one_attribute_are_no_side_effects_of_each_other(
    session: GeneratorSession, stats: ss.Statistics
) -> None:
    plain = rows_reader()
    reader = ss.Reader(plain.names, plain.read, ("a", "a", "b", "b"))
    found = ss.attribute_dependency(session, Channel(0, 1), stats, reader, "row 0", strengths=(3,), scale=np.ones(4))
    np.testing.assert_allclose(found.mean, 0, atol=1e-6)


def test_reach_goes_to_the_side_that_raises_the_target(session: GeneratorSession, stats: ss.Statistics) -> None:
    reader = ss.Reader(
        ("dark", "rest"), lambda x: torch.stack([-x[:, :, :4].mean(dim=(1, 2, 3)), x[:, 0, 9, 9]], dim=1)
    )
    faces = ss.Faces(session, reader, stats.w[:4], np.array([0.1, 1.0]), stats)
    found = ss.reach(faces, ss.edit_direction(session, {Channel(0, 0): 1.0}, stats), "dark", 1.0)
    assert (found.strengths < 0).all() and np.isfinite(found.at(1.0)[0])
    assert 1.0 <= found.change.max() < 1.2


# -- DCI -----------------------------------------------------------------------------------------------------------------
@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1000), st.permutations(range(5)))
def test_a_disentangled_code_has_dci_of_one(seed: int, order: list[int]) -> None:
    factors = np.random.RandomState(seed).randn(400, 5)
    found = ss.dci(factors[:, order] * np.array([1.0, -2.0, 3.0, 0.1, 10.0]), factors)
    assert min(found[:3]) > 0.97


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1000))
def test_a_rotated_code_is_informative_and_not_disentangled(seed: int) -> None:
    random = np.random.RandomState(seed)
    factors = random.randn(600, 6)
    rotation, _ = np.linalg.qr(random.randn(6, 6))
    found = ss.dci(factors @ rotation, factors)
    assert found.informativeness > 0.95 and found.disentanglement < 0.6 and found.completeness < 0.6


def test_a_code_without_factors_in_it_tells_nothing() -> None:
    random = np.random.RandomState(0)
    assert ss.dci(random.randn(400, 5), random.randn(400, 3)).informativeness < 0.05


@pytest.mark.slow
def test_trees_agree_on_a_disentangled_code() -> None:
    pytest.importorskip("sklearn")
    factors = np.random.RandomState(0).randn(300, 3)
    found = ss.dci(factors, factors, method="gbt")
    assert min(found[:3]) > 0.95


def test_dci_of_an_importance_matrix_is_that_of_the_formula() -> None:
    found = of_importance(np.array([[3.0, 0.0], [1.0, 1.0], [0.0, 0.0]]), np.array([1.0, 0.5]))
    column = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(3)
    np.testing.assert_allclose(found[:3], [3 / 5, 4 / 5 * (1 - column) + 1 / 5, 0.75], atol=1e-8)


# -- cache ---------------------------------------------------------------------------------------------------------------
def test_a_damaged_file_counts_as_absent(session: GeneratorSession) -> None:
    name = cache.key(session, "thing", n=3)
    cache.write(name, values=np.arange(3))
    np.testing.assert_array_equal(cache.read(name)["values"], np.arange(3))
    path = cache.folder() / f"{name}.npz"
    whole = path.read_bytes()
    for damaged in (b"", whole[:40], b"x" * 300, whole[:-30]):
        path.write_bytes(damaged)
        assert cache.read(name) is None
    np.savez(path, values=np.array([{}], dtype=object))
    assert cache.read(name) is None, "nothing is unpickled"
    assert cache.clear() == 1 and cache.read(name) is None


def test_the_key_changes_with_weights_and_arguments(session: GeneratorSession) -> None:
    first = cache.key(session, "thing", n=3)
    assert cache.key(session, "thing", n=3) == first != cache.key(session, "thing", n=4)
    session.generator.mapping.scale.mul_(2)
    assert cache.key(session, "thing", n=3) != first


def test_a_folder_that_cannot_be_written_loses_nothing(
    session: GeneratorSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path / "file"))
    *_, found = ss.local_effect(session, session.latent(), ss.statistics(session, 100), np.eye(SIDE, dtype=bool))
    assert found.stage == "maps"
