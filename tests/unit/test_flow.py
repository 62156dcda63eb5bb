"""StyleFlow: a flow fitted to a toy whose attributes are known, and its edits as values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets import editing, jobs
from stylewidgets.editing.flow import fitting
from stylewidgets.editing.flow.attributes import Attribute, Attributes, of_readings
from stylewidgets.editing.flow.core import FlowCore
from stylewidgets.editing.flow.in_turn import InTurn
from stylewidgets.editing.flow.network import ConditionalFlow
from stylewidgets.editing.flow.reader import CodeReader
from stylewidgets.editing.flow.rows import PAPER, acting, find_rows, mixture, of_paper
from stylewidgets.editing.flow.training import Trainer, train
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.latent import Code, FlowEdit, Latent

W, R = 6, 6


def make_session(w_dim: int = W, seed: int = 2) -> sw.GeneratorSession:
    config = StyleGAN2Config(z_dim=4, w_dim=w_dim, resolution=16, channels=(4, 4, 4), mapping_layers=2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = StyleGAN2(config)
    return sw.GeneratorSession(made, device="cpu", precision="fp32", name="toy")


def make_core(seed: int = 0, shares: torch.Tensor | None = None, w_dim: int = W) -> FlowCore:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ConditionalFlow(w_dim, (8,), 3, steps=32)
        network.whitening.fit(torch.randn(64, w_dim), torch.randn(64, 3))
        reader = CodeReader(w_dim, 3, 4)
    entries = [
        Attribute("smile", low=-2, high=3, mean=0.2, deviation=0.5),
        Attribute("yaw", "degrees", -45, 45, 0, 18),
        Attribute("hat", "chance", 0, 1, -1, 3),
    ]
    return FlowCore(network, Attributes(entries), reader, shares)


@pytest.fixture(autouse=True)
def same_numbers() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture(scope="module")
def session() -> sw.GeneratorSession:
    return make_session()


@pytest.fixture
def flow(session: sw.GeneratorSession) -> editing.Flow:
    made = editing.Flow(make_core(), {"name": "toy", "w": session.fingerprint("w"), "licence": "MIT"}).bound(session)
    session.editors.add("flow", made)
    return made


# -- the network ------------------------------------------------------------------------------------------------------------
def test_w_to_z_to_w_is_exact_and_differentiable() -> None:
    core = make_core()
    w, a = torch.randn(5, W), torch.randn(5, 3)
    z = core.network.encode(w, a)
    assert float((core.network.decode(z, a) - w).abs().max()) < 1e-5
    wanted = a.clone().requires_grad_()
    (slope,) = torch.autograd.grad(core.network.decode(z, wanted)[:, 0].sum(), wanted)
    step = torch.zeros_like(a)
    step[:, 1] = 1e-2
    there, back = (core.network.decode(z, a + sign * step)[:, 0] for sign in (1, -1))
    torch.testing.assert_close(slope[:, 1], (there - back) / 2e-2, rtol=1e-2, atol=1e-4)


def test_the_volume_is_that_of_the_jacobian() -> None:
    core = make_core(3)
    w, a = torch.randn(W).double(), torch.randn(3).double()
    network = core.network.double()
    jacobian = torch.autograd.functional.jacobian(lambda x: network.encode(x, a), w)
    probes = torch.eye(W, dtype=torch.float64) * math.sqrt(W)  # their mean is the trace exactly
    _, volume = network.encode_with_volume(w.expand(W, W), a.expand(W, 3), probes)
    assert float(-volume.mean()) == pytest.approx(float(torch.linalg.slogdet(jacobian)[1]), abs=1e-4)


def test_the_number_of_steps_is_the_least_that_twice_as_many_agree_with() -> None:
    network = make_core().network
    w, a = torch.randn(8, W), torch.randn(8, 3)
    assert network.check_steps(w, a) == network.steps == 4
    with torch.no_grad():
        network.velocity.layers[0].layer.weight.mul_(4)
        network.velocity.layers[1].layer.weight.mul_(4)
    stiff = network.check_steps(w, a)
    assert stiff > 4
    assert float((network.encode(w, a) - network.encode(w, a, 2 * stiff)).abs().max()) < 1e-4
    with torch.no_grad():
        network.velocity.layers[1].layer.weight.mul_(1e4)
    with pytest.raises(ValueError, match="too stiff"):
        network.check_steps(w, a, most=8)


def pairs(n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """w that bends with an attribute, which no linear shift follows."""
    random = torch.Generator().manual_seed(seed)
    a = torch.randn((n, 1), generator=random)
    noise = torch.randn((n, 2), generator=random)
    return torch.cat([a + 0.1 * noise[:, :1], a**2 + 0.1 * noise[:, 1:]], dim=1), a


def test_an_untrained_flow_is_the_linear_conditional_gaussian() -> None:
    trainer = Trainer(*pairs(500), hidden=(8,), matching=0, likelihood=0)
    flow, plain = trainer.measure()
    assert flow == pytest.approx(plain, abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("phases", [(600, 0), (0, 150)], ids=["matching", "likelihood"])
def test_either_training_follows_what_the_linear_gaussian_cannot(phases: tuple[int, int]) -> None:
    trained = jobs.run(train.steps(Trainer(*pairs(3000), hidden=(32, 32), matching=phases[0], likelihood=phases[1])))
    assert trained is not None and trained.surprise < trained.plain - 0.1
    w, a = pairs(200, 1)
    moved = trained.network.decode(trained.network.encode(w, a), a + 1)
    linear = w + trained.network.whitening.slope[0]
    truth = torch.cat([w[:, :1] + 1, w[:, 1:] + 2 * a + 1], dim=1)
    assert float((moved - truth).square().mean()) < 0.5 * float((linear - truth).square().mean())


def test_training_that_broke_off_goes_on_with_the_same_bits() -> None:
    def trainer() -> Trainer:
        return Trainer(*pairs(300), hidden=(8,), matching=4, likelihood=4, seed=5)

    whole, broken = trainer(), trainer()
    for _ in range(8):
        whole.advance()
    for _ in range(5):
        broken.advance()
    state, resumed = broken.state(), trainer()
    resumed.restore(state)
    while resumed.step < resumed.total:
        resumed.advance()
    for name, value in whole.average.state_dict().items():
        assert torch.equal(value, resumed.average.state_dict()[name]), name
    with pytest.raises(ValueError, match="another training"):
        Trainer(*pairs(300), hidden=(9,), matching=4, likelihood=4).restore(state)


# -- attributes and rows ----------------------------------------------------------------------------------------------------
def test_values_go_to_the_network_and_back_and_ranges_are_kept() -> None:
    attributes = make_core().attributes
    values = torch.tensor([0.7, -20.0, 0.9])
    torch.testing.assert_close(attributes.natural(attributes.seen(values)), values)
    assert attributes.check({"yaw": 20, "hat": 1}) == {"yaw": 20.0, "hat": 0.99}
    with pytest.raises(ValueError, match=r"yaw is from -45 to 45 \(degrees\); 90 was given"):
        attributes.check({"yaw": 90})
    with pytest.raises(ValueError, match="did you mean 'smile'"):
        attributes.check({"smiel": 1})
    with pytest.raises(ValueError, match="finite"):
        attributes.check({"yaw": float("nan")})


def test_readings_become_attributes_what_never_changes_does_not() -> None:
    random = np.random.RandomState(0)
    readings = np.stack([random.randn(500) * 5 + 2, np.full(500, 3.0), random.randn(500) * 20], axis=1).astype(
        np.float32
    )
    made, seen = of_readings(["a", "b", "hat"], readings, units=("cm", "", ""), chances={"hat"}, shown=["hat"])
    assert made.names == ("hat", "a") and made[1].held and made[0].chance and made[1].unit == "cm"
    assert np.allclose(seen.mean(0), 0, atol=1e-5) and np.allclose(seen.std(0), 1, atol=1e-5)
    assert Attributes.build(made.describe()).describe() == made.describe()
    with pytest.raises(ValueError, match="did you mean 'hat'"):
        of_readings(["a", "hat"], readings[:, :2], shown=["hta"])


def test_the_rows_that_act_are_found_by_mixing_styles(session: sw.GeneratorSession) -> None:
    def read(pictures: torch.Tensor) -> torch.Tensor:
        low = torch.nn.functional.avg_pool2d(pictures, 8)
        return torch.stack([low.mean((1, 2, 3)), (pictures - pictures.roll(1, 3)).abs().mean((1, 2, 3))], dim=1)

    shares = jobs.run(find_rows.steps(session, read, np.ones(2, np.float32)))
    assert shares is not None
    assert shares.shape == (R, 2) and torch.allclose(shares.sum(0), torch.ones(2))
    rows = acting(shares)
    assert bool((rows.sum(0) >= 1).all()) and set(rows.unique().tolist()) <= {0.0, 1.0}
    assert bool(((shares * rows).sum(0) >= 0.95 - 1e-6).all())
    torch.testing.assert_close(mixture(shares).sum(0), torch.ones(2))


def test_the_papers_rows_are_found_again_in_its_shares() -> None:
    names = ("light 3", "yaw", "expression")
    rows = acting(of_paper(names), 1.0)
    for column, name in enumerate(("light", "yaw", "expression")):
        first, last = PAPER[name]
        assert rows[:, column].nonzero()[:, 0].tolist() == list(range(first, last))


# -- edits of codes ---------------------------------------------------------------------------------------------------------
def test_an_edit_moves_what_is_asked_and_with_corrections_comes_nearer() -> None:
    core, ws = make_core(1), torch.randn(1, W).expand(R, W)
    before = core.attributes.natural(core.read(ws))
    wanted = {"smile": float(before[0]) + 0.2}
    gaps = [
        abs(float(core.attributes.natural(core.read(core.edited(ws, wanted, corrections=k)))[0]) - wanted["smile"])
        for k in (0, 3)
    ]
    assert float((core.edited(ws, {}) - ws).abs().max()) < 1e-4 and gaps[1] < gaps[0]


def test_rows_on_which_an_attribute_does_not_act_stay() -> None:
    shares = torch.zeros(R, 3)
    shares[:2, 0], shares[2:, 1], shares[:, 2] = 0.5, 0.25, 1 / 6
    core, ws = make_core(2, shares), torch.randn(R, W)
    made = core.edited(ws, {"smile": 2.0})
    assert float((made[2:] - ws[2:]).abs().max()) < 1e-4 < float((made[:2] - ws[:2]).abs().max())


def test_merged_and_chained_edits_agree_in_any_order() -> None:
    shares = torch.rand(R, 3) + 0.1
    core, ws = make_core(4, shares / shares.sum(0)), torch.randn(R, W)
    start = core.attributes.natural(core.start(ws))
    names = core.attributes.names

    def values(**changed: float) -> dict[str, float]:
        return {**dict(zip(names, start.tolist(), strict=True)), **changed}

    merged = core.edited(ws, {"smile": 1.0, "yaw": 20.0}, start=values())
    for first, second in (({"smile": 1.0}, {"yaw": 20.0}), ({"yaw": 20.0}, {"smile": 1.0})):
        once = core.edited(ws, first, start=values())
        network = core.network
        rows = acting(shares / shares.sum(0))
        at = [names.index(name) for name in first]
        context = core.attributes.seen(start).expand(R, -1).clone()
        moved = core.attributes.seen(torch.tensor(list(values(**first).values())))
        context[:, at] += rows[:, at] * (moved - context)[:, at]
        z = network.encode(once, context)
        at = [names.index(name) for name in second]
        moved = core.attributes.seen(torch.tensor(list(values(**second).values())))
        context[:, at] += rows[:, at] * (moved - context)[:, at]
        assert float((network.decode(z, context) - merged).abs().max()) < 1e-5


def test_many_are_edited_together_as_each_by_itself() -> None:
    shares = torch.rand(R, 3) + 0.05
    core = make_core(shares=shares / shares.sum(dim=0))
    ws = torch.randn(3, R, W)
    wanted: list[dict[str, float]] = [{"yaw": 20}, {"hat": 0.9, "smile": 1.5}, {}]
    together = core.edited_together(ws, wanted, corrections=2)
    for code, aim, made in zip(ws, wanted, together, strict=True):
        torch.testing.assert_close(made, core.edited(code, aim, corrections=2), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(together[0], ws[0], atol=1e-2)


def test_in_turn_an_edit_starts_from_the_first_pictures_value() -> None:
    core, ws = make_core(5), torch.randn(R, W)
    chain = InTurn(core.network, ws, torch.zeros(3))
    chain.edit(0, 1.0, (0, R))
    made = chain.edit(0, 0.0, (0, R))
    assert float((made - ws).abs().max()) < 1e-4 and chain.target.tolist() == [0, 0, 0]


# -- the machine ------------------------------------------------------------------------------------------------------------
def test_edits_merge_and_strength_scales_them(session: sw.GeneratorSession, flow: editing.Flow) -> None:
    start = session.latent(seed=3)
    twice, once = flow.edit(flow.edit(start, smile=1.0), yaw=20), flow.edit(start, smile=1.0, yaw=20)
    assert twice == once and len(once.edits) == 1
    edit = once.edits[0]
    assert isinstance(edit, FlowEdit) and edit.controls == {"smile": 1.0, "yaw": 20.0}
    full = session.map(once)
    torch.testing.assert_close(full, session.map(flow.edit(once, strength=1.0)))
    half = session.map(start.with_edit(edit.with_strength(0.5)))
    assert not torch.allclose(half, full) and not torch.allclose(half, session.map(start))
    assert flow.edit(once, yaw=None).edits[0].controls == {"smile": 1.0}
    read = flow.core.attributes.natural(flow.core.read(full[0]))
    assert flow.attributes(once) == dict(zip(flow.names, read.tolist(), strict=True)) != flow.attributes(start)


def test_an_edit_by_another_flow_stands_beside_it(session: sw.GeneratorSession, flow: editing.Flow) -> None:
    other = editing.Flow(make_core(9), {"name": "other"})
    assert other.weights != flow.weights
    latent = flow.edit(session.latent(seed=1), smile=1.0)
    assert other.edit_of(latent) is None and flow.edit_of(latent) is not None


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"yaw": 90}, r"yaw is from -45 to 45 \(degrees\)"),
        ({"smiel": 1}, "did you mean 'smile'"),
        ({"yaw": "much"}, "yaw"),
        ({"hat": 1.5}, "hat is from 0 to 1"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(flow: editing.Flow, wanted: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        flow.edit(Latent(seed=1), **wanted)


def test_a_code_in_s_is_refused_with_the_remedy(session: sw.GeneratorSession, flow: editing.Flow) -> None:
    channels = sum(layer.channels for layer in session.layers)
    latent = Latent(code=Code("s", np.zeros(channels)))
    with pytest.raises(ValueError, match="start from a seed or a code in z, w or w"):
        flow.edit(latent, smile=1.0)
    with pytest.raises(ValueError, match="a code in s has no w"):
        flow.attributes(latent)


def test_weights_of_another_generator_are_refused(flow: editing.Flow) -> None:
    other, wider = make_session(seed=7), make_session(w_dim=W + 1)
    with pytest.raises(ValueError, match="trained on the w of another generator"):
        other.editors.add("flow", flow)
    with pytest.raises(ValueError, match="of w with 6 numbers; this generator's has 7"):
        wider.editors.add("flow", flow)
    assert flow.fits(make_session()) is None  # the same weights
    latent = flow.edit(Latent(seed=1), smile=1.0)
    with pytest.raises(ValueError, match="'flow' editor .* which this session does not have"):
        other.image(latent)


def test_a_group_takes_a_value_for_each_member(session: sw.GeneratorSession) -> None:
    core = make_core()
    entries = [Attribute(f"light {i}", low=-9, high=9, group="light") for i in range(2)] + [Attribute("hat", "chance")]
    flow = editing.Flow(FlowCore(core.network, Attributes(entries), core.reader), {"name": "lit"}).bound(session)
    latent = flow.edit(Latent(seed=1), light=(1.0, 2.0))
    assert latent.edits[0].controls == {"light 0": 1.0, "light 1": 2.0} and flow.groups == {
        "light": ("light 0", "light 1")
    }
    with pytest.raises(ValueError, match="light takes 2 values, for light 0, light 1"):
        flow.edit(Latent(seed=1), light=3)
    half = flow.towards(Latent(seed=1), Latent(seed=2), "light", amount=0.5).edits[0].controls
    here, there = flow.attributes(Latent(seed=1)), flow.attributes(Latent(seed=2))
    assert half == {name: pytest.approx((here[name] + there[name]) / 2) for name in ("light 0", "light 1")}


def test_new_pictures_have_what_is_asked_for(session: sw.GeneratorSession, flow: editing.Flow) -> None:
    made = flow.sample(5, seed=3, yaw=20)
    assert made == flow.sample(5, seed=3, yaw=20) != flow.sample(5, seed=4, yaw=20)
    assert len(flow.sample(2)) == 2 and all(session.check(latent) for latent in made)
    w = torch.tensor(np.stack([latent.code.array.reshape(-1) for latent in made if latent.code]))
    a = torch.zeros(5, 3)
    a[:, 1] = 20 / 18
    drawn = flow.core.network.encode(w, a)
    assert torch.isfinite(drawn).all()


@pytest.mark.parametrize("bad", [b"", b"PK\x03\x04 not a zip", b"\x80\x02}q\x00.", b'{"a": 1}' * 9])
def test_a_damaged_file_is_refused(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "a.flow.safetensors"
    path.write_bytes(bad)
    with pytest.raises(ValueError, match="is no flow, or it is damaged|holds no flow"):
        editing.Flow.load(path)


def test_a_file_comes_back_with_the_same_pictures(
    tmp_path: Path, session: sw.GeneratorSession, flow: editing.Flow
) -> None:
    path = flow.save(tmp_path / "toy.flow.safetensors")
    again = editing.Flow.load(path)
    assert again.weights == flow.weights and again.names == flow.names and again.about["licence"] == "MIT"
    latent = flow.edit(Latent(seed=4, psi=0.7), smile=1.0, hat=1.0)
    other = make_session()
    other.editors.add("flow", path, flow.weights)
    assert np.array_equal(other.image(latent), session.image(latent))
    with pytest.raises(ValueError, match="has no session"):
        again.attributes(latent)
    with pytest.raises(FileNotFoundError, match="train flow toy"):
        editing.Flow.load(session)


@pytest.mark.slow
def test_attributes_of_ones_own_are_a_function_of_pictures_or_a_table(
    session: sw.GeneratorSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    settings: dict[str, Any] = {"samples": 400, "matching": 60, "likelihood": 0, "reading": 100, "hidden": (8,)}
    flow = jobs.run(
        session.editors.fit("flow", reader=lambda p: p.mean((2, 3)), names=("red", "green", "blue"), **settings)
    )
    assert isinstance(flow, editing.Flow) and flow.names == ("red", "green", "blue")
    start = Latent(seed=1)
    before = flow.attributes(start)
    latent = flow.edit(start, red=min(before["red"] + 0.02, flow.reach("red")[1]))
    assert flow.attributes(latent)["red"] > before["red"]
    w = session.sample_w(300, 5).numpy()
    table = (w, {"first": w[:, 0], "second": w[:, 1] * 3})
    mine = jobs.run(session.editors.fit("flow", table=table, **settings))
    assert isinstance(mine, editing.Flow) and mine.names == ("first", "second") and mine.core.shares is None
    assert not editing.Flow.known(session), "flows of one's own attributes are kept by whoever made them"
    for given, text in (
        ({}, "nothing reads attributes of this generator's pictures"),
        ({"table": (w, {"a": w[:5, 0]})}, "column of 300 labels"),
        ({"table": (w[:, :3], {"a": w[:, 0]})}, r"w \[N, 6\]"),
        ({"reader": lambda p: p.mean((2, 3)), "names": ("red",)}, "3 numbers are read of a picture; 1 names"),
        ({"reader": lambda p: p.sum() * math.nan}, "finite numbers"),
    ):
        with pytest.raises(ValueError, match=text):
            jobs.run(session.editors.fit("flow", **settings, **given))


@pytest.mark.slow
def test_faces_and_training_have_seeds_of_their_own(session: sw.GeneratorSession, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"samples": 200, "matching": 20, "reading": 5, "hidden": (8,), "names": ("r", "g", "b")}
    made = {}
    for seed in (0, 1):
        job = fitting.fit(
            session, reader=lambda x: x.mean((2, 3)), seed=seed, faces_seed=5, folder=tmp_path / str(seed), **settings
        )
        found = jobs.run(job)
        assert found is not None
        made[seed] = found
    assert made[0][1]["seed"] == made[1][1]["seed"] == 5
    assert [made[seed][1]["training"]["seed"] for seed in (0, 1)] == [0, 1]
    assert torch.equal(made[0][0].moments, made[1][0].moments), "the faces are the same"
    first, second = (made[seed][0].network.velocity.layers[0].layer.weight for seed in (0, 1))  # type: ignore[union-attr]
    assert not torch.equal(first, second), "the training is not"  # type: ignore[arg-type]


@pytest.mark.slow
def test_partial_work_is_kept_and_found_again(session: sw.GeneratorSession, tmp_path: Path) -> None:
    calls: list[int] = []

    def read(pictures: torch.Tensor) -> torch.Tensor:
        calls.append(len(pictures))
        return pictures.mean((2, 3))

    settings: dict[str, Any] = {
        "reader": read,
        "samples": 300,
        "matching": 100,
        "reading": 20,
        "hidden": (8,),
        "folder": tmp_path,
    }
    first = jobs.run(fitting.fit(session, **settings))
    drawn = sum(calls)
    calls.clear()
    second = jobs.run(fitting.fit(session, **settings))
    assert first is not None and second is not None
    assert drawn - sum(calls) == 300, "the pictures of the pairs were read once"
    for name, value in first[0].state_dict().items():
        torch.testing.assert_close(value, second[0].state_dict()[name], msg=name)
