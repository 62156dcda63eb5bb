"""Transform: the value, its files, the session, the live renderer, the code and the controls."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets.directions import pca, sefa
from stylewidgets.generators import HasView
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.generators.stylegan3.generator import StyleGAN3, StyleGAN3Config
from stylewidgets.latent.latent import IDENTITY, Latent, Transform
from stylewidgets.render.ladder import STILL, Rung
from stylewidgets.render.renderer import LiveRenderer
from stylewidgets.session.activations import SynthesisCache
from stylewidgets.session.session import GeneratorSession
from stylewidgets.widgets.kit.controls.transform_controls import TransformControls, describe_transform
from stylewidgets.widgets.latent_explorer.explorer import LatentExplorer

TURNED = Transform(angle=30, x=0.1)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def generator(variant: str = "R") -> StyleGAN3:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        made = StyleGAN3(
            StyleGAN3Config.create(
                variant,
                32,
                z_dim=6,
                w_dim=8,
                channel_base=128,
                channel_max=6,
                num_layers=4,
                conv_clamp=None,
            )
        )
        with torch.no_grad():
            made.synthesis.input.affine.weight.normal_(std=0.3)
            made.synthesis.get_submodule(made.layers[-1].name).weight.mul_(20)
    return made


@pytest.fixture(scope="module")
def session(device: str) -> GeneratorSession:
    return GeneratorSession(generator(), device=device, name="alias-free")


@pytest.fixture(scope="module")
def plain(device: str) -> GeneratorSession:
    config = StyleGAN2Config(z_dim=6, w_dim=8, resolution=8, channels=(4, 4), mapping_layers=2)
    return GeneratorSession(StyleGAN2(config), device=device)


# -- the value ----------------------------------------------------------------------------------------------------------
def test_equal_transforms_are_one_value() -> None:
    assert Transform(x=-0.0) == IDENTITY == Transform() and hash(Transform(x=-0.0)) == hash(IDENTITY)
    assert Transform(angle=1) != Transform(angle=2) and not IDENTITY and TURNED
    assert copy.deepcopy(TURNED) == TURNED == pickle.loads(pickle.dumps(TURNED))
    assert repr(TURNED) == "Transform(x=0.1, angle=30.0)" and eval(repr(TURNED)) == TURNED
    assert Latent(transform=TURNED) != Latent() and hash(Latent(transform=TURNED)) == hash(Latent(transform=TURNED))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"x": float("nan")}, "x of a transform must be a finite number"),
        ({"scale": 0.0}, "scale of a transform"),
        ({"scale": -1.0}, "scale of a transform"),
        ({"angle": float("inf")}, "angle"),
        ({"y": 1e9}, "y of a transform"),
        ({"x": "left"}, "'left' was given"),
    ],
)
def test_a_transform_that_means_nothing_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Transform(**values)


def test_a_latent_takes_a_transform_and_nothing_else_there() -> None:
    with pytest.raises(TypeError, match=r"Transform\(angle=30\)"):
        Latent(transform=(0, 0, 30, 1))


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_a_transform_comes_back_from_a_file(tmp_path: Path, suffix: str) -> None:
    latent = Latent(seed=3, transform=Transform(x=1 / 3, y=-0.7, angle=12.5, scale=2**0.1))
    latent.save(tmp_path / f"a{suffix}")
    assert Latent.load(tmp_path / f"a{suffix}") == latent


def test_files_without_a_transform_still_load_and_none_is_written_that_does_nothing() -> None:
    data = Latent(seed=3).to_dict()
    assert "transform" not in data and Latent.from_dict(data).transform == IDENTITY
    with pytest.raises(ValueError, match="did you mean 'angle'"):
        Latent.from_dict({**data, "transform": {"angel": 3}})
    with pytest.raises(ValueError, match="a transform is a dictionary"):
        Latent.from_json(json.dumps({**data, "transform": [1, 2]}))


def test_a_blend_of_transforms_goes_in_even_steps_and_ratios() -> None:
    middle = Transform(x=1, angle=90, scale=4).towards(Transform(x=0, angle=30, scale=1), 0.5)
    assert middle == Transform(x=0.5, angle=60, scale=2)


# -- the session --------------------------------------------------------------------------------------------------------
def test_the_session_draws_it_and_leaves_no_trace(session: GeneratorSession) -> None:
    still = session.image(session.latent(seed=1))
    turned = session.image(session.latent(seed=1, transform=Transform(angle=90)))
    assert isinstance(session.generator, HasView)
    assert not np.array_equal(still, turned) and session.generator.view_key is None
    assert np.array_equal(session.image(session.latent(seed=1)), still)


def test_many_pictures_each_have_their_own(session: GeneratorSession) -> None:
    latents = [session.latent(seed=1, transform=t) for t in (IDENTITY, TURNED, IDENTITY, Transform(scale=2))]
    together = session.images(latents)
    for latent, picture in zip(latents, together, strict=True):
        assert np.abs(picture.astype(int) - session.image(latent)).max() <= 1
    assert np.array_equal(together[0], together[2]) and not np.array_equal(together[0], together[1])


def test_tensors_are_drawn_with_one_too(session: GeneratorSession) -> None:
    latent = session.latent(seed=1, transform=TURNED)
    w = session.map(latent)
    assert torch.equal(session.synthesize(session.styles(w), transform=TURNED), session.synthesize(w, transform=TURNED))
    assert not torch.equal(session.synthesize(w), session.synthesize(w, transform=TURNED))


def test_a_failure_inside_puts_it_back(session: GeneratorSession) -> None:
    assert isinstance(session.generator, HasView)
    with pytest.raises(KeyError), session.transformed(TURNED):
        assert session.generator.view_key is not None
        raise KeyError
    assert session.generator.view_key is None


def test_other_families_say_that_they_cannot(plain: GeneratorSession) -> None:
    with pytest.raises(ValueError, match=r"Transform\(x=0.1, angle=30.0\) was given; only StyleGAN3"):
        plain.latent(transform=TURNED)
    with pytest.raises(ValueError, match="only StyleGAN3"):
        plain.synthesize(torch.zeros(1, 8), transform=TURNED)
    assert not plain.can_transform and plain.image(plain.latent(transform=Transform(angle=360))).shape == (8, 8, 3)


def test_interpolation_moves_along(session: GeneratorSession) -> None:
    a, b = session.latent(seed=1), session.latent(seed=2, transform=Transform(angle=40, scale=4))
    assert session.interpolate(a, b, 0.5).transform == Transform(angle=20, scale=2)
    assert session.interpolate(a, b, 1.0) == b


# -- the live picture ---------------------------------------------------------------------------------------------------
def test_live_frames_are_those_of_the_session(session: GeneratorSession) -> None:
    live = LiveRenderer(session)
    for transform in (IDENTITY, TURNED, TURNED, Transform(angle=31, x=0.1), IDENTITY):
        latent = session.latent(seed=1, transform=transform)
        assert np.array_equal(live(latent, STILL), session.image(latent))
    assert live(session.latent(seed=1), Rung(16)).shape == (16, 16, 3)


def test_a_frame_starts_at_the_layer_that_changed_while_the_transform_stays(session: GeneratorSession) -> None:
    made, cache = session.generator, SynthesisCache(session.generator)
    styles = session.code_styles(session.latent(seed=1))
    ran: list[int] = []
    step = made.step

    def counted(i: int, *others: Any) -> Any:
        ran.append(i)
        return step(i, *others)

    made.step = counted
    try:
        for k in range(made.num_blocks):
            with session.transformed(TURNED):
                cache.run(styles)
            session.image(session.latent(seed=5))  # somebody else draws in between
            ran.clear()
            styles = [s + 0.1 if i == k else s for i, s in enumerate(styles)]
            with session.transformed(TURNED), torch.inference_mode():
                assert torch.equal(cache.run(styles), SynthesisCache(made).run(styles))
            assert ran == [*range(k, made.num_blocks), *range(made.num_blocks)]
        ran.clear()
        cache.run(styles)
        assert ran[0] == 0
    finally:
        del made.step


# -- directions ---------------------------------------------------------------------------------------------------------
def test_directions_are_found_and_edit(session: GeneratorSession) -> None:
    for found in (pca(session, samples=100, components=2), sefa(session, components=2, samples=50, layers=(1, 4))):
        direction = next(iter(found.values()))
        edited = session.latent(seed=1).with_edit(direction, 3.0)
        assert not np.array_equal(session.image(edited), session.image(session.latent(seed=1)))


# -- the explorer -------------------------------------------------------------------------------------------------------
@pytest.fixture
def explorer(session: GeneratorSession) -> Iterator[LatentExplorer]:
    made = LatentExplorer(session)
    yield made
    made.close()


def controls(explorer: LatentExplorer) -> TransformControls:
    explorer.open("transform")
    return explorer.tools["transform"].sliders


def test_sliders_move_the_picture_and_undo_moves_them_back(explorer: LatentExplorer) -> None:
    group = controls(explorer)
    for name, value in (("x", 0.25), ("y", -0.5), ("angle", 30.0), ("scale", 2.0)):
        group._sliders[name].value = value
    assert explorer.value.transform == Transform(0.25, -0.5, 30, 2)
    assert "30°" in group._about.value and not group._reset.disabled
    explorer.undo()
    assert explorer.value.transform == Transform(0.25, -0.5, 30) and group._sliders["scale"].value == 1.0
    group._reset.click()
    assert explorer.value.transform == IDENTITY and group._sliders["x"].value == 0.0 and group._reset.disabled


def test_a_value_beyond_the_sliders_widens_them(explorer: LatentExplorer) -> None:
    explorer.value = explorer.value.replace(transform=Transform(x=-3.5, angle=400, scale=20))
    sliders = controls(explorer)._sliders
    assert (sliders["x"].value, sliders["angle"].value, sliders["scale"].value) == (-3.5, 400.0, 20.0)
    assert explorer.value.transform == Transform(x=-3.5, angle=400, scale=20)


def test_a_random_seed_keeps_the_transform(explorer: LatentExplorer) -> None:
    explorer.value = explorer.value.replace(transform=TURNED)
    explorer.randomize()
    assert explorer.value.transform == TURNED


def test_the_code_makes_the_same_picture(explorer: LatentExplorer, session: GeneratorSession) -> None:
    explorer.value = explorer.value.replace(transform=TURNED)
    text = explorer.code()
    assert "transform=sw.Transform(x=0.1, angle=30.0)" in text
    names: dict[str, Any] = {"session": session}
    exec(text, names)  # noqa: S102 (our own text)
    assert np.array_equal(np.asarray(names["image"]), session.image(explorer.value))
    explorer.value = explorer.value.replace(transform=IDENTITY)
    assert "transform" not in explorer.code()
    assert sw.Transform is Transform


def test_generators_that_cannot_show_no_such_group(plain: GeneratorSession) -> None:
    explorer = LatentExplorer(plain)
    assert "transform" not in explorer.tools
    explorer.close()
    with pytest.raises(ValueError, match="only StyleGAN3"):
        LatentExplorer(plain, tools=["transform"])


def test_the_words_name_what_is_not_as_it_was() -> None:
    assert describe_transform(IDENTITY) == ""
    assert describe_transform(Transform(0.25, 0, 30, 2)) == "x 0.25, 30°, × 2.00"


def test_a_camera_lies_between_two_and_keeps_what_only_one_states():
    a, b = sw.Camera(yaw=-20, fov=10), sw.Camera(yaw=20, pitch=10)
    half = a.towards(b, 0.25)
    assert (half.yaw, half.pitch, half.fov) == (-10, 2.5, 10)
    assert sw.Camera.from_dict(half.to_dict()) == half
    assert eval(half.code(), {"sw": sw}) == half
    assert not sw.Camera(yaw=-0.0)


@pytest.mark.parametrize("wrong", [{"yaw": 181}, {"pitch": -91}, {"fov": 0}, {"radius": float("nan")}])
def test_a_camera_out_of_range_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        sw.Camera(**wrong)
