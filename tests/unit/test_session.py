"""GeneratorSession on a small random generator, the synthesis cache and the live renderer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets import weights
from stylewidgets.checkpoints.formats import native
from stylewidgets.directions import DirectionSet
from stylewidgets.generators.stylegan1.generator import StyleGAN1, StyleGAN1Config
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.generators.stylegan3.generator import StyleGAN3, StyleGAN3Config
from stylewidgets.latent.latent import Code, Direction, Latent
from stylewidgets.ops.devices import choose_device, choose_dtype
from stylewidgets.render.ladder import STILL, Rung
from stylewidgets.render.renderer import LiveRenderer
from stylewidgets.session.activations import SynthesisCache
from stylewidgets.session.engine import Engine
from stylewidgets.session.session import GeneratorSession
from stylewidgets.session.synthesis import to_uint8

W = 8


def generator(**config: Any) -> StyleGAN2:
    settings: dict[str, Any] = {
        "z_dim": 6,
        "w_dim": W,
        "resolution": 32,
        "channels": (8, 8, 6, 4),
        "mapping_layers": 2,
        **config,
    }
    with torch.random.fork_rng():
        torch.manual_seed(1)
        made = StyleGAN2(StyleGAN2Config(**settings))
        with torch.no_grad():
            made.mapping.w_avg.normal_()
            for name, parameter in made.named_parameters():
                if name.endswith("noise_strength"):
                    parameter.fill_(0.3)
    return made


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small only lose time by being shared out, a lot of it on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def session(device: str) -> GeneratorSession:
    return GeneratorSession(generator(), device=device, name="toy")


def channels(session: GeneratorSession) -> int:
    return sum(layer.channels for layer in session.layers)


def direction(
    session: GeneratorSession, name: str = "d", space: str = "w", rows: bool = False, seed: int = 0
) -> Direction:
    shape = (channels(session),) if space == "s" else (session.num_ws, W) if rows else (W,)
    return Direction(name, np.random.RandomState(seed).randn(*shape), sigma=0.7, space=space)


# -- mapping ---------------------------------------------------------------------------------------------------------------


def test_a_seed_is_numpys_random_state(session: GeneratorSession) -> None:
    z = torch.tensor(np.random.RandomState(5).randn(1, 6), dtype=torch.float32)
    torch.testing.assert_close(session.map(Latent(seed=5)), session.generator.map(z), rtol=0, atol=0)
    torch.testing.assert_close(session.map(Latent(code=Code("z", z))), session.map(Latent(seed=5)), rtol=0, atol=0)


def test_truncation_blends_and_edits_follow_their_formulas(session: GeneratorSession) -> None:
    one, two = (session.map(Latent(seed=s)) for s in (1, 2))
    mean = session.generator.mapping.w_avg
    blend = Latent(blend=((1, 0.25), (2, 0.75)), psi=0.5, cutoff=3)
    mixed = 0.25 * one + 0.75 * two
    expected = torch.cat([mean + 0.5 * (mixed[:, :3] - mean), mixed[:, 3:]], dim=1)
    torch.testing.assert_close(session.map(blend), expected)
    d = direction(session, rows=True)
    shift = torch.zeros_like(expected)
    shift[0, 1:4] = torch.tensor(d.vector)[1:4] * 2 * d.sigma
    torch.testing.assert_close(session.map(blend.with_edit(d, 2, (1, 4))), expected + shift)


def test_blending_one_seed_alone_is_that_seed(session: GeneratorSession) -> None:
    assert (session.image(Latent(blend=((4, 1.0),))) == session.image(Latent(seed=4))).all()


def test_codes_are_taken_as_they_are(session: GeneratorSession) -> None:
    latent = Latent(seed=3, psi=0.6)
    ws = session.map(latent)
    assert torch.equal(session.map(Latent(code=Code("w+", ws))), ws)
    row = session.map(Latent(code=Code("w", ws[0, 0])))
    assert torch.equal(row, ws[:, :1].expand_as(row))
    s = Latent(code=Code("s", session.styles(ws)))
    assert (session.image(s) == session.image(latent)).all()
    with pytest.raises(ValueError, match="code_styles"):
        session.map(s)


def test_truncation_and_w_edits_of_a_style_code_equal_those_in_w(session: GeneratorSession) -> None:
    latent = Latent(seed=3)
    coded = Latent(code=Code("s", session.code_styles(latent)))
    changes: dict[str, Any] = {"psi": 0.4, "cutoff": 5}
    d = direction(session)
    for a, b in zip(
        session.code_styles(latent.replace(**changes).with_edit(d, 1.5, (2, 6))),
        session.code_styles(coded.replace(**changes).with_edit(d, 1.5, (2, 6))),
        strict=True,
    ):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def test_style_edits_add_to_their_layers_only(session: GeneratorSession) -> None:
    d = direction(session, space="s")
    before, after = (session.code_styles(x) for x in (Latent(), Latent().with_edit(d, 2, (2, 4))))
    parts = torch.tensor(d.vector).split([layer.channels for layer in session.layers])
    for layer, a, b, part in zip(session.layers, before, after, parts, strict=True):
        torch.testing.assert_close(b, a + 2 * d.sigma * part if 2 <= layer.ws_index < 4 else a)


def test_changed_mapping_weights_are_noticed() -> None:
    session = GeneratorSession(generator(), device="cpu")
    before = session.map(Latent(seed=1))
    with torch.no_grad():
        session.generator.mapping.fc0.weight.mul_(2)
    assert not torch.equal(session.map(Latent(seed=1)), before)


def test_what_map_returns_belongs_to_the_caller(session: GeneratorSession) -> None:
    w = session.map(Latent(seed=1))
    before = w.clone()
    w.zero_()
    assert torch.equal(session.map(Latent(seed=1)), before)


# -- synthesis -------------------------------------------------------------------------------------------------------------


def test_synthesis_is_differentiable_in_w_w_plus_and_styles_even_after_rendering(session: GeneratorSession) -> None:
    with torch.inference_mode():
        session.map(Latent(seed=77))
    ws = session.map(Latent(seed=77)).requires_grad_()
    session.synthesize(ws).square().mean().backward()
    assert ws.grad is not None and ws.grad.abs().sum() > 0
    w = session.map(Latent(seed=1))[:, 0].requires_grad_()
    styles = session.styles(w)
    picture = session.synthesize(styles, noise_mode="random", noise_seed=3)
    assert picture.shape == (1, 3, 32, 32) and picture.dtype == torch.float32
    picture.sum().backward()
    assert w.grad is not None
    assert all(parameter.grad is None for parameter in session.generator.parameters())


def test_pictures_are_truncated_bytes_of_the_synthesis(session: GeneratorSession) -> None:
    latent = session.latent(seed=2, noise_mode="random", noise_seed=4)
    with torch.no_grad():
        x = session.synthesize(session.map(latent), noise_mode="random", noise_seed=4)
    expected = (x * 127.5 + 128).clamp(0, 255).to(torch.uint8)[0].permute(1, 2, 0).numpy()
    assert (session.image(latent) == expected).all() and (np.asarray(session.render(latent)) == expected).all()


def test_noise_depends_on_mode_and_seed_only(session: GeneratorSession) -> None:
    def image(**noise: Any) -> Any:
        return session.image(Latent(seed=1, **noise))

    a = image(noise_mode="random", noise_seed=1)
    other = image(noise_mode="random", noise_seed=2)
    state = torch.get_rng_state()
    assert (image(noise_mode="random", noise_seed=1) == a).all() and (other != a).any()
    assert torch.equal(torch.get_rng_state(), state)
    assert (image() != a).any() and (image(noise_mode="none") != image()).any()
    assert (image(noise_seed=5) == image()).all()


def test_tf_noise_is_drawn_after_z_from_the_seed_of_the_scripts(session: GeneratorSession) -> None:
    source = np.random.RandomState(7)
    z = source.randn(1, session.z_dim)
    noise = [torch.tensor(source.randn(1, 1, *shape), dtype=torch.float32) for shape in session.generator.noise_shapes]
    drawn = session.noise("tf", 7)
    assert all(torch.equal(a, b) for a, b in zip(drawn, noise, strict=True))
    latent = session.latent(seed=7, noise_mode="tf", noise_seed=7)
    expected = session.generator.synthesize(session.generator.map(torch.tensor(z, dtype=torch.float32)), noise=noise)
    found = session.synthesize(session.map(latent), noise_mode="tf", noise_seed=7)
    assert torch.allclose(found, expected, atol=1e-6)
    assert (session.image(latent) != session.image(latent.replace(noise_mode="random"))).any()
    assert (session.image(latent) != session.image(latent.replace(noise_seed=8))).any()
    assert (session.images([latent, latent.replace(noise_seed=8)])[0] == session.image(latent)).all()


def test_gray_becomes_rgb() -> None:
    session = GeneratorSession(generator(img_channels=1), device="cpu")
    image = session.image(Latent())
    assert image.shape == (32, 32, 3) and (image[..., 0] == image[..., 2]).all()


def test_values_that_are_not_finite_are_an_error_not_a_black_picture() -> None:
    with pytest.raises(ValueError, match="make the edits weaker"):
        to_uint8(torch.full((1, 3, 2, 2), float("nan")))


def test_many_pictures_at_once_are_those_drawn_one_by_one(session: GeneratorSession) -> None:
    latents = [
        session.latent(seed=i, noise_mode=("const", "random", "none")[i % 3], noise_seed=i // 6) for i in range(20)
    ]
    many = session.images(latents)
    assert many.shape == (20, 32, 32, 3) and many.dtype == np.uint8
    for latent, picture in zip(latents, many, strict=True):
        assert np.abs(picture.astype(int) - session.image(latent)).max() <= 1  # batches round differently
    assert session.images(latents[:3], resolution=4).shape == (3, 4, 4, 3)
    assert session.images([], resolution=4).shape == (0, 4, 4, 3)


def test_full_memory_halves_the_batch(session: GeneratorSession, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, picture = [], Engine.picture

    def small(engine: Engine, styles: Any, *rest: Any) -> Any:
        sizes.append(len(styles[0]))
        if len(styles[0]) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return picture(engine, styles, *rest)

    monkeypatch.setattr(Engine, "picture", small)
    assert len(session.images([Latent(seed=i) for i in range(10)])) == 10 and max(sizes[3:]) <= 3


def test_interpolation_starts_and_ends_with_the_latents_themselves(session: GeneratorSession) -> None:
    a, b = Latent(seed=1, psi=0.5), Latent(seed=2).with_edit(direction(session), 1)
    assert session.interpolate(a, b, 0) is a and session.interpolate(a, b, 1.0) is b
    quarter = session.interpolate(a, b, 0.25)
    torch.testing.assert_close(session.map(quarter), torch.lerp(session.map(a), session.map(b), 0.25))
    styled = b.with_edit(direction(session, "s", "s"), 1)
    between = session.interpolate(a, styled, 0.75)
    assert between.code is not None and between.code.space == "s"
    for got, x, y in zip(*(session.code_styles(k) for k in (between, a, styled)), strict=True):
        torch.testing.assert_close(got, torch.lerp(x, y, 0.75))
    with pytest.raises(ValueError, match="t must be a finite number"):
        session.interpolate(a, b, float("nan"))


def test_threads_take_turns(session: GeneratorSession) -> None:
    expected = {seed: session.image(Latent(seed=seed)) for seed in range(4)}
    wrong: list[int] = []

    def work(seed: int) -> None:
        renderer = LiveRenderer(session)
        for _ in range(5):
            if (renderer(Latent(seed=seed), STILL) != expected[seed]).any():
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not wrong


# -- checks ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"cutoff": 9}, "from 0 to 8 for this generator"),
        ({"label": 0}, "knows no classes"),
        ({"code": Code("w", np.zeros(5))}, r"shape \[8\] for this generator; \[5\]"),
        ({"code": Code("w+", np.zeros((7, W)))}, r"shape \[8, 8\]"),
        ({"code": Code("s", np.zeros(5))}, "a code in s has shape"),
        ({"edits": Latent().with_edit(Direction("d", np.zeros(5)), 1).edits}, "made for another one"),
        ({"edits": Latent().with_edit(Direction("d", np.zeros(5), space="s"), 1).edits}, "'d' in s must have shape"),
        (
            {"edits": Latent().with_edit(Direction("d", np.zeros(W)), 1, (4, 9)).edits},
            "edit 'd': .*<= 8; .*; .4, 9. was given",
        ),
    ],
)
def test_latents_that_do_not_fit_are_refused_with_what_does(session: GeneratorSession, values: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        session.latent(**values)


def test_misspelt_and_foreign_arguments_are_told(session: GeneratorSession) -> None:
    with pytest.raises(TypeError, match="did you mean 'psi'"):
        session.latent(pis=1)
    with pytest.raises(TypeError, match="a Latent is expected; int was given"):
        session.render(7)
    with pytest.raises(TypeError, match="a tensor is expected; ndarray"):
        session.styles(np.zeros((1, W)))
    with pytest.raises(ValueError, match="tensor on meta was given"):
        session.synthesize(torch.zeros(1, W, device="meta"))
    with pytest.raises(ValueError, match="one style per layer"):
        session.synthesize(session.code_styles(Latent())[:2])
    with pytest.raises(ValueError, match="did you mean 'const'"):
        session.synthesize(torch.zeros(1, W), noise_mode="konst")


def test_labels_of_conditional_generators() -> None:
    session = GeneratorSession(generator(c_dim=3), device="cpu")
    assert session.latent().label == 0
    assert (session.image(session.latent(label=2)) != session.image(session.latent(label=1))).any()
    with pytest.raises(ValueError, match="label must be from 0 to 2; None"):
        session.image(Latent())
    with pytest.raises(ValueError, match="from 0 to 2 for this generator; 3 was given"):
        session.latent(label=3)
    between = session.interpolate(session.latent(seed=1, label=1), session.latent(seed=2, label=2), 0.6)
    assert session.image(between).shape == (32, 32, 3)
    session.image(Latent(code=Code("w", np.zeros(W))))  # a code in w needs no label


def test_devices_and_precisions_that_are_not_there_name_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device(None) == torch.device("cpu")
    with pytest.raises(ValueError, match="'cuda' was asked for.*Use device='cpu'"):
        choose_device("cuda")
    with pytest.raises(ValueError, match="did you mean 'cuda'"):
        choose_device("cude")
    with pytest.raises(ValueError, match="did you mean 'fp16'"):
        choose_dtype("f16", torch.device("cpu"))
    assert choose_dtype("auto", torch.device("cpu")) is None
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    assert choose_dtype("auto", torch.device("cuda")) is torch.float16


# -- cache and live renderer -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config", [{}, {"architecture": "resnet"}, {"use_noise": False}, {"resolution": 16, "channels": (8, 8, 6)}]
)
def test_a_cached_run_equals_a_full_one_to_the_last_bit(config: dict[str, Any]) -> None:
    session = GeneratorSession(generator(**config), device="cpu")
    renderer, random = LiveRenderer(session), np.random.RandomState(0)
    directions = [direction(session, "w"), direction(session, "rows", rows=True), direction(session, "s", space="s")]
    latent = session.latent(seed=0)
    for _ in range(60):
        kind = random.randint(6)
        if kind <= 2:
            first = random.randint(session.num_ws)
            latent = latent.with_edit(directions[kind], random.randn(), (first, session.num_ws))
        elif kind == 3:
            latent = latent.replace(
                noise_mode=["const", "random", "none"][random.randint(3)], noise_seed=random.randint(3)
            )
        elif kind == 4:
            latent = latent.replace(psi=random.rand(), cutoff=random.randint(session.num_ws + 1))
        else:
            latent = latent.replace(seed=random.randint(3))
        small = renderer(latent, Rung(8)) if random.rand() < 0.3 else None
        assert small is None or small.shape == (8, 8, 3)
        assert (renderer(latent, STILL) == session.image(latent)).all()


def test_only_layers_that_a_change_reaches_run_again(
    session: GeneratorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(session.generator, StyleGAN2)
    cache, ran = SynthesisCache(session.generator), list[int]()
    run_layer, run_last, count = session.generator.run_layer, session.generator.run_last, len(session.layers)
    monkeypatch.setattr(session.generator, "run_layer", lambda k, *rest: ran.append(k) or run_layer(k, *rest))
    monkeypatch.setattr(
        session.generator, "run_last", lambda *given: ran.extend([count - 2, count - 1]) or run_last(*given)
    )

    def run(latent: Latent, **options: Any) -> list[str]:
        ran.clear()
        cache.run(session.code_styles(latent), session.noise(latent.noise_mode, latent.noise_seed), **options)
        return [session.layers[k].name for k in ran]

    names = [layer.name for layer in session.layers]
    from_b16 = [name for name in names if name.startswith(("b16", "b32"))]
    d = direction(session)
    assert run(Latent()) == names and run(Latent()) == []
    assert run(Latent().with_edit(d, 1, (7, 8))) == ["b32.conv1", "b32.torgb"], (
        "the features before colours are not kept"
    )
    assert run(Latent()) == ["b32.conv1", "b32.torgb"]
    assert run(Latent().with_edit(d, 1, (4, 5))) == ["b16.conv1", "b16.torgb", "b32.conv0", "b32.conv1", "b32.torgb"]
    assert run(Latent().with_edit(d, 1, (3, 5))) == ["b8.torgb", *from_b16]  # the colours share their row
    assert run(Latent().with_edit(d, 1), max_resolution=8) == names[:5]
    assert run(Latent().with_edit(d, 1)) == from_b16
    assert run(Latent().with_edit(d, 1), dtype=torch.bfloat16) == names
    assert cache.bytes > 0
    cache.clear()
    assert cache.bytes == 0 and run(Latent()) == names


@pytest.mark.parametrize("limit", [0, 3000, 20_000, 10**9])
def test_a_cache_keeps_to_its_limit_and_gives_the_same_bits(session: GeneratorSession, limit: int) -> None:
    cache, random = SynthesisCache(session.generator, limit), np.random.RandomState(0)
    styles = session.code_styles(Latent(seed=1))
    for _ in range(20):
        k = random.randint(len(styles))
        styles[k] = styles[k] + 0.1
        with torch.no_grad():
            assert torch.equal(cache.run(styles), session.generator.synthesize(styles))
        assert cache.bytes <= limit


def test_a_cache_notices_changed_weights_batches_and_noise_changed_in_place() -> None:
    net = generator().eval().requires_grad_(False)
    cache = SynthesisCache(net)
    styles = net.styles(torch.randn(1, W))
    noise = [torch.randn(1, 1, *shape) for shape in net.noise_shapes]

    def same() -> bool:
        return torch.equal(cache.run(styles, noise), net.synthesize(styles, noise))

    assert same() and same()
    noise[2].normal_()
    assert same()
    net.synthesis.b8.conv0.weight.mul_(1.1)
    assert same()
    styles = [torch.cat([s, s * 0.5]) for s in styles]
    assert same()
    fresh = cache.run(styles, "random")
    assert not torch.equal(fresh, cache.run(styles, "random"))
    assert cache.run(styles, "none").is_inference()


def test_an_error_in_the_middle_leaves_a_cache_that_is_right(
    session: GeneratorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer = LiveRenderer(session)
    renderer(Latent(seed=1), STILL)
    assert isinstance(session.generator, StyleGAN2)
    run_layer = session.generator.run_layer

    def fail(k: int, *rest: Any) -> Any:
        if k == 6:
            raise RuntimeError("interrupted")
        return run_layer(k, *rest)

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="interrupted"):
        patch.setattr(session.generator, "run_layer", fail)
        renderer(Latent(seed=2), STILL)
    assert (renderer(Latent(seed=2), STILL) == session.image(Latent(seed=2))).all()


def test_full_memory_gives_up_the_kept_activations(session: GeneratorSession, monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = LiveRenderer(session)
    renderer(Latent(seed=1), STILL)
    assert isinstance(session.generator, StyleGAN2)
    run_layer, failures = session.generator.run_layer, iter([True])

    def fail_once(k: int, *rest: Any) -> Any:
        if k == 9 and next(failures, False):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return run_layer(k, *rest)

    monkeypatch.setattr(session.generator, "run_layer", fail_once)
    assert (renderer(Latent(seed=2), STILL) == session.image(Latent(seed=2))).all()


def test_lower_rungs_come_from_inner_blocks_or_are_made_smaller(session: GeneratorSession) -> None:
    with torch.no_grad():
        net: Any = session.generator
        state, styles = None, session.code_styles(Latent(seed=1))
        for i in range(3):
            state = net.step(i, state, styles[net.block_layers(i)])
        inner = to_uint8(net.finish_small(2, state.x, state.img, styles[net.block_layers(2).stop :]))[0]
    assert (LiveRenderer(session)(Latent(seed=1), Rung(16)) == inner).all()
    assert LiveRenderer(session)(Latent(seed=1), Rung(20)).shape == (16, 16, 3)
    resnet = GeneratorSession(generator(architecture="resnet"), device="cpu")
    assert LiveRenderer(resnet)(Latent(seed=1), Rung(20)).shape == (16, 16, 3)
    third = GeneratorSession(StyleGAN3(StyleGAN3Config.create("T", 32, channel_base=256, channel_max=16)), device="cpu")
    assert LiveRenderer(third)(Latent(seed=1), Rung(20)).shape == (16, 16, 3)
    first = GeneratorSession(StyleGAN1(StyleGAN1Config(z_dim=8, w_dim=8, channels=(8, 8, 8, 8))), device="cpu")
    assert LiveRenderer(first)(Latent(seed=1), Rung(20)).shape == (20, 20, 3), "without previews, made smaller"


def test_a_renderer_gives_encoded_pictures(session: GeneratorSession) -> None:
    picture = LiveRenderer(session).picture(Latent(seed=1), Rung(16, "jpeg", 60))
    assert (picture.width, picture.height, picture.mime) == (16, 16, "image/jpeg") and picture.data[:2] == b"\xff\xd8"


# -- loading -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str) -> Path:
    net = generator()
    native.save(tmp_path / "avatar-64.safetensors", net, {"name": "avatar-64", "licence": "MIT"})
    loaded, _ = native.load(tmp_path / "avatar-64.safetensors")
    made = DirectionSet.of(GeneratorSession(loaded, device=device), [Direction("smile", np.ones(W))])
    made.save(tmp_path / "avatar-64.directions.safetensors")
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    return tmp_path


def test_load_opens_bundled_names_and_paths_with_their_directions(folder: Path) -> None:
    default = sw.load()
    assert default.name == "avatar-64" and default.metadata["licence"] == "MIT" and default.source == ""
    assert default.directions.names == ("smile",) and "avatar-64, 32 px" in repr(default)
    for source in ("avatar", "avatar-64", str(folder / "avatar-64.safetensors"), folder / "avatar-64.safetensors"):
        again = sw.load(source, device="cpu", precision="fp32")
        assert (again.image(Latent()) == default.image(Latent())).all() and again.source == str(source)
    (folder / "avatar-64.directions.safetensors").unlink()
    assert len(sw.load().directions) == 0


def test_what_cannot_be_loaded_is_told(folder: Path) -> None:
    with pytest.raises(ValueError, match="did you mean 'avatar-64'.*or the path of a checkpoint"):
        sw.load("avtar-64")
    with pytest.raises(FileNotFoundError, match="nothing.safetensors"):
        sw.load(folder / "nothing.safetensors")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        sw.load("some/network.pkl")
    (folder / "network.pkl").write_bytes(b"x")
    with pytest.raises(ValueError, match="network.pkl cannot be recognised"):
        sw.load(folder / "network.pkl")
    with pytest.raises(ValueError, match="precision"):
        sw.load(precision="fp64")
    (folder / "avatar-64.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="train avatars"):
        sw.load()


def test_several_classes_at_once_are_given_by_their_weights() -> None:
    session = GeneratorSession(generator(c_dim=3), device="cpu")
    mixed = session.latent(label={0: 0.25, 2: 0.75})
    assert mixed.label == (0.25, 0.0, 0.75)
    assert torch.equal(
        session.map(mixed),
        session.generator.map(
            session.tensor(np.random.RandomState(0).randn(1, session.z_dim)), session.tensor(np.array([mixed.label]))
        ),
    )
    assert np.array_equal(session.image(session.latent(label={2: 1.0})), session.image(session.latent(label=2)))
    assert session.latent(label={}).label == (0.0, 0.0, 0.0)  # of no class
    assert session.sample_w(4, label={0: 0.5, 1: 0.5}).shape == (4, W)
    for wrong, words in (
        ({3: 1.0}, "a class of label must be a whole number from 0 to 2"),
        ({0: "x"}, "the weight of class 0 must be a finite number"),
        ([0, 2], "Several classes at once are session.latent"),
    ):
        with pytest.raises(ValueError, match=words):
            session.latent(label=wrong)
    with pytest.raises(ValueError, match=r"session.latent\(label="):
        Latent(label={0: 1.0})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="knows no classes"):
        GeneratorSession(generator(), device="cpu").latent(label={0: 1.0})
