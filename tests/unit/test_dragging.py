"""Dragging points: what is accepted, and that a way can be stopped, gone on with, kept and walked back."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from stylewidgets.editing.dragging import Drag, Way, drag
from stylewidgets.editing.dragging.suited import axes
from stylewidgets.editing.dragging.supervise import Sheet, looked_for, track
from stylewidgets.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from stylewidgets.generators.stylegan3 import StyleGAN3, StyleGAN3Config
from stylewidgets.inversion.result import Result
from stylewidgets.latent import Code, Direction, Latent, TransferEdit
from stylewidgets.session import GeneratorSession

HANDLES, TARGETS = [(16.0, 16.0), (8.0, 20.0)], [(13.0, 19.0), (8.0, 22.0)]


@pytest.fixture(scope="module")
def session() -> GeneratorSession:
    torch.manual_seed(0)
    config = StyleGAN2Config(z_dim=8, c_dim=0, w_dim=8, resolution=32, channels=(8, 8, 8, 8), mapping_layers=2)
    return GeneratorSession(StyleGAN2(config), device="cpu", name="tiny")


def begun(session: GeneratorSession, **settings: object) -> Drag:
    return drag(session, session.latent(seed=3), HANDLES, TARGETS, lr=0.05, steps=6, **settings)


def finished(run: Drag) -> Way:
    for _ in run:
        pass
    return run.result()


def test_the_last_latent_draws_what_the_run_shows_and_rows_above_the_layer_stay(session):
    run = begun(session)
    assert np.array_equal(run.pixels(), session.image(run.start))
    way = finished(run)
    w = session.map(session.latent(seed=3))[0].numpy()
    moved = np.abs(way.codes[-1] - w).max(1) > 0
    assert run.by.layer == "b8.conv1"
    assert moved[:3].all() and not moved[3:].any(), "b8.conv1 is read by rows 0 to 2"
    shown = session.image(way.latent(len(way) - 1))  # the picture is from before the last step, as published
    assert np.abs(run.pixels().astype(int) - shown).max() <= 1


def test_paused_and_resumed_it_takes_the_same_way(session):
    whole = finished(begun(session))
    run = begun(session)
    for _ in range(3):
        run.advance()
    run.pause()
    assert [*run] == []
    run.resume()
    assert np.array_equal(finished(run).codes, whole.codes)


def test_stopped_it_keeps_every_step_and_can_go_on(session):
    whole = finished(begun(session))
    run = begun(session)
    run.advance()
    run.advance()
    run.stop()
    assert len(run.result()) == 2 and not run.result().ended
    run.resume()
    assert np.array_equal(finished(run).codes, whole.codes)


def test_an_interrupt_in_the_middle_of_a_step_leaves_the_step_before(session, monkeypatch):
    whole = finished(begun(session))
    run = begun(session)
    run.advance()
    before = run.result()
    step = torch.optim.Adam.step

    def interrupted(self, *arguments):
        step(self, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(torch.optim.Adam, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.advance()
    monkeypatch.undo()
    assert np.array_equal(run.result().codes, before.codes)
    run.resume()
    assert np.array_equal(finished(run).codes, whole.codes)


def test_a_handle_that_arrives_ends_the_drag(session):
    way = finished(begun(session, near=10.0))
    assert way.ended == "reached" and len(way) == 0
    assert way.latent() == way.start


def test_a_handle_is_known_by_its_surroundings_and_as_published_by_one_feature():
    features = torch.rand(
        1, 4, 16, 16, generator=torch.Generator("cpu").manual_seed(0), dtype=torch.float32, device="cpu"
    )
    handle = torch.tensor([[8.0, 6.0]], dtype=torch.float32, device="cpu")
    moved = features.roll(1, dims=2)
    moved[0, :, 9, 6] += 0.05  # where it is now, in another light
    moved[0, :, 8, 8] = features[0, :, 8, 6]  # another place that looks the same, in other surroundings
    found = {}
    for published in (False, True):
        sheet = Sheet(16, 16, published)
        found[published] = track(sheet, moved, looked_for(sheet, features, handle), handle, 3).tolist()
    assert found == {False: [[9, 6]], True: [[8, 8]]}


def test_a_drag_that_comes_no_nearer_ends_by_itself(session):
    run = drag(session, session.latent(seed=3), HANDLES, TARGETS, lr=1e-5, steps=50, patience=4)
    assert finished(run).ended == "stalled"
    assert len(run.result()) == 5


def test_what_the_mask_keeps_changes_less(session):
    free = np.zeros((32, 32), bool)
    free[:, 16:] = True
    start = session.image(session.latent(seed=3)).astype(float)
    changes = []
    for mask in (None, free):
        run = drag(session, session.latent(seed=3), HANDLES, TARGETS, mask, lr=0.05, steps=12, keep=1000.0)
        changes.append(np.abs(session.image(finished(run).latent()) - start)[:, :12].mean())
    assert changes[1] < 0.7 * changes[0]


def test_one_w_moves_all_its_rows_alike(session):
    way = finished(begun(session, space="w"))
    assert np.ptp((way.codes[-1] - way.codes[0])[:3], axis=0).max() < 1e-6
    assert np.abs(way.codes[-1] - way.codes[0]).max() > 0


def test_a_way_comes_back_from_its_file(session, tmp_path):
    free = np.ones((32, 32), bool)
    free[:4] = False
    run = drag(session, session.latent(seed=3), HANDLES, TARGETS, free, steps=3)
    way = finished(run)
    back = Way.load(way.save(tmp_path / "way.safetensors"))
    for name in ("codes", "points", "handles", "targets", "mask"):
        assert np.array_equal(getattr(back, name), getattr(way, name)), name
    assert (back.start, back.terms, back.ended, back.settings) == (way.start, way.terms, way.ended, way.settings)
    assert back.latent() == way.latent()


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_a_damaged_way_is_refused_in_words(tmp_path, damage):
    path = tmp_path / "way.safetensors"
    path.write_bytes(damage)
    with pytest.raises(ValueError, match="is no way of a drag, or it is damaged"):
        Way.load(path)


def test_a_way_can_be_walked_back_and_has_keyframes(session):
    way = finished(begun(session))
    back = way.reversed()
    assert back.latent(0) == way.latent()
    assert np.array_equal(session.image(back.latent()), session.image(way.latent(0)))
    frames = way.latents(4)
    assert frames[0] == way.start and frames[-1] == way.latent()
    with pytest.raises(ValueError, match="step must be a whole number"):
        way.latent(7)


def test_a_spec_of_plain_json_makes_the_same_drag(session):
    free = np.ones((32, 32), bool)
    free[:4] = False
    run = drag(session, session.latent(seed=3), HANDLES, TARGETS, free, lr=0.05, steps=4)
    spec = json.loads(json.dumps(run.spec))
    again = session.start(spec)
    assert np.array_equal(finished(run).codes, finished(again).codes)


def test_noise_and_edits_of_the_start_are_part_of_what_is_dragged(session):
    direction = Direction("d", np.linspace(-1, 1, 8))
    latent = session.latent(seed=3, noise_mode="random", noise_seed=5, psi=0.7).with_edit(direction, 1.0)
    run = drag(session, latent, HANDLES, TARGETS, lr=0.05, steps=2)
    assert np.array_equal(run.pixels(), session.image(latent))
    last = finished(run).latent()
    assert (last.noise_mode, last.noise_seed, last.psi) == ("random", 5, 1.0)
    assert last.edits == (latent.edits[0].with_strength(0.0),), "its slider stays, and what it did is in the code"
    assert np.abs(session.map(last).numpy()[0] - run.result().codes[-1]).max() == 0


@pytest.mark.slow
def test_stylegan3_is_dragged_by_the_same_call():
    torch.manual_seed(0)
    config = StyleGAN3Config.create(
        resolution=32, z_dim=8, c_dim=0, w_dim=8, channel_base=256, channel_max=8, num_layers=6
    )
    session = GeneratorSession(StyleGAN3(config), device="cpu", name="tiny 3")
    run = drag(session, session.latent(seed=3), HANDLES, TARGETS, lr=0.05, steps=3)
    way = finished(run)
    assert np.abs(way.codes[-1] - way.codes[0]).max() > 0
    assert np.isfinite(way.codes).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"handles": []}, "handles are points"),
        ({"handles": [(40, 3)], "targets": [(3, 3)]}, r"handles must be inside .* \(40, 3\) was given"),
        ({"targets": [(1, 1)]}, "2 handles and 1 targets"),
        ({"handles": [(4, 4), (4, 4)]}, "two handles are at the same place"),
        ({"targets": HANDLES}, "at its target already"),
        ({"handles": "points"}, "handles are points"),
        ({"handles": [(np.nan, 3)], "targets": [(3, 3)]}, "handles are points"),
        ({"mask": np.zeros((32, 32), bool)}, "keeps the whole picture"),
        ({"mask": np.zeros((16, 16), bool)}, r"\[32, 32\]; \[16, 16\] was given"),
        ({"layer": "b99.conv1"}, "there is no layer 'b99.conv1'"),
        ({"lr": -1.0}, "lr must be a finite number"),
        ({"radius": 3}, "there is no setting of drag 'radius'"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(session, given, said):
    values = {"handles": HANDLES, "targets": TARGETS, **given}
    with pytest.raises(ValueError, match=said):
        drag(session, session.latent(seed=3), **values)


def test_edits_of_styles_go_on_acting_while_the_picture_is_dragged(session):
    channels = sum(layer.channels for layer in session.layers)
    edit = Direction("channels", np.linspace(-1, 1, channels), space="s")
    other = TransferEdit(session.latent(seed=8), strength=0.5, layers=(3, 5), name="look")
    latent = session.latent(seed=3).with_edit(edit, 0.5).with_edit(other)
    run = drag(session, latent, HANDLES, TARGETS, lr=0.05, steps=3)
    assert np.array_equal(run.pixels(), session.image(latent))
    way = finished(run)
    last = way.latent()
    assert last.strength("channels") == 0.5
    shown = session.image(way.latent(len(way) - 1))
    assert np.abs(run.pixels().astype(int) - shown).max() <= 1
    assert np.abs(session.image(last).astype(int) - session.image(last.replace(edits=()))).max() > 1


def test_what_an_inversion_fitted_is_dragged_with_its_weights_and_noise(session):
    random = np.random.RandomState(0)
    name = "synthesis.b16.conv0.weight"
    delta = {name: 0.05 * random.randn(*session.parameters()[name].shape).astype(np.float32)}
    noise = tuple(random.randn(1, *shape).astype(np.float32)[None] for shape in session.noise_shapes)
    code = session.map(session.latent(seed=3)).numpy()
    result = Result("by hand", "w+", code, {}, ("photo",), 1, 0.0, noise=noise, delta=delta)
    fitted, latent = result.session(session), result.latent()
    run = drag(fitted, latent, HANDLES, TARGETS, lr=0.05, steps=3)
    assert np.array_equal(run.pixels(), result.images(session)[0])
    assert np.abs(run.pixels().astype(int) - session.image(latent)).max() > 1, (
        "the session without it draws another one"
    )
    way = finished(run)
    assert np.abs(fitted.image(way.latent()).astype(int) - result.images(session)[0]).max() > 0
    assert way.generator == fitted.fingerprint() != session.fingerprint()


def test_steps_along_the_axes_of_w_have_its_spread(session):
    found = axes(session)
    w = session.sample_w(4000, seed=7)
    along = (w - w.mean(0)) @ torch.linalg.inv(found)
    assert torch.allclose(along.std(0), torch.ones(8), atol=0.1)
    assert begun(session).by.axes is found, "measured once"
    assert begun(session, unit="w").by.axes is None and begun(session, published=True).by.axes is None


def test_what_is_left_open_suits_the_picture(session):
    def by(**settings):
        return drag(session, session.latent(seed=3), HANDLES, TARGETS, **settings).by

    assert by()[:5] == ("b8.conv1", 3, 3, 6, 0.01)
    assert by(published=True).lr == by(unit="w").lr == 0.002
    assert by(layer="b16.conv1", rows=2, motion_radius=5, track_radius=4, lr=0.1)[:5] == ("b16.conv1", 2, 5, 4, 0.1)


def test_a_latent_in_s_is_refused_with_the_remedy(session):
    flat = session.flat_styles(session.latent(seed=3))
    with pytest.raises(ValueError, match="invert the picture in w\\+ first"):
        drag(session, Latent(code=Code("s", flat)), HANDLES, TARGETS)


def test_a_loss_that_is_not_finite_is_refused_and_nothing_is_lost(session):
    run = begun(session)
    run.advance()
    run._reference = run._reference * float("nan")
    run.mask = np.eye(32, dtype=bool)
    with pytest.raises(FloatingPointError, match="a smaller step size may help"):
        run.advance()
    assert len(run.result()) == 1
