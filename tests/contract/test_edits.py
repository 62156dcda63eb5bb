"""What every kind of edits keeps, and a kind of one's own with its machine: the stub is the how-to."""

from __future__ import annotations

import gc
import json
import os
import weakref
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import traitlets

import stylewidgets as sw
from stylewidgets import editing, jobs, mixing
from stylewidgets.editing.flow.attributes import Attribute, Attributes
from stylewidgets.editing.flow.core import FlowCore
from stylewidgets.editing.flow.network import ConditionalFlow
from stylewidgets.editing.flow.reader import CodeReader
from stylewidgets.editing.rig.core import RigCore, Whitening
from stylewidgets.editing.rig.network import ParameterReader, RigNet
from stylewidgets.editing.words.mapper import Mapper
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.jobs import Job, Progress
from stylewidgets.latent import (
    Code,
    Direction,
    Edit,
    FlowEdit,
    Latent,
    MapperEdit,
    Move,
    RigEdit,
    TransferEdit,
    kinds,
    register_kind,
)
from stylewidgets.latent.caption import caption
from stylewidgets.latent.edits import STAGES, Door
from stylewidgets.latent.files import keys
from stylewidgets.widgets.kit.code import code
from stylewidgets.widgets.kit.controls.direction_rows import DirectionRows

W = 8
FILES = Path(__file__).parent / "data" / "files-0.1"


# -- a kind of one's own: an edit, and the machine that carries it out ------------------------------------------------------
@register_kind
@dataclass(frozen=True, eq=False, repr=False)
class Wish(Edit):
    """Moves w by what a `Wisher` says each wish is worth."""

    wishes: tuple[tuple[str, float], ...]
    weights: str
    strength: float = 1.0
    layers: tuple[int, int] | None = None
    name: str = "wish"

    kind = "wish"
    stage = "w"

    @property
    def controls(self) -> dict[str, float]:
        return dict(self.wishes)

    def with_control(self, name: str, value: float) -> Wish:
        if name not in self.controls:
            super().with_control(name, value)
        return replace(self, wishes=tuple({**self.controls, name: value}.items()))

    def apply(self, door: Door, value: Any, latent: Latent) -> Any:
        wisher: Any = door.editor(self.kind, self.weights)
        return value * (1 + self.strength * wisher.worth(self.controls))

    def describe(self, put: Any) -> dict[str, Any]:
        rest = {name: getattr(self, name) for name in ("weights", "strength", "name")}
        layers = None if self.layers is None else list(self.layers)
        return {"kind": self.kind, "wishes": dict(self.wishes), "layers": layers, **rest}

    @classmethod
    def build(cls, data: Any, get: Any) -> Wish:
        given = keys("wish", data, ("kind", "wishes", "layers", "weights", "strength", "name"), required=("wishes",))
        return cls(tuple(given["wishes"].items()), *(given[name] for name in ("weights", "strength", "layers", "name")))


@editing.register
class Wisher:
    """The machine: a number that scales wishes. Its file is that number."""

    kind = "wish"

    def __init__(self, factor: float) -> None:
        self.factor = factor
        self.weights = f"wisher-{factor:g}"

    def worth(self, wishes: dict[str, float]) -> float:
        return self.factor * sum(wishes.values())

    @classmethod
    def load(cls, source: Any) -> Wisher:
        if not isinstance(source, (str, os.PathLike)):
            raise FileNotFoundError("there is no wisher for this generator: Wisher.fit(session) makes one")
        return cls(float(Path(source).read_text()))

    @classmethod
    def fit(cls, session: Any) -> Job[Any]:
        yield Progress(0, 1, "wishing")
        return cls(1 / session.w_dim)

    def save(self, path: Any) -> Path:
        Path(path).write_text(str(self.factor))
        return Path(path)

    def fits(self, session: Any) -> str | None:
        return None if session.w_dim == W else f"this wisher is for w of {W}; this generator's has {session.w_dim}"


def make_flow(w_dim: int = W) -> editing.Flow:
    """A flow that nobody trained, of two attributes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = ConditionalFlow(w_dim, (6,), 2, steps=4)
        reader = CodeReader(w_dim, 2, 4)
    smile, yaw = Attribute("smile", low=-2, high=3), Attribute("yaw", "degrees", -45, 45, 0, 18)
    return editing.Flow(FlowCore(network, Attributes([smile, yaw]), reader), {"name": "toy"})


def make_rig() -> editing.Rig:
    """A rig that nobody trained, of two parameters."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        net, reader = RigNet(6, W, 2, latent=3, groups=2, decoder_hidden=(4,)), ParameterReader(1, W, 2, 4)
    smile, yaw = Attribute("smile", low=-2, high=3), Attribute("yaw", "degrees", -45, 45, 0, 18)
    return editing.Rig(
        RigCore(net, reader, Attributes([smile, yaw]), Whitening(W), torch.full((6, 2), 1 / 6)), {"name": "toy"}
    )


# -- what is drawn with -----------------------------------------------------------------------------------------------------
def make_session(w_dim: int = W, z_dim: int = 6, channels: tuple[int, ...] = (8, 6, 4)) -> sw.GeneratorSession:
    config = StyleGAN2Config(z_dim=z_dim, w_dim=w_dim, resolution=16, channels=channels, mapping_layers=2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        made = StyleGAN2(config)
        with torch.no_grad():
            made.mapping.w_avg.normal_()
    known = sw.DirectionSet([Direction("known", np.random.RandomState(5).randn(w_dim))], w_dim=w_dim)
    device = os.environ.get("STYLEWIDGETS_TEST_DEVICE", "cpu")
    return sw.GeneratorSession(made, device=device, precision="fp32", directions=known, name="toy")


@pytest.fixture(scope="module")
def session() -> sw.GeneratorSession:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    made = make_session()
    torch.set_num_threads(before)
    made.editors.add("wish", Wisher(0.125))
    made.editors.add("flow", make_flow())
    made.editors.add("mapper", MAPPER)
    made.editors.add("rig", make_rig())
    return made


# Small weights, or what it adds to w would leave the places that the tests look at.
MAPPER = Mapper(
    "grin",
    {
        name: [
            (torch.from_numpy(np.random.RandomState(i).randn(W, W).astype(np.float32)) * 30, torch.zeros(W))
            for i in range(4)
        ]
        for name in ("coarse", "medium")
    },
    "w+",
    (W,),
)

CHANNELS = sum(layer.channels for layer in make_session().layers)


def random(*shape: int) -> Any:
    return np.random.RandomState(sum(shape)).randn(*shape)


SPARSE = np.zeros(CHANNELS)
SPARSE[[2, 17]] = 1.5, -2.0
EXAMPLES: dict[str, Edit] = {
    "move in w": Move(Direction("a", random(W), sigma=0.7), 1.5),
    "move in rows of w": Move(Direction("b", random(6, W), unit="×", source="made up"), -0.5, (1, 4)),
    "move known to the session": Move(Direction("known", np.random.RandomState(5).randn(W)), 2.0, (0, 3)),
    "move in z": Move(Direction("c", random(6), space="z"), 0.8),
    "move in s": Move(Direction("d", random(CHANNELS), space="s"), 0.4, (2, 5)),
    "move of two channels": Move(Direction("two", SPARSE, 0.3, "s", explained=0.25), 1.1),
    "transfer": TransferEdit(Latent(seed=8, psi=0.7), strength=0.4, layers=(1, 3)),
    "transfer of channels": TransferEdit(
        Latent(seed=9).with_edit(Direction("a", random(W)), 1.0), np.linspace(0, 1, CHANNELS), 0.9, name="eyes"
    ),
    "directional transfer": TransferEdit(
        Latent(seed=9), np.linspace(0, 1, CHANNELS), 1.3, name="hair", directional=True
    ),
    "mapper": MapperEdit(MAPPER.weights, "grin", 0.8),
    "mapper of one level": MapperEdit(MAPPER.weights, "grin", 1.2, (0, 5), ("medium",)),
    "wish": Wish((("smile", 1.0), ("yaw", 20.0)), "wisher-0.125", 0.5),
    "flow": FlowEdit((("smile", 1.0), ("yaw", 20.0)), make_flow().weights, 0.5),
    "rig": RigEdit((("smile", 1.0), ("yaw", 20.0)), make_rig().weights, 0.5),
    "rig of some rows": RigEdit((("yaw", -10.0),), make_rig().weights, layers=(1, 4), name="turned"),
    "flow from a start": FlowEdit(
        (("yaw", -10.0),), make_flow().weights, layers=(1, 4), start=(("yaw", 5.0),), corrections=0, name="turned"
    ),
}
every = pytest.mark.parametrize("edit", EXAMPLES.values(), ids=EXAMPLES)
sources = pytest.mark.parametrize(
    "start",
    [
        Latent(seed=2, psi=0.6, cutoff=4),
        Latent(blend=((1, 0.25), (5, 0.75))),
        Latent(code=Code("z", random(1, 6))),
        Latent(code=Code("w", random(W))),
        Latent(code=Code("w+", random(6, W))),
        Latent(code=Code("s", random(CHANNELS)), psi=0.5),
    ],
    ids=["seed", "blend", "z", "w", "w+", "s"],
)


def test_there_is_an_example_of_every_kind() -> None:
    assert {edit.kind for edit in EXAMPLES.values()} == set(kinds())


# -- values -----------------------------------------------------------------------------------------------------------------
@every
def test_an_edit_is_a_value(edit: Edit) -> None:
    twin = Edit.from_json(edit.to_json())
    assert twin == edit and hash(twin) == hash(edit) and twin is not edit and type(twin) is type(edit)
    assert isinstance(edit, sw.Edit) and edit.stage in STAGES and edit.identity == (edit.kind, edit.name)
    assert edit.with_strength(3.0) != edit and edit.with_strength(3.0).with_strength(edit.strength) == edit
    assert edit.renamed("other").name == "other" and edit.renamed("other").renamed(edit.name) == edit
    assert edit.name in edit.label and "\n" not in edit.label
    with pytest.raises(AttributeError):
        edit.strength = 1.0  # type: ignore[misc]
    for bad in (float("nan"), "much", True):
        with pytest.raises(ValueError, match="strength of"):
            edit.with_strength(bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="name"):
        edit.renamed("  ")


@every
def test_its_controls_are_set_one_by_one(edit: Edit) -> None:
    for name, value in edit.controls.items():
        moved = edit.with_control(name, value + 1)
        assert moved.controls == {**edit.controls, name: value + 1} and moved.with_control(name, value) == edit
    with pytest.raises(ValueError, match="no control of"):
        edit.with_control("nothing of the sort", 1.0)


@every
@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_files_bring_it_back_alone_in_a_latent_and_in_a_grid(tmp_path: Path, edit: Edit, suffix: str) -> None:
    latent = Latent(seed=4).with_edit(edit)
    grid = sw.MixGrid((latent,), (Latent(seed=5), latent), (True, False))
    for value in (edit, latent, grid):
        path = value.save(tmp_path / f"state{suffix}")
        assert type(value).load(path) == value
    assert Edit.load(edit.save(tmp_path / f"edit{suffix}")) == edit
    assert json.loads(latent.to_json())["version"] == (1 if edit.kind == "move" and edit.stage != "z" else 2)


@every
def test_a_latent_finds_it_by_kind_and_name(edit: Edit) -> None:
    same = Wish((), "x", name=edit.name) if edit.kind != "wish" else TransferEdit(Latent(), name=edit.name)
    latent = Latent().with_edit(same).with_edit(edit)
    assert latent.edits == (same, edit) and latent.edit(edit.name, edit.kind) == edit
    assert latent.with_edit(edit.with_strength(0)).edits == (same, edit.with_strength(0))
    assert latent.without_edit(edit.name, edit.kind).edits == (same,)
    for call in (latent.edit, latent.strength, latent.without_edit):
        with pytest.raises(ValueError, match="say which kind"):
            call(edit.name)
    with pytest.raises(ValueError, match="two edits are called"):
        Latent(edits=(edit, edit.with_strength(0)))
    with pytest.raises(TypeError, match="with_strength"):
        Latent().with_edit(edit, 2.0)


# -- pictures ---------------------------------------------------------------------------------------------------------------
def styles(session: sw.GeneratorSession, latent: Latent) -> torch.Tensor:
    return torch.cat(session.code_styles(latent), dim=1)


@every
@sources
def test_it_draws_is_still_at_strength_0_and_is_refused_with_the_remedy(
    session: sw.GeneratorSession, edit: Edit, start: Latent
) -> None:
    plain = styles(session, start)
    assert torch.equal(styles(session, start.with_edit(edit.with_strength(0))), plain)
    reason = edit.accepts(start)
    if reason is None:
        assert not torch.allclose(styles(session, start.with_edit(edit)), plain)
        assert session.image(start.with_edit(edit)).shape == (16, 16, 3)
        return
    assert edit.name in reason and "start from" in reason
    with pytest.raises(ValueError) as caught:
        session.check(start.with_edit(edit))
    assert str(caught.value) == reason


@every
def test_it_acts_in_its_layers_only(session: sw.GeneratorSession, edit: Edit) -> None:
    if edit.stage == "z":
        with pytest.raises(ValueError, match="z has no rows"):
            edit.with_layers((0, 2))
        return
    start = Latent(seed=3)
    all_of_it, some = (styles(session, start.with_edit(edit.with_layers(rows)))[0] for rows in (None, (2, 4)))
    inside = torch.cat([torch.full((layer.channels,), 2 <= layer.ws_index < 4) for layer in session.layers])
    plain = styles(session, start)[0]
    torch.testing.assert_close(some, torch.where(inside.to(plain.device), all_of_it, plain))
    with pytest.raises(ValueError, match=f"edit {edit.name!r}: .*<= 6"):
        session.check(start.with_edit(edit.with_layers((2, 9))))


@every
def test_it_is_a_function_of_the_code_before_it(session: sw.GeneratorSession, edit: Edit) -> None:
    """Applied to what the others made, by hand; other stages come before or after, whatever the order of edits."""
    before = {
        stage: Move(Direction("first", random(n), space=stage), 0.3)
        for stage, n in (("z", 6), ("w", W), ("s", CHANNELS))
    }
    latent = Latent(seed=6)
    first = before[edit.stage]
    value = {
        "z": lambda: session.tensor(np.random.RandomState(6).randn(1, 6)),
        "w": lambda: session.map(latent),
        "s": lambda: styles(session, latent),
    }[edit.stage]()
    free = edit if edit.stage == "z" else edit.with_layers(None)
    made = free.apply(session, first.apply(session, value, latent), latent)
    wanted = {
        "z": lambda: torch.cat(session.styles(session.generator.map(made)), dim=1),
        "w": lambda: torch.cat(session.styles(made), dim=1),
        "s": lambda: made,
    }[edit.stage]()
    torch.testing.assert_close(styles(session, latent.with_edit(first).with_edit(free)), wanted)
    for stage in set(STAGES) - {edit.stage}:
        pair = (free, before[stage])
        assert torch.equal(
            styles(session, latent.replace(edits=pair)), styles(session, latent.replace(edits=pair[::-1]))
        )


@every
def test_interpolation_ends_in_it_and_passes_through_plain_codes(session: sw.GeneratorSession, edit: Edit) -> None:
    a, b = Latent(seed=1), Latent(seed=2, psi=0.5, history=("b",)).with_edit(edit)
    assert session.interpolate(a, b, 0) is a and session.interpolate(a, b, 1) is b
    middle = session.interpolate(a, b, 0.5)
    assert middle.edits == () and middle.code is not None and middle.code.space == ("s" if edit.stage == "s" else "w+")
    torch.testing.assert_close(styles(session, middle), (styles(session, a) + styles(session, b)) / 2)


@every
def test_a_mixed_cell_has_it_from_its_source(session: sw.GeneratorSession, edit: Edit) -> None:
    row, column = Latent(seed=1).with_edit(edit), Latent(seed=2)
    cell = mixing.mix(session, row, column, (3, 6))
    parts = zip(
        session.layers, session.code_styles(row), session.code_styles(column), session.code_styles(cell), strict=True
    )
    for layer, own, theirs, mixed in parts:
        torch.testing.assert_close(mixed, theirs if layer.ws_index >= 3 else own)


@every
def test_an_edit_for_another_generator_is_refused(edit: Edit) -> None:
    other = make_session(w_dim=W + 1, z_dim=7, channels=(5, 5, 5))
    latent = Latent(seed=1).with_edit(edit)
    reason = edit.fits(other)
    if reason is not None:
        assert edit.name in reason and "made for another one" in reason
        with pytest.raises(ValueError, match="made for another one"):
            other.check(latent)
    elif edit.kind in ("wish", "flow", "mapper", "rig"):
        with pytest.raises(ValueError, match=f"'{edit.kind}' editor .*session.editors.add"):
            other.image(latent)
    else:
        assert edit.nested and other.image(latent).shape == (16, 16, 3)


# -- widgets ----------------------------------------------------------------------------------------------------------------
@every
def test_code_makes_an_equal_latent(session: sw.GeneratorSession, edit: Edit) -> None:
    latent = (
        Latent(seed=4, psi=0.3, history=("made by hand",)).with_edit(edit).with_edit(Direction("e", random(W)), 0.0)
    )
    scope: dict[str, Any] = {"session": session}
    text = code(session, latent)
    exec(text, scope)  # noqa: S102  the point of that text
    assert scope["latent"] == latent.without_edit("e") and scope["latent"].history == latent.history
    assert all(len(line) < 120 for line in text.split("\n") if line.startswith(" "))
    if edit.name == "known":
        assert "with_edit(session.directions['known'], 2.0, layers=(0, 3))" in text
    grid = sw.MixGrid.of(session, [latent, 1], [2])
    exec(sw.StyleMixGrid(session, value=grid).code(), scope)  # noqa: S102
    assert scope["grid"] == grid


class Holder(traitlets.HasTraits):
    value = traitlets.Any()


@every
def test_the_explorer_draws_undoes_links_and_has_a_row_for_it(session: sw.GeneratorSession, edit: Edit) -> None:
    explorer, other = sw.LatentExplorer(session), Holder()
    link = traitlets.link((explorer, "value"), (other, "value"))
    start = explorer.value
    explorer.value = edited = start.with_edit(edit)
    assert other.value == edited and np.array_equal(np.asarray(explorer.image), session.image(edited))
    assert caption(edited).endswith("1 edit")
    explorer.undo()
    assert explorer.value == start
    explorer.redo()
    assert explorer.value == edited and explorer.view.error == ""
    link.unlink()
    explorer.close()


@every
def test_a_row_moves_it(edit: Edit) -> None:
    made: list[Latent] = []
    rows = DirectionRows(6, lambda _, change: made.append(change(Latent(seed=1).with_edit(edit))))
    rows.show(Latent(seed=1).with_edit(edit))
    handle = rows.handles[edit.name]
    assert handle.row.label == edit.name and handle.value == edit.strength
    handle.value = 0.25
    assert made[-1].edits == (edit.with_strength(0.25),)
    rows.close()


# -- machines ---------------------------------------------------------------------------------------------------------------
def test_a_machine_is_loaded_when_an_edit_first_needs_it(tmp_path: Path) -> None:
    made = make_session()
    edit = Wish((("smile", 1.0),), "wisher-0.5")
    latent = Latent(seed=1).with_edit(edit)
    with pytest.raises(ValueError, match=r"'wish' editor with weights 'wisher-0.5'.*Wisher.fit\(session\) makes one"):
        made.image(latent)
    path = Wisher(0.5).save(tmp_path / "a.wish")
    made.editors.add("wish", path, edit.weights)
    assert list(made.editors) == [("wish", "wisher-0.5")]
    torch.testing.assert_close(made.map(latent), 1.5 * made.map(Latent(seed=1)))
    path.unlink()  # it stays once it is loaded
    made.image(latent.with_edit(edit.with_control("smile", 2.0)))
    fitted = jobs.run(made.editors.fit("wish"))
    assert isinstance(fitted, Wisher) and made.editors.get("wish", fitted.weights) is fitted
    assert ("wish", "wisher-0.125") in made.editors
    twin, other = make_session(), make_session(w_dim=9)
    twin.editors.take(made.editors)
    other.editors.take(made.editors)
    assert torch.equal(twin.map(latent), made.map(latent))
    assert list(other.editors) == [("wish", "wisher-0.5")]  # its file may be another one by then


def test_a_session_goes_with_its_last_name() -> None:
    made = make_session()
    gone, enabled = weakref.ref(made.generator), gc.isenabled()
    gc.disable()
    try:
        made.image(Latent(seed=1))
        del made
        assert gone() is None
    finally:
        if enabled:
            gc.enable()


def test_a_machine_that_does_not_fit_or_is_of_no_kind_is_refused() -> None:
    other = make_session(w_dim=9)
    with pytest.raises(ValueError, match="for w of 8; this generator's has 9"):
        other.editors.add("wish", Wisher(1.0))
    with pytest.raises(ValueError, match="did you mean 'wish'"):
        other.editors.add("wihs", "a.wish")


def test_a_missing_machine_is_an_error_in_the_explorer_and_the_last_picture_stays() -> None:
    explorer = sw.LatentExplorer(make_session())
    frame = bytes(explorer.view.frame)
    explorer.value = explorer.value.with_edit(Wish((("smile", 1.0),), "wisher-7"))
    assert "'wish' editor with weights 'wisher-7'" in explorer.view.error and bytes(explorer.view.frame) == frame
    explorer.session.editors.add("wish", Wisher(7))
    explorer.change("seed", lambda latent: latent.replace(seed=3))
    assert explorer.view.error == "" and np.array_equal(
        np.asarray(explorer.image), explorer.session.image(explorer.value)
    )
    explorer.close()


# -- latents within latents -------------------------------------------------------------------------------------------------
def nest(depth: int) -> Latent:
    latent = Latent(seed=0)
    for n in range(depth - 1):
        latent = Latent(seed=n + 1).with_edit(TransferEdit(latent, strength=0.5))
    return latent


def test_latents_go_four_deep_and_no_deeper(session: sw.GeneratorSession) -> None:
    four = nest(4)
    assert Latent.from_json(four.to_json()) == four and session.image(four).shape == (16, 16, 3)
    with pytest.raises(ValueError, match="at most 4 deep"):
        nest(5)
    with pytest.raises(ValueError, match="at most 4 deep"):
        Latent(seed=1, source=four)
    text = Latent(seed=0).to_json()
    shell = '[{"kind": "transfer", "name": "t", "strength": 1, "reference": '
    plain = text.replace('"version": 1', '"version": 2')
    for _ in range(150):
        text = plain.replace('"edits": []', f'"edits": {shell}{text}}}]')
    with pytest.raises(ValueError, match="deep"):
        Latent.from_json(text)


def test_what_is_within_is_checked_and_bounded(session: sw.GeneratorSession, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="knows no classes"):
        session.check(Latent().with_edit(TransferEdit(Latent(label=1))))
    with pytest.raises(ValueError, match=r"weights of 'eyes' must have shape .*made for another one"):
        session.check(Latent().with_edit(TransferEdit(Latent(), np.ones(3), name="eyes")))
    for bad in (np.full(3, 1.5), np.full(3, -0.5), np.ones((2, 2)), [np.nan]):
        with pytest.raises(ValueError, match="weights of"):
            TransferEdit(Latent(), bad)  # type: ignore[arg-type]
    monkeypatch.setattr("stylewidgets.latent.checks.MOST_BYTES", 1 << 20)
    big = Latent(code=Code("s", np.zeros(1 << 18)))
    with pytest.raises(ValueError, match="at most 1 MB"):
        Latent().with_edit(TransferEdit(big))


def test_a_transfer_arrives_at_its_reference(session: sw.GeneratorSession) -> None:
    reference = Latent(seed=8)
    there = Latent(seed=1).with_edit(TransferEdit(reference))
    assert torch.equal(styles(session, there), styles(session, reference))
    weights = (np.arange(CHANNELS) % 2).astype(np.float32)
    half = styles(session, Latent(seed=1).with_edit(TransferEdit(reference, weights)))[0]
    own, theirs = styles(session, Latent(seed=1))[0], styles(session, reference)[0]
    assert torch.equal(half[::2], own[::2]) and torch.equal(half[1::2], theirs[1::2])


# -- files of 0.1, and kinds that nobody knows ------------------------------------------------------------------------------
SMILE = Direction("smile", np.linspace(-1, 1, 8), sigma=1.5, layers=(1, 3), explained=0.25, source="made up")
OLD = {
    "plain": Latent(seed=2**32 - 1, psi=0.1 + 0.2, cutoff=3, label=2, noise_mode="random", noise_seed=9),
    "edited": Latent(blend=((1, 1 / 3), (2, 2 / 3)))
    .with_edit(SMILE, -1.1, (0, 2))
    .with_edit(Direction("rows", np.arange(32.0).reshape(4, 8) / 7, unit="×"), 0)
    .with_edit(Direction("style", np.arange(40) / 3, space="s"), 2),
    "code": Latent(
        code=Code("w+", np.random.RandomState(0).randn(4, 8)),
        psi=-0.5,
        transform=sw.Transform(x=1 / 3, angle=12.5, scale=2**0.1),
    ),
}


@pytest.mark.parametrize("suffix", ["json", "npz"])
def test_files_of_version_0_1_load_equal_and_are_written_as_then(suffix: str) -> None:
    for name, latent in OLD.items():
        assert Latent.load(FILES / f"{name}.{suffix}") == latent
        assert json.loads((FILES / f"{name}.json").read_text()) == latent.to_dict()
    grid = sw.MixGrid(
        (OLD["plain"], OLD["edited"]), (OLD["code"],), (True, False, False, True), noise="column", row_psi=0.7
    )
    assert sw.MixGrid.load(FILES / f"grid.{suffix}") == grid
    assert json.loads((FILES / "grid.json").read_text()) == grid.to_dict()


def test_a_kind_that_nobody_registered_is_named() -> None:
    data = Latent().with_edit(EXAMPLES["wish"]).to_dict()
    data["edits"][0]["kind"] = "wihs"
    with pytest.raises(ValueError, match="'wihs'; did you mean 'wish'.*Import the module"):
        Latent.from_dict(data)
    data["edits"][0]["kind"] = ["wish"]
    with pytest.raises(ValueError, match="no kind of edit"):
        Latent.from_dict(data)


def test_a_kind_needs_a_name_of_its_own_and_its_own_way_back() -> None:
    with pytest.raises(ValueError, match="a name of its own"):
        register_kind(type("Nameless", (Edit,), {"build": None}))
    with pytest.raises(ValueError, match="a name of its own"):
        register_kind(type("Second", (Edit,), {"kind": "move", "build": None}))
    with pytest.raises(ValueError, match="a `build` of its own"):
        register_kind(type("NoWayBack", (Edit,), {"kind": "no way back"}))
    assert "no way back" not in kinds()


# -- the other fields of a latent -------------------------------------------------------------------------------------------
FULL = Latent(
    seed=3,
    label=(0.5, 1.0, -2.0),
    extra={"background": 7, "air": np.array([0.25, 0.1], np.float32)},
    source=Latent(seed=9, source="ab" * 32),
    history=("inverted", "smile"),
)


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_every_field_comes_back_and_history_is_no_part_of_equality(tmp_path: Path, suffix: str) -> None:
    back = Latent.load(FULL.save(tmp_path / f"full{suffix}"))
    assert back == FULL and hash(back) == hash(FULL) and back.history == FULL.history and back.to_dict()["version"] == 2
    assert FULL.replace(history=()) == FULL and FULL.replace(label=None) != FULL != FULL.replace(
        extra={"background": 8}
    )
    assert Latent(seed=1, label=np.int64(2)) == Latent(seed=1, label=2)
    assert Latent(seed=1, label=torch.tensor([1.0, 2.0])) == Latent(seed=1, label=[1, 2])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"label": []}, "label is a whole number or a vector"),
        ({"label": [[1.0]]}, r"shape \[1, 1\]"),
        ({"label": [float("inf")]}, "a number of label must be a finite number"),
        ({"extra": {"not a name": 1}}, "a name in extra"),
        ({"extra": {"a": -1}}, "'a' of extra must be a whole number from 0"),
        ({"source": "photo.jpg"}, "64 hexadecimal digits"),
        ({"history": ["x" * 300]}, "at most 200 characters"),
    ],
)
def test_other_values_are_refused_with_what_is_accepted(values: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Latent(**values)


def test_a_generator_takes_what_it_declares(session: sw.GeneratorSession) -> None:
    for values, text in (
        ({"extra": {"air": 1}}, "no part of `extra`"),
        ({"source": Latent()}, "draws from no source"),
        ({"label": (1.0,)}, "knows no classes"),
    ):
        with pytest.raises(ValueError, match=text):
            session.latent(**values)
    try:
        session.generator.extra, session.generator.needs_source = {"air": 2}, True
        latent = session.latent(seed=1, extra={"air": [1, 2]}, source=Latent(seed=4))
        middle = session.interpolate(latent, latent.replace(extra={"air": [3, 2]}), 0.25)
        assert dict(middle.extra) == {"air": (1.5, 2.0)} and middle.source == Latent(seed=4)
        with pytest.raises(ValueError, match=r"shape \[2\]; \[3\]"):
            session.latent(extra={"air": [1, 2, 3]})
        scope: dict[str, Any] = {"session": session}
        exec(code(session, latent), scope)  # noqa: S102
        assert scope["latent"] == latent
    finally:
        del session.generator.extra, session.generator.needs_source


def test_a_label_vector_conditions_the_mapping() -> None:
    config = StyleGAN2Config(z_dim=6, w_dim=W, c_dim=3, resolution=8, channels=(4, 4), mapping_layers=2)
    conditional = sw.GeneratorSession(StyleGAN2(config), device="cpu")
    assert torch.equal(conditional.map(Latent(label=(0.0, 1.0, 0.0))), conditional.map(Latent(label=1)))
    assert not torch.equal(conditional.map(Latent(label=(0.0, 0.5, 0.5))), conditional.map(Latent(label=1)))
    with pytest.raises(ValueError, match=r"a label vector has shape \[3\]"):
        conditional.map(Latent(label=(1.0,)))
    explorer = sw.LatentExplorer(conditional, conditional.latent(label=(0.2, 0.2, 0.6)))
    assert explorer.view.error == ""
    explorer.close()


def test_an_edit_of_a_stage_that_there_is_not_is_refused_and_not_left_out() -> None:
    astray = type("Astray", (Wish,), {"stage": "w+"})
    with pytest.raises(ValueError, match="stage of the edit 'wish' 'w\\+'"):
        astray((), "wisher-1")


def test_an_edit_that_returns_something_else_is_told_so_by_name(session: sw.GeneratorSession) -> None:
    for came, wrong in (("NoneType", None), (r"\[2, 2\]", torch.zeros(2, 2))):
        wayward = type("Wayward", (Wish,), {"apply": lambda self, door, value, latent, wrong=wrong: wrong})
        with pytest.raises(ValueError, match=rf"apply of the edit 'wish' must return a tensor \[1, .*; {came} came"):
            session.image(Latent(seed=1).with_edit(wayward((), "wisher-1")))
