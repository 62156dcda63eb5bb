"""What every family of generators keeps, made from the protocol: sessions, caches, directions and widgets need not know which."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stylewidgets import Camera, GeneratorSession, Latent, Person, Pose, Transform, mixing
from stylewidgets.avatars import BODY, PARTS, Figure, sample
from stylewidgets.checkpoints.formats import native
from stylewidgets.directions import pca, sefa
from stylewidgets.generators import Family, HasLayers, HasPreview, HasView, State, register
from stylewidgets.generators.families import FAMILIES, build
from stylewidgets.generators.posed import PosedConfig
from stylewidgets.generators.protocol import Generator, makes_previews, runs_layers
from stylewidgets.generators.stylegan1.generator import StyleGAN1Config
from stylewidgets.generators.stylegan2.generator import StyleGAN2Config
from stylewidgets.generators.stylegan3.generator import StyleGAN3Config
from stylewidgets.generators.stylenerf import StyleNeRFConfig
from stylewidgets.generators.triplane import TriPlaneConfig
from stylewidgets.latent.latent import NOISE_MODES
from stylewidgets.session.activations import Unit
from stylewidgets.session.engine import Engine
from stylewidgets.widgets.latent_explorer.explorer import LatentExplorer
from stylewidgets.widgets.style_space_probe.probe import StyleSpaceProbe

from .. import posed_files
from . import stub_family

SIZES: dict[str, Any] = {"z_dim": 8, "w_dim": 8, "mapping_layers": 2}
SMALL3: dict[str, Any] = {"channel_base": 64, "channel_max": 8, "num_layers": 4, **SIZES}
XL: dict[str, Any] = {"c_dim": 3, "mapping": "stylegan-xl", "embed_dim": 6}


def two(**options: Any) -> StyleGAN2Config:
    return StyleGAN2Config(resolution=16, channels=(6, 5, 4), **options, **SIZES)


def nerf(**options: Any) -> StyleNeRFConfig:
    small = {
        "hidden": 6,
        "field_layers": 3,
        "features": 5,
        "frequencies": 3,
        "samples": 4,
        "rays": 4,
        "channels": (5, 4),
    }
    behind = {"background_dim": 3, "background_hidden": 4, "background_layers": 2, "background_samples": 3}
    return StyleNeRFConfig(**{**SIZES, **small, **behind, **options})


ORTHOGRAPHIC: dict[str, Any] = {"projection": "orthographic", "background": "colour", "density": "softplus"}


def scene(**options: Any) -> TriPlaneConfig:
    small = {"channels": (6, 5, 4), "plane_features": 4, "hidden": 6, "head_channels": (5, 4), "input_size": 8}
    return TriPlaneConfig(**{**SIZES, **small, "field_size": 8, "coarse": 6, "fine": 6, **options})


CONFIGS: dict[str, tuple[str, Any]] = {
    "stylegan1": ("stylegan1", StyleGAN1Config(channels=(6, 5, 4), **SIZES)),
    "stylegan1 with classes": ("stylegan1", StyleGAN1Config(channels=(6, 5, 4), c_dim=3, **SIZES)),
    "stylegan1, unfinished": ("stylegan1", StyleGAN1Config(channels=(6, 5), lod=1.5, **SIZES)),
    "stylegan2": ("stylegan2", two()),
    "stylegan2, a": ("stylegan2", two(architecture="resnet")),
    "stylegan2, b to d": ("stylegan2", two(architecture="orig")),
    "stylegan2, joint labels": ("stylegan2", two(c_dim=3, label="joint")),
    "stylegan3-t": ("stylegan3", StyleGAN3Config.create("T", 16, **SMALL3)),
    "stylegan3-r": ("stylegan3", StyleGAN3Config.create("R", 16, **SMALL3)),
    "stylegan-xl": ("stylegan3", StyleGAN3Config.create("T", 16, **SMALL3, **XL)),
    "stylenerf": ("stylenerf", nerf(density="softplus")),
    "stylenerf, of cars": ("stylenerf", nerf(upsampler="pixelshuffle", background="none")),
    "stylenerf, fading in": ("stylenerf", nerf(channels=(5, 4, 4), alpha=0.5)),
    "stylenerf of avatars": ("stylenerf", nerf(**ORTHOGRAPHIC, ball=(3.0, 0.5, 0.3), radius=4.0, depth=(3.0, 5.0))),
    "eg3d": ("triplane", scene()),
    "eg3d without a camera in w": ("triplane", scene(c_dim=0, enlarge=(1, 2), near=None, far=None, fine=0)),
    "pose with style": ("posed", PosedConfig(resolution=16, channels=(6, 5, 4), width=6, modulation_hidden=4, **SIZES)),
    "pose with style of avatars": (
        "posed",
        PosedConfig(resolution=16, channels=(6, 5, 4), width=6, modulation_hidden=4, parts=len(PARTS) - 1, **SIZES),
    ),
    "stub": ("stub", stub_family.StubConfig()),
}


def make(case: str) -> Any:
    torch.manual_seed(0)
    generator: Any = build(*CONFIGS[case])
    for name, value in generator.state_dict().items():
        if name.endswith(("noise_strength", "bias", "const", "affine.weight")):
            value.copy_(torch.randn(value.shape))
    generator.estimate_w_avg(100)
    return generator


@pytest.fixture(scope="module", params=CONFIGS)
def session(request: pytest.FixtureRequest, device: str) -> GeneratorSession:
    return opened(make(request.param), device)


def opened(generator: Any, device: str | torch.device) -> GeneratorSession:
    """A session; where the family needs a source it has one."""
    session = GeneratorSession(generator, device=device, precision="fp32")
    if of_avatars(session):
        session.put(Figure(sample(1, 3, groups=BODY), BODY))
    elif session.needs_source:
        surface = posed_files.surface(16)
        session.put(Person.read(posed_files.picture(16), surface[..., 0] > 0, surface, posed_files.atlas()))
    return session


def of_avatars(session: GeneratorSession) -> bool:
    """Whether its sources are figures of avatars."""
    return bool(getattr(session.generator.config, "parts", 0))


def moved_view(session: GeneratorSession) -> Any:
    """A view that is not the neutral one."""
    if of_avatars(session):
        return Pose(yaw=20, joints={"arm_left_raise": 60})
    if session.view_kind is Pose:
        return Pose(iuv=session.put(posed_files.surface(16, shift=2)))
    return Camera(yaw=30, pitch=10) if session.view_kind is Camera else Transform(x=0.2, angle=20)


@pytest.fixture
def styles(session: GeneratorSession) -> list[Tensor]:
    return session.code_styles(session.latent(seed=1))


def near(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def leaves(tensors: list[Tensor]) -> list[Tensor]:
    return [tensor.detach().clone().requires_grad_() for tensor in tensors]


# -- the protocol ---------------------------------------------------------------------------------------------------------
def test_the_protocol_is_there_with_its_arguments(session: GeneratorSession, device: str) -> None:
    generator = session.generator
    for part in (Generator, *(p for p in (HasLayers, HasPreview, HasView) if isinstance(generator, p))):
        for name in part.__annotations__:
            assert hasattr(generator, name), name
        for name, method in inspect.getmembers(part, inspect.isfunction):
            if not name.startswith("_") and not hasattr(nn.Module, name):
                own = inspect.signature(getattr(type(generator), name)).parameters
                assert list(own) == list(inspect.signature(method).parameters), name
    config: Any = type(generator.config)
    assert config.from_dict(generator.config.to_dict()) == generator.config
    assert generator.device.type == torch.device(device).type
    assert sum(layer.ws_index >= generator.num_ws for layer in generator.layers) == 0


def test_shapes_are_those_that_the_sizes_say(session: GeneratorSession, styles: list[Tensor]) -> None:
    generator = session.generator
    z, c = torch.zeros(3, session.z_dim, device=session.device), None
    if session.c_dim:
        c = torch.eye(session.c_dim, device=session.device)[:3]
    ws = generator.map(z, c)
    assert ws.shape == (3, session.num_ws, session.w_dim) and session.w_avg.shape == (session.w_dim,)
    assert [tuple(s.shape) for s in styles] == [(1, layer.channels) for layer in session.layers]
    slices = [generator.block_layers(i) for i in range(generator.num_blocks)]
    assert [k for part in slices for k in range(len(session.layers))[part]] == list(range(len(session.layers)))
    assert [tuple(noise.shape[-2:]) for noise in session.noise_maps()] == list(session.noise_shapes)
    assert session.image(session.latent(seed=1)).shape == (session.resolution, session.resolution, 3)


def test_styles_are_affine_in_w(session: GeneratorSession) -> None:
    w = session.sample_w(4, seed=3)
    for k, found in enumerate(session.styles(w)):
        weight, bias = session.affine(session.layers[k].name)
        near(found, w @ weight.T + bias)


def test_truncation_leads_to_the_mean_and_spares_rows_from_the_cutoff_on(session: GeneratorSession) -> None:
    latent = session.latent(seed=4)
    whole, centre = session.map(latent), session.map(latent.replace(psi=0.0))
    near(session.map(latent.replace(psi=0.25)), torch.lerp(centre, whole, 0.25))
    assert torch.equal(session.map(latent.replace(psi=0.0, cutoff=1))[:, 1:], whole[:, 1:])


# -- synthesis ------------------------------------------------------------------------------------------------------------
def test_steps_stages_and_the_session_make_the_same_picture_to_the_bit(
    session: GeneratorSession, styles: list[Tensor]
) -> None:
    generator = session.generator
    with torch.no_grad():
        whole, state = generator.synthesize(styles), None
        for i, noise in enumerate(generator.block_noise("const")):
            state = generator.step(i, state, styles[generator.block_layers(i)], noise)
        assert state is not None and torch.equal(generator.image(state), whole)
        assert torch.equal(Engine(generator).picture(styles), whole)
        assert torch.equal(Engine(generator, fused=False).picture(styles), whole)
        assert torch.equal(session.synthesize(styles), whole)
    assert whole.shape == (1, session.img_channels, session.resolution, session.resolution)


def test_a_restart_has_the_bits_of_a_whole_run_wherever_it_starts(
    session: GeneratorSession, styles: list[Tensor]
) -> None:
    cache = session.cache()
    with session.lock, torch.no_grad():
        assert torch.equal(cache.run(styles), session.synthesize(styles))
        for k in range(len(styles)):
            styles[k] = styles[k] * 1.1
            before = cache.layers_run
            assert torch.equal(cache.run(styles), session.synthesize(styles))
            assert (
                cache.layers_run - before <= len(styles) - session.generator.block_layers(session.layers[k].block).start
            )
        before = cache.layers_run
        cache.run(styles)
        assert cache.layers_run == before


def test_pictures_that_share_layers_are_drawn_together_and_run_these_once(session: GeneratorSession) -> None:
    cache = session.cache(history=True)
    a, b = (session.code_styles(session.latent(seed=seed)) for seed in (1, 2))
    last = session.generator.block_layers(session.generator.num_blocks - 1).start
    mixed = [*a[:last], *b[last:]]
    with session.lock, torch.no_grad():
        found = cache.draw([Unit(each, "const") for each in (a, b, mixed, a)])
        assert cache.layers_run == 2 * len(a) + len(a) - last
        near(found, torch.cat([session.synthesize(each) for each in (a, b, mixed, a)]))


def test_gradients_reach_w_every_style_and_the_noise(session: GeneratorSession, styles: list[Tensor]) -> None:
    w = session.sample_w(1).requires_grad_()
    session.synthesize(w).square().sum().backward()
    assert w.grad is not None and float(w.grad.abs().sum()) > 0
    own = leaves(styles)
    noise = [picture.requires_grad_() for picture in session.noise_maps()]
    session.synthesize(own, noise=noise).square().sum().backward()
    assert all(x.grad is not None and bool(x.grad.isfinite().all()) for x in (*own, *noise))
    assert all(parameter.grad is None for parameter in session.generator.parameters())


@pytest.mark.parametrize("mode", NOISE_MODES)
def test_every_mode_of_noise_is_drawn_and_repeats(session: GeneratorSession, mode: str) -> None:
    latent = session.latent(seed=1, noise_mode=mode, noise_seed=3)
    assert np.array_equal(session.image(latent), session.image(latent))
    if session.noise_shapes and mode in ("random", "tf"):
        assert not np.array_equal(session.image(latent), session.image(latent.replace(noise_seed=4)))
    if mode == "const":
        maps = session.noise_maps()
        with torch.no_grad():
            w = session.map(latent)
            near(session.synthesize(w, noise=maps), session.synthesize(w))


# -- activations ----------------------------------------------------------------------------------------------------------
def ends(session: GeneratorSession) -> list[int]:
    """The layers after which there is something to be seen."""
    return sorted(Engine(session.generator, fused=False).stages.ends)


def test_activations_lead_to_the_same_picture_to_the_bit(session: GeneratorSession, styles: list[Tensor]) -> None:
    whole = session.synthesize(styles)
    found = session.activations(styles, ends(session))
    assert list(found) == [session.layers[k].name for k in ends(session)]
    for name, state in found.items():
        assert torch.equal(session.synthesize(styles, start=(name, state)), whole)
    latent = session.latent(seed=1)
    assert (
        torch.equal(session.activations(latent, [0])[session.layers[0].name].x, found[session.layers[0].name].x)
        if (0 in ends(session))
        else True
    )


def test_a_restart_is_differentiable_in_features_and_later_styles_and_in_no_earlier_ones(
    session: GeneratorSession, styles: list[Tensor]
) -> None:
    last = ends(session)[0]
    (state,) = session.activations(styles, [last]).values()
    x, *own = leaves([state.x, *styles])
    session.synthesize(own, start=(last, State(x, state.img))).square().sum().backward()
    assert x.grad is not None and float(x.grad.abs().sum()) > 0
    assert [s.grad is None for s in own] == [k <= last for k in range(len(own))]


def test_activations_are_differentiable_in_the_styles_before_them(
    session: GeneratorSession, styles: list[Tensor]
) -> None:
    last = ends(session)[-2]
    own = leaves(styles)
    (state,) = session.activations(own, [last]).values()
    state.x.square().sum().backward()
    assert own[0].grad is not None and own[-1].grad is None


def test_a_layer_that_is_not_there_or_not_seen_is_refused_by_name(
    session: GeneratorSession, styles: list[Tensor]
) -> None:
    with pytest.raises(ValueError, match="layer"):
        session.activations(styles, ["b9.conv7"])
    hidden = set(range(len(styles))) - set(ends(session))
    for k in hidden:
        with pytest.raises(ValueError, match=session.layers[k].name):
            session.activations(styles, [k])


# -- what some can do -----------------------------------------------------------------------------------------------------
def test_inner_pictures_are_true_and_no_larger_than_asked(session: GeneratorSession, styles: list[Tensor]) -> None:
    small = session.synthesize(styles, max_resolution=8)
    assert small.shape[-1] == (8 if session.has_inner_pictures else session.resolution)
    if not session.has_inner_pictures:
        assert torch.equal(small, session.synthesize(styles))


def test_previews_tell_about_the_whole_picture(session: GeneratorSession) -> None:
    generator = session.generator
    if not makes_previews(generator):
        assert not generator.has_previews
        return
    styles = session.styles(session.w_avg[None])
    side = generator.preview_resolution(session.generator.num_blocks - 2)
    with session.lock:
        small = session.cache().run(styles, max_resolution=side)
    assert small.shape == (1, session.img_channels, side, side) and bool(small.isfinite().all())


def test_layers_run_alone_are_the_blocks(session: GeneratorSession, styles: list[Tensor]) -> None:
    generator = session.generator
    assert runs_layers(generator) == generator.can_run_layers
    assert len(ends(session)) == (len(session.layers) if runs_layers(generator) else generator.num_blocks)


def test_a_view_moves_the_picture_for_as_long_as_it_is_in_force(session: GeneratorSession) -> None:
    latent, moved = session.latent(seed=1), moved_view(session)
    if session.view_kind is not Transform:
        with pytest.raises(ValueError, match="leave transform out"):
            session.latent(seed=1, transform=Transform(x=0.2, angle=20))
    if session.view_kind is None:
        return
    assert session.can_transform == (session.view_kind is Transform) and isinstance(session.generator, HasView)
    still, turned = session.image(latent), session.image(latent.replace(view=moved))
    assert not np.array_equal(still, turned) and np.array_equal(session.image(latent), still)
    with session.viewed(moved):
        key = session.generator.view_key
        assert key is not None and hash(key) == hash(session.generator.view_key)
    assert session.generator.view_key is None
    cache, styles = session.cache(), session.code_styles(latent)
    for view in (type(moved)(), moved, moved, type(moved)()):
        with session.viewed(view), torch.no_grad():
            assert torch.equal(cache.run(styles), session.synthesize(styles, transform=view))


# -- what a session offers of it ------------------------------------------------------------------------------------------
def test_a_state_dict_goes_there_and_back(session: GeneratorSession, tmp_path: Path) -> None:
    other: Any = type(session.generator)(session.generator.config)  # type: ignore[call-arg]
    other.load_state_dict({name: value.cpu() for name, value in session.generator.state_dict().items()})
    again = opened(other, session.device)
    latent = session.latent(seed=5)
    assert np.array_equal(again.image(latent), session.image(latent))
    assert (again.fingerprint(), again.fingerprint("w")) == (session.fingerprint(), session.fingerprint("w"))
    session.save(tmp_path / "own.safetensors", "fp32")
    read = opened(native.load(tmp_path / "own.safetensors")[0], session.device)
    assert np.array_equal(read.image(latent), session.image(latent)) and read.fingerprint() == session.fingerprint()


def test_tuned_parameters_change_a_copy_and_neither_the_session_nor_its_w(session: GeneratorSession) -> None:
    latent = session.latent(seed=6)
    before = session.image(latent)
    name = next(
        n for n in session.parameters() if n.startswith("synthesis.") and n.endswith(".weight") and ".affine" not in n
    )
    change = 0.3 * torch.randn(session.parameters()[name].shape, generator=torch.Generator().manual_seed(0))
    tuned = session.tuned({name: change})
    assert not np.array_equal(tuned.image(latent), before) and np.array_equal(session.image(latent), before)
    assert tuned.fingerprint("w") == session.fingerprint("w") and tuned.fingerprint() != session.fingerprint()
    free, moving = session.trainable()
    free.synthesize(session.w_avg[None]).square().sum().backward()
    assert all(p.requires_grad for p in moving.values()) and any(p.grad is not None for p in moving.values())
    assert all(p.grad is None for p in session.generator.parameters())


def test_what_is_remembered_is_made_again_when_the_weights_change(device: str) -> None:
    session = GeneratorSession(make("stub"), device=device)
    made: list[int] = []
    make_one: Callable[[], int] = lambda: made.append(1) or len(made)  # type: ignore[func-returns-value]  # noqa: E731
    assert [session.remembered("a", make_one, "mapping") for _ in range(3)] == [1, 1, 1]
    with torch.no_grad():
        next(session.generator.mapping.parameters()).add_(0.1)
    assert session.remembered("a", make_one, "mapping") == 2


def test_directions_are_found_and_move_the_picture(session: GeneratorSession) -> None:
    latent = session.latent(seed=2, psi=0.7)
    for found in (pca(session, samples=60, components=1), sefa(session, samples=60, components=1)):
        (direction,) = found.values()
        assert not np.array_equal(session.image(latent.with_edit(direction, 4.0)), session.image(latent))


def test_a_family_without_its_source_says_what_is_missing(device: str) -> None:
    session = GeneratorSession(make("pose with style"), device=device)
    with pytest.raises(ValueError, match="was given none"):
        session.image(session.latent(seed=1))
    explorer = LatentExplorer(session)
    assert explorer.view.badge == "nobody to draw yet" and explorer.view.error == ""
    explorer.close()


# -- widgets --------------------------------------------------------------------------------------------------------------
def test_the_explorer_draws_and_drags(session: GeneratorSession) -> None:
    explorer = LatentExplorer(session)
    try:
        first = np.asarray(explorer.image)
        explorer.value = explorer.value.replace(seed=9, psi=0.5)
        assert not np.array_equal(np.asarray(explorer.image), first)
        explorer.undo()
        assert np.array_equal(np.asarray(explorer.image), first)
        explorer.value = explorer.value.with_edit(next(iter(pca(session, samples=60, components=1).values())), 4.0)
        assert np.array_equal(np.asarray(explorer.image), np.asarray(session.render(explorer.value)))
    finally:
        explorer.close()


def test_cells_of_a_grid_are_mixes(session: GeneratorSession) -> None:
    grid = mixing.MixGrid.of(session, [session.latent(seed=1)], [session.latent(seed=2)], "coarse")
    for place, picture in mixing.GridRenderer(session).all(grid).items():
        wanted = session.image(mixing.mix_cell(session, grid, place)).astype(int)
        assert np.abs(picture - wanted).max() <= 1, place


def test_the_probe_opens(device: str) -> None:
    probe = StyleSpaceProbe(GeneratorSession(make("stub"), device=device))
    try:
        assert np.asarray(probe.image).shape == (16, 16, 3)
    finally:
        probe.close()


# -- families -------------------------------------------------------------------------------------------------------------
def test_a_generator_that_nobody_registered_is_drawn_and_its_file_is_refused_with_the_remedy(
    device: str, tmp_path: Path
) -> None:
    class Own(stub_family.Stub):
        family = "own"

    session = GeneratorSession(Own(stub_family.StubConfig()), device=device)
    assert session.image(Latent(seed=1)).shape == (16, 16, 3)
    with pytest.raises(ValueError, match="generators.register"):
        session.save(tmp_path / "own.safetensors")


def test_a_name_belongs_to_one_family() -> None:
    register(FAMILIES["stub"])
    with pytest.raises(ValueError, match="is StyleGAN2 already"):
        register(Family("stylegan2", "Mine", stub_family.__name__, "Stub"))


def test_an_unknown_family_is_named() -> None:
    with pytest.raises(ValueError, match="stylegan4"):
        build("stylegan4", None)


@pytest.mark.slow
def test_a_family_is_imported_when_it_is_used() -> None:
    code = "import sys, stylewidgets.generators.families as f; assert not [m for m in sys.modules if m.endswith('stylegan3')]"
    subprocess.run([sys.executable, "-c", code], check=True)
