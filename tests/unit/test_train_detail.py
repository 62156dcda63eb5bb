"""Growing a generator with detail: what is kept, what is drawn of a window, and what the energy score asks of noise."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stylewidgets.avatars import DETAIL_FACTORS
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.ops.upfirdn2d import upsample2d
from stylewidgets.training.detail.amounts import Amounts, amount_directions
from stylewidgets.training.detail.chance import Chance
from stylewidgets.training.detail.data import Pool, Seen
from stylewidgets.training.detail.phases import Spot, finished, mixed_step, noise_step, paired_step, white_noise, window
from stylewidgets.training.detail.state import GrowingRun, GrowRecipe, grown
from stylewidgets.training.losses import paired_loss

SMALL = StyleGAN2Config(resolution=16, channels=(8, 8, 8), z_dim=40, w_dim=72, mapping_layers=2, mapping_width=72)


@pytest.fixture(scope="module")
def teacher() -> StyleGAN2:
    torch.manual_seed(3)
    return StyleGAN2(SMALL).eval()


@pytest.fixture(scope="module")
def amounts(teacher: StyleGAN2) -> Amounts:
    return Amounts.of(teacher, samples=4000)


def test_amounts_are_standard_normal_over_codes_and_do_not_go_together(teacher: StyleGAN2, amounts: Amounts) -> None:
    with torch.no_grad():
        w = teacher.map(torch.randn(3000, 40, generator=torch.Generator().manual_seed(9)))[:, 0]
    normal = amounts.normal(w)
    assert float(normal.mean(0).abs().max()) < 0.1
    torch.testing.assert_close(torch.cov(normal.T), torch.eye(6), atol=0.12, rtol=0)
    assert float(amounts(w).min()) >= 0 and float(amounts(w).max()) <= 1


def test_a_direction_moves_one_amount_by_one_and_no_other(amounts: Amounts) -> None:
    torch.testing.assert_close(
        amounts.normal(amounts.towards()) - amounts.normal(torch.zeros(1, 72)), torch.eye(6), atol=1e-4, rtol=0
    )
    found = amount_directions(amounts.to_plain())
    assert [d.name for d in found] == [f.name for f in DETAIL_FACTORS]
    moved = amounts.normal(torch.tensor(found[2].vector * found[2].sigma)[None]) + amounts.offsets
    torch.testing.assert_close(moved[0], torch.eye(6)[2], atol=1e-3, rtol=0)


def test_a_generator_that_has_just_grown_draws_the_old_picture_enlarged(teacher: StyleGAN2, amounts: Amounts) -> None:
    generator = grown(teacher, 6, amounts).eval()
    z = torch.randn(2, 40, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        old, new = (g.synthesize(g.map(z), noise="none") for g in (teacher, generator))
        torch.testing.assert_close(new, upsample2d(old), atol=1e-5, rtol=0)
        assert torch.equal(teacher.map(z)[:, 0], generator.map(z)[:, 0])


def test_a_window_is_a_part_of_the_whole_picture() -> None:
    torch.manual_seed(5)
    generator = StyleGAN2(StyleGAN2Config(resolution=256, channels=(4,) * 7, z_dim=8, w_dim=8, mapping_layers=1)).eval()
    with torch.no_grad():
        ws = generator.map(torch.randn(1, 8))
        whole = generator.synthesize(ws, noise="none")
        for spot in (Spot(0, 0, 64), Spot(17, 9, 64), Spot(32, 32, 64)):
            part = finished(generator, window(generator, ws, spot), None)
            torch.testing.assert_close(part, spot.of(whole), atol=1e-4, rtol=0)


def test_a_window_of_known_noise_is_a_part_of_the_picture_with_it() -> None:
    torch.manual_seed(6)
    generator = StyleGAN2(StyleGAN2Config(resolution=256, channels=(4,) * 7, z_dim=8, w_dim=8, mapping_layers=1)).eval()
    for conv in (conv for block in generator.synthesis.blocks[-2:] for conv in block.convs):
        torch.nn.init.constant_(conv.noise_strength, 0.5)
    spot = Spot(17, 0, 64)
    with torch.no_grad():
        ws = generator.map(torch.randn(1, 8))
        maps = [torch.randn(1, 1, *shape) for shape in generator.noise_shapes]
        whole = generator.synthesize(ws, noise=[*[None] * (len(maps) - 4), *maps[-4:]])
        start = window(generator, ws, spot)
        known = [spot.around(one) for one in maps[-4:]]
        assert [k.shape for k in known] == [w.shape for w in white_noise(start)]
        torch.testing.assert_close(finished(generator, start, known), spot.of(whole), atol=1e-4, rtol=0)


def test_chance_as_noise_has_variance_one_and_its_slopes_give_it_back() -> None:
    torch.manual_seed(8)
    colour = torch.tensor([1.0, 0.5, 0.25])[:, None, None]
    strength = torch.cat([torch.full((64, 32), 0.3), torch.zeros(64, 32)], 1)
    added = strength * colour * torch.randn(4, 1, 64, 64)
    chance = Chance.of(added)
    own, white = (chance.drawn(torch.full((4,), kind)) for kind in (True, False))
    for noise in (*own[:2], *white[:2]):
        assert abs(float(noise.var()) - 1) < 0.15
    assert float((own[2] - added).abs().mean()) < 0.05 * float(added.abs().mean())
    inside = (white[2][..., :24].std((0, 2, 3)) / added[..., :24].std((0, 2, 3))).log().abs()
    assert float(inside.max()) < 0.1
    assert float(white[2][..., 40:].abs().max()) < 0.02


def test_the_energy_score_is_smallest_for_noise_as_strong_as_chance() -> None:
    random = torch.Generator().manual_seed(2)
    even = torch.ones(64, 1, 16, 16)
    chance, first, second = (torch.randn(64, 3, 16, 16, generator=random) for _ in range(3))

    def score(s: float) -> float:
        near = (paired_loss(s * first, chance, even) + paired_loss(s * second, chance, even)) / 2
        return float(near - paired_loss(s * first, s * second, even) / 2)

    scores = {s: score(s) for s in (0.0, 0.6, 1.0, 1.5)}
    assert min(scores, key=lambda s: scores[s]) == 1.0


def run_of(teacher: StyleGAN2) -> GrowingRun:
    return GrowingRun(GrowRecipe(channels=6, batch=2, kept_below=8), teacher)


@pytest.mark.slow
def test_paired_noise_learns_its_place_and_lets_the_picture_be(teacher: StyleGAN2) -> None:
    run = GrowingRun(GrowRecipe(channels=6, kept_below=8, matrix_rate=1.5e-2, learning_rate=1e-2), teacher)
    with torch.no_grad():
        w = run.generator.map(torch.randn(4, 40, generator=torch.Generator().manual_seed(4)))[:, 0]
        ws = w[:, None].expand(-1, run.generator.num_ws, -1)
        plain = run.generator.synthesize(ws, noise="none")
    left = torch.cat([torch.ones(32, 16), torch.zeros(32, 16)], 1)

    def share(generator: StyleGAN2) -> float:
        """How much more noise moves the left half than the right one."""
        torch.manual_seed(11)
        with torch.no_grad():
            moved = torch.stack([generator.synthesize(ws, noise="random") for _ in range(8)]).std(0).mean((0, 1))
        return float(moved[:, :14].mean() / moved[:, 18:].mean())

    before = share(run.generator)
    for _ in range(120):
        seen = Seen(w, plain + 0.3 * left * torch.randn(4, 1, 32, 32), plain, torch.ones(4, 1, 32, 32))
        paired_step(run, seen)
    with torch.no_grad():
        drift = float((run.generator.synthesize(ws, noise="none") - plain).abs().mean())
    assert before < 1.5
    assert share(run.generator) > 2.5
    assert drift < 0.15


@pytest.mark.slow
def test_a_few_steps_learn_keep_the_mapping_and_go_on_where_they_stopped(
    teacher: StyleGAN2, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(teacher)
    pool = Pool(tmp_path / "renders", 6, 32, run.teacher, run.world, run.amounts)
    pool.grow(4)
    again = Pool(tmp_path / "renders", 6, 32, run.teacher, run.world, run.amounts)
    assert again.done == 4
    again.grow(4)
    assert again.done == 6
    seen = again.batch(torch.arange(4).numpy())
    assert float((seen.image - seen.plain).abs().mean()) > 1e-3

    def steps(run: GrowingRun) -> list[float]:
        torch.manual_seed(7)
        return [paired_step(run, seen)["plain"] for _ in range(12)] + [
            *noise_step(run, seen).values(),
            *mixed_step(run).values(),
        ]

    losses = steps(run)
    assert losses[11] < 0.9 * losses[0]
    assert torch.equal(run.generator.mapping.w_avg, teacher.mapping.w_avg)
    assert torch.equal(run.generator.synthesis.b4.conv1.weight, teacher.synthesis.b4.conv1.weight)
    run.save(tmp_path / "checkpoint.pt")
    monkeypatch.setattr("stylewidgets.training.detail.state.teacher_of", lambda path: (teacher, {}))
    other = GrowingRun.load(tmp_path / "checkpoint.pt", tmp_path / "start.safetensors")
    assert other.images == run.images == 48
    assert steps(other) == steps(run)
