"""StyleRig: a rig fitted to a toy whose parameters are known, and its edits as values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets import domain, editing, jobs
from stylewidgets.editing import Rig
from stylewidgets.editing.flow.attributes import Attribute, Attributes
from stylewidgets.editing.rig import fitting
from stylewidgets.editing.rig.core import RigCore, Whitening
from stylewidgets.editing.rig.network import ParameterReader, RigNet
from stylewidgets.editing.rig.training import Asking, Trainer, fit_reader, train
from stylewidgets.latent import Code, Latent, RigEdit

from .test_flow import R, W, make_session


def make_core(seed: int = 0, rows: int = R, width: int = W) -> RigCore:
    """Nobody trained it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        whitening = Whitening.fitted(torch.randn(64, width))
        net = RigNet(rows, width, 3, latent=4, groups=2, decoder_hidden=(8,))
        reader = ParameterReader(1, width, 4, 6)
        shares = torch.rand(rows, 4)
    entries = [
        Attribute("yaw", "degrees", -45, 45, 0, 18, "pose"),
        Attribute("pitch", "degrees", -20, 20, 0, 8, "pose"),
        Attribute("smile", low=-2, high=3, mean=0.2, deviation=0.5, group="expression"),
        Attribute("age", held=True),
    ]
    return RigCore(net, reader, Attributes(entries), whitening, shares / shares.sum(dim=0))


@pytest.fixture(autouse=True)
def same_numbers() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture(scope="module")
def session() -> sw.GeneratorSession:
    return make_session()


@pytest.fixture
def rig(session: sw.GeneratorSession) -> editing.Rig:
    made = editing.Rig(make_core(), {"name": "toy", "w": session.fingerprint("w"), "licence": "MIT"}).bound(session)
    session.editors.add("rig", made)
    return made


# -- edits of codes ---------------------------------------------------------------------------------------------------------
def test_no_change_changes_nothing() -> None:
    core, ws = make_core(), torch.randn(R, W)
    assert torch.equal(core.edited(ws, {}), ws)
    assert torch.equal(core.edited(ws, {"yaw": 20}, strength=0.0), ws)
    now = core.attributes.natural(core.read(ws))
    same = core.edited(ws, {"yaw": float(now[0]), "smile": float(now[2])})
    assert float((same - ws).abs().max()) < 1e-5 < float((core.edited(ws, {"yaw": 20}) - ws).abs().max())


def test_the_order_of_wishes_has_no_effect_and_groups_add_up() -> None:
    core, ws = make_core(1), torch.randn(R, W)
    both, swapped = core.edited(ws, {"yaw": 20, "smile": 1}), core.edited(ws, {"smile": 1, "yaw": 20})
    assert torch.equal(both, swapped)
    parts = core.edited(ws, {"yaw": 20}) + core.edited(ws, {"smile": 1}) - ws
    torch.testing.assert_close(both, parts)
    together = core.edited(torch.stack([ws, ws + 0.1]), {"yaw": 20})
    torch.testing.assert_close(together[0], core.edited(ws, {"yaw": 20}))


def test_requests_follow_what_pictures_showed() -> None:
    core = make_core()
    core.curves = torch.tensor([[-1.0, 0.0, 1.0], [-1.0, 0.2, 0.5]])[:, None].expand(2, 3, 3).clone()
    shown = torch.tensor([[-1.0, 0.2, 0.35], [-0.4, 0.5, 0.8], [-3.0, 0.5, 0.2]])
    wanted = torch.tensor([[-1.0, 0.0, 0.5], [-0.5, 1.0, 1.3], [-3.0, 1.0, 0.0]])
    torch.testing.assert_close(core.requests(shown), wanted)
    ws = torch.randn(R, W)
    assert torch.equal(core.edited(ws, {}), ws)


def test_whitening_gives_back_what_it_took() -> None:
    w = torch.randn(200, W) @ torch.randn(W, W) + 3
    whitening = Whitening.fitted(w)
    white = whitening(w)
    torch.testing.assert_close(torch.cov(white.T), torch.eye(W), atol=1e-3, rtol=0)
    torch.testing.assert_close(whitening.back(white) + whitening.mean, w, atol=1e-3, rtol=1e-4)


# -- training ---------------------------------------------------------------------------------------------------------------
def toy(n: int = 1500, rows: int = 2) -> tuple[torch.Tensor, torch.Tensor, Asking]:
    """w whose first number is a parameter and whose second bends with it; the others are who it is."""
    random = torch.Generator().manual_seed(3)
    w = torch.randn((n, 4), generator=random)
    labels = torch.stack([w[:, 0], w[:, 1] + 0.5 * w[:, 0], w[:, 2], w[:, 3]], dim=1)
    ends = torch.full((2,), 1.5)
    asking = Asking([[0], [1]], -ends, ends, torch.ones(4), torch.full((rows, 4), 1 / rows))
    return w, labels, asking


@pytest.mark.slow
def test_training_brings_parameters_to_what_is_asked_and_leaves_the_rest() -> None:
    w, labels, asking = toy()
    reader = jobs.run(fit_reader.steps(w, labels, 75, steps=1200, hidden=24))
    assert reader is not None
    with torch.no_grad():
        assert float((reader(w[:, None]) - labels).square().mean()) < 0.02
    net = RigNet(2, 4, 2, latent=6, groups=2, decoder_hidden=(16,))
    trained = jobs.run(train.steps(Trainer(net, w, reader, asking, steps=500)))
    assert trained is not None
    ws, mine = w[:200, None].expand(-1, 2, -1), labels[:200, :2]
    wanted = torch.stack([torch.full((200,), 1.0), mine[:, 1]], dim=1)
    label = torch.tensor([1.0, 0.0]).expand(200, -1)
    with torch.no_grad():
        moved = (ws + trained.change(ws, mine, wanted, label)).mean(dim=1)
    assert float((moved[:, 0] - 1.0).abs().mean()) < 0.2
    assert float((moved[:, 1] + 0.5 * moved[:, 0] - mine[:, 1]).abs().mean()) < 0.2
    assert float((moved[:, 2:] - w[:200, 2:]).abs().mean()) < 0.15


def test_training_that_broke_off_goes_on_with_the_same_bits() -> None:
    w, _, asking = toy(200)
    reader = ParameterReader(1, 4, 4, 6).requires_grad_(False)
    start = RigNet(2, 4, 2, latent=3, groups=2).state_dict()

    def trainer() -> Trainer:
        net = RigNet(2, 4, 2, latent=3, groups=2)
        net.load_state_dict(start)
        return Trainer(net, w, reader, asking, steps=8, seed=5)

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
        Trainer(RigNet(2, 4, 2, latent=4, groups=2), w, reader, asking, steps=8).restore(state)


@pytest.mark.slow
def test_parameters_of_ones_own_are_a_function_of_pictures_or_a_table(
    session: sw.GeneratorSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    groups = {"warm": ("red", "green"), "cold": ("blue",)}
    settings: dict[str, Any] = {"samples": 400, "steps": 60, "reading": 100, "hidden": (8,), "groups": groups}
    made = jobs.run(session.editors.fit("rig", reader=lambda p: p.mean((2, 3)), **settings))
    assert isinstance(made, editing.Rig) and made.names == ("red", "green", "blue") and made.groups == groups
    start = Latent(seed=1)
    before = made.parameters(start)
    latent = made.edit(start, red=min(before["red"] + 0.02, made.reach("red")[1]))
    assert made.parameters(latent)["red"] > before["red"]
    w = session.sample_w(300, 5).numpy()
    table = (w, {"first": w[:, 0], "second": w[:, 1] * 3})
    mine = jobs.run(session.editors.fit("rig", table=table, **{**settings, "groups": None}))
    assert isinstance(mine, editing.Rig) and mine.groups == {"first": ("first",), "second": ("second",)}
    assert not editing.Rig.known(session), "rigs of one's own parameters are kept by whoever made them"
    for given, text in (
        ({}, "nothing reads attributes of this generator's pictures"),
        ({"table": (w, {"a": w[:5, 0]})}, "column of 300 labels"),
        ({"reader": lambda p: p.mean((2, 3)), "groups": {"a": ("red",)}}, "3 numbers are read of a picture; 1 names"),
    ):
        with pytest.raises(ValueError, match=text):
            jobs.run(session.editors.fit("rig", **{**settings, **given}))


@pytest.mark.slow
def test_partial_work_is_kept_and_found_again(session: sw.GeneratorSession, tmp_path: Path) -> None:
    calls: list[int] = []

    def read(pictures: torch.Tensor) -> torch.Tensor:
        calls.append(len(pictures))
        return pictures.mean((2, 3))

    settings: dict[str, Any] = {
        "reader": read, "groups": {"c": ("red", "green", "blue")}, "samples": 300, "steps": 30, "reading": 20, "hidden": (8,),
    }  # fmt: skip
    first = jobs.run(fitting.fit(session, folder=tmp_path, **settings))
    drawn = sum(calls)
    calls.clear()
    second = jobs.run(fitting.fit(session, folder=tmp_path, **settings))
    assert first is not None and second is not None
    assert drawn - sum(calls) == 300, "the pictures were read once"
    for name, value in first[0].state_dict().items():
        torch.testing.assert_close(value, second[0].state_dict()[name], msg=name)


def test_groups_are_those_of_the_paper_where_they_are_read() -> None:
    assert fitting.groups_of(["yaw", "age", "smile"]) == {"pose": ("yaw",), "expression": ("smile",)}
    assert fitting.groups_of(["red", "hat: cap"]) == {"red": ("red",)}


# -- the machine ------------------------------------------------------------------------------------------------------------
def test_edits_merge_and_strength_scales_them(session: sw.GeneratorSession, rig: editing.Rig) -> None:
    start = session.latent(seed=3)
    twice, once = rig.edit(rig.edit(start, smile=1.0), yaw=20), rig.edit(start, smile=1.0, yaw=20)
    assert twice == once and len(once.edits) == 1
    edit = once.edits[0]
    assert isinstance(edit, RigEdit) and edit.controls == {"smile": 1.0, "yaw": 20.0} and "yaw 20" in edit.label
    assert edit.with_control("yaw", 5).controls["yaw"] == 5
    full, half = session.map(once), session.map(rig.edit(once, strength=0.5))
    assert not torch.allclose(half, full) and not torch.allclose(half, session.map(start))
    assert torch.equal(session.map(rig.edit(once, strength=0.0)), session.map(start))
    assert rig.edit(once, yaw=None).edits[0].controls == {"smile": 1.0}


def test_parameters_are_taken_from_another_face(session: sw.GeneratorSession, rig: editing.Rig) -> None:
    start, other = session.latent(seed=3), session.latent(seed=4)
    taken = rig.take(start, other, "pose").edits[0].controls
    there = rig.parameters(other)
    assert set(taken) == {"yaw", "pitch"} and taken["yaw"] == pytest.approx(min(max(there["yaw"], -45), 45))
    assert rig.take(start, {"smile": 99.0, "nose": 1.0}).edits[0].controls == {"smile": 3.0}, "within its range"
    with pytest.raises(ValueError, match="did you mean 'pose'"):
        rig.take(start, other, "poes")
    with pytest.raises(ValueError, match="nothing reads parameters off pictures here"):
        rig.of_picture(np.zeros((16, 16, 3), np.uint8))


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"yaw": 90}, r"yaw is from -45 to 45 \(degrees\); 90 was given"),
        ({"smiel": 1}, "did you mean 'smile'"),
        ({"yaw": "much"}, "yaw"),
        ({"age": 1.0}, "age"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(rig: editing.Rig, wanted: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        rig.edit(Latent(seed=1), **wanted)


def test_a_code_in_s_is_refused_with_the_remedy(session: sw.GeneratorSession, rig: editing.Rig) -> None:
    latent = Latent(code=Code("s", np.zeros(sum(layer.channels for layer in session.layers))))
    with pytest.raises(ValueError, match="start from a seed or a code in z, w or w"):
        rig.edit(latent, smile=1.0)
    with pytest.raises(ValueError, match="a code in s has no w"):
        rig.parameters(latent)


def test_a_rig_of_another_generator_is_refused(rig: editing.Rig) -> None:
    other, wider = make_session(seed=7), make_session(w_dim=W + 1)
    with pytest.raises(ValueError, match="trained on the w of another generator"):
        other.editors.add("rig", rig)
    with pytest.raises(ValueError, match=r"6 rows of 6 numbers; this generator's has 6 of 7"):
        wider.editors.add("rig", rig)
    assert rig.fits(make_session()) is None  # the same weights
    with pytest.raises(ValueError, match="'rig' editor .* which this session does not have"):
        other.image(rig.edit(Latent(seed=1), smile=1.0))


def test_a_file_comes_back_with_the_same_pictures(
    tmp_path: Path, session: sw.GeneratorSession, rig: editing.Rig
) -> None:
    path = rig.save(tmp_path / "toy.rig.safetensors")
    again = editing.Rig.load(path)
    assert again.weights == rig.weights and again.groups == rig.groups and again.about["licence"] == "MIT"
    latent = rig.edit(Latent(seed=4, psi=0.7), smile=1.0, yaw=-10)
    other = make_session()
    other.editors.add("rig", path, rig.weights)
    assert np.array_equal(other.image(latent), session.image(latent))
    with pytest.raises(ValueError, match="has no session"):
        again.parameters(latent)
    with pytest.raises(FileNotFoundError, match="train rig toy"):
        editing.Rig.load(session)


@pytest.mark.parametrize("bad", [b"", b"PK\x03\x04 not a zip", b"\x80\x02}q\x00.", b'{"a": 1}' * 9])
def test_a_damaged_file_is_refused(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "a.rig.safetensors"
    path.write_bytes(bad)
    with pytest.raises(ValueError, match="is no rig, or it is damaged"):
        editing.Rig.load(path)


def test_a_file_with_other_sizes_or_no_number_is_refused(tmp_path: Path, rig: editing.Rig) -> None:
    from stylewidgets.core import files

    path = rig.save(tmp_path / "a.rig.safetensors")
    about, tensors = files.read_arrays(path, "stylewidgets", "pt")
    files.write_arrays(
        path, {**tensors, "curves": torch.full_like(tensors["curves"], torch.nan)}, about, "stylewidgets"
    )
    with pytest.raises(ValueError, match="'curves' is not finite"):
        editing.Rig.load(path)
    files.write_arrays(path, {**tensors, "curves": tensors["curves"].flip(2)}, about, "stylewidgets")
    with pytest.raises(ValueError, match="'curves' do not rise"):
        editing.Rig.load(path)
    files.write_arrays(path, {**tensors, "extra": torch.ones(9)}, about, "stylewidgets")
    with pytest.raises(ValueError, match="'extra' is missing, unknown or of another shape"):
        editing.Rig.load(path)
    files.write_arrays(path, tensors, {**about, "kind": "conditional-flow"}, "stylewidgets")
    with pytest.raises(ValueError, match="is of the kind 'conditional-flow'"):
        editing.Rig.load(path)


def test_the_bundled_rig_turns_a_head_and_keeps_who_it_is() -> None:
    session = sw.load(device="cpu", precision="fp32")
    rig = editing.Rig.load(session)
    assert {name: len(members) for name, members in rig.groups.items()} == {"pose": 3, "expression": 7, "light": 2}
    reader = domain.of(session).reader()  # type: ignore[union-attr, misc]
    start = session.latent(seed=11)
    latents = [start, rig.edit(start, yaw=-25), rig.edit(start, yaw=25)]
    read = reader(torch.cat([session.synthesize(session.map(latent)) for latent in latents]))
    _, left, right = read[:, reader.index("yaw")].tolist()
    assert -33 < left < -17 and 17 < right < 33
    skin = read[:, reader.index("skin_tone")]
    assert float((skin[1:] - skin[0]).abs().max()) < 0.1
    picture = session.render(latents[2])
    assert rig.of_picture(picture)["yaw"] == pytest.approx(right, abs=3)


def test_a_generator_of_the_same_w_but_other_rows_has_no_rig_yet() -> None:
    large, small = (sw.load(name, device="cpu") for name in ("avatar-128", "avatar-64"))
    assert large.fingerprint("w") == small.fingerprint("w") and large.num_ws != small.num_ws
    assert Rig.known(large) and not Rig.known(small)
