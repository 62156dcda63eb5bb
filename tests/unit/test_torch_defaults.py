"""Another library's defaults of torch, inference mode and a fork change nothing, and random numbers are left as they were."""

from __future__ import annotations

import ast
import os
import random
import select
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets
from stylewidgets import GeneratorSession, Latent, avatars, directions, inversion
from stylewidgets.avatars.reading.factor_net import load_regressor
from stylewidgets.latent.latent import NOISE_MODES
from stylewidgets.ops.native import build, winograd

PACKAGE = Path(stylewidgets.__file__).parent
BOTH, DEVICE = frozenset({"dtype", "device"}), frozenset({"device"})
MAKERS = {
    **dict.fromkeys(("zeros", "ones", "empty", "full", "eye", "arange", "linspace", "logspace", "tensor"), BOTH),
    **dict.fromkeys(("as_tensor", "scalar_tensor", "rand", "randn", "randint", "randperm", "normal"), BOTH),
    **dict.fromkeys(("Linear", "Conv1d", "Conv2d", "ConvTranspose2d", "Embedding", "PReLU"), BOTH),
    **dict.fromkeys(("LayerNorm", "GroupNorm", "BatchNorm1d", "BatchNorm2d", "MultiheadAttention"), BOTH),
    **dict.fromkeys(("hann_window", "hamming_window", "blackman_window", "kaiser_window"), BOTH),
    **dict.fromkeys(("fftfreq", "rfftfreq"), BOTH),
    **dict.fromkeys(("tril_indices", "triu_indices"), BOTH),
}
"""What makes a tensor or a module out of nothing, and what it has to say then."""
MODULES = {"torch", "nn", "torch.nn", "torch.fft"}


def unsaid(text: str) -> list[str]:
    """The calls in a source that leave dtype or device to torch's defaults."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        missing = MAKERS.get(node.func.attr, frozenset()) - {keyword.arg for keyword in node.keywords}
        if missing and ast.unparse(node.func.value) in MODULES:
            found.append(f"line {node.lineno}: {ast.unparse(node)[:80]} without {' and '.join(sorted(missing))}")
    return found


def test_every_tensor_says_its_dtype_and_device() -> None:
    found = {str(path.relative_to(PACKAGE)): unsaid(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}
    assert not {path: lines for path, lines in found.items() if lines}


def test_a_tensor_that_does_not_say_them_is_found() -> None:
    assert unsaid("x = torch.zeros(3)") == ["line 1: torch.zeros(3) without device and dtype"]
    assert len(unsaid('nn.Linear(2, 3, device="cpu")\ntorch.tensor(1, dtype=torch.int64)')) == 2
    assert not unsaid('torch.ones(2, dtype=torch.float32, device="cpu")\ntorch.zeros_like(x)\nnp.zeros(3)')


NAMES = ("avatar-64", "avatar-64-hair-style", "avatar-64-stylegan3")
DEFAULTS = ("float16", "bfloat16", "float64", "meta", "inference")


@contextmanager
def under(default: str) -> Iterator[None]:
    """What another library, or a cell, may have set."""
    if default == "inference":
        with torch.inference_mode():
            yield
        return
    before = torch.get_default_dtype()
    try:
        torch.set_default_device("meta") if default == "meta" else torch.set_default_dtype(getattr(torch, default))
        yield
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(before)


@pytest.fixture(scope="module")
def sessions() -> dict[str, GeneratorSession]:
    return {name: stylewidgets.load(name, device="cpu") for name in NAMES}


@pytest.fixture(scope="module")
def session(sessions: dict[str, GeneratorSession]) -> GeneratorSession:
    return sessions["avatar-64"]


def slope(session: GeneratorSession) -> torch.Tensor:
    with torch.inference_mode(False), torch.enable_grad():
        w = session.map(Latent(seed=1, label=0 if session.c_dim else None)).requires_grad_()
        return torch.autograd.grad(session.synthesize(w).square().sum(), w)[0]


def inverted(session: GeneratorSession) -> torch.Tensor:
    run = inversion.start("image2stylegan++", session, session.latent(seed=3), seed=1)
    run.advance()
    return run.code()


@pytest.mark.parametrize("default", DEFAULTS)
@pytest.mark.parametrize("name", NAMES)
def test_pictures_and_slopes_are_the_same_under_any_default(
    sessions: dict[str, GeneratorSession], name: str, default: str
) -> None:
    session = sessions[name]
    latents = [session.latent(seed=5, noise_mode=mode, noise_seed=2) for mode in NOISE_MODES]
    pictures, wanted = [session.image(latent) for latent in latents], slope(session)
    with under(default):
        assert all((session.image(latent) == was).all() for latent, was in zip(latents, pictures, strict=True))
        assert torch.equal(slope(session), wanted)
        opened = stylewidgets.load(name, device="cpu")
        assert (opened.image(latents[0]) == pictures[0]).all()
    assert torch.equal(slope(opened), wanted), "what was opened there serves elsewhere, too"


@pytest.mark.parametrize("default", DEFAULTS)
def test_renders_readings_and_inversions_are_the_same_under_any_default(
    session: GeneratorSession, default: str
) -> None:
    def made() -> list[Any]:
        factors = torch.from_numpy(avatars.sample(1, seed=4))
        network = load_regressor()
        assert {p.dtype for p in network.parameters()} == {torch.float32}
        drawn = avatars.render(factors, 64, outputs=("image", "uv", "depth")).image
        return [drawn, network(drawn), inverted(session)]

    wanted = made()
    with under(default):
        found = made()
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


@pytest.mark.skipif(not winograd.available(), reason="nothing is compiled here")
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda w: w.half(), "float16"),
        (lambda w: w.to("meta"), "on meta"),
        (lambda w: w[:, :, :8], "float32"),
        (lambda w: w.transpose(1, 2), "strides"),
    ],
)
def test_compiled_code_refuses_what_it_would_misread(damage: Callable[[torch.Tensor], torch.Tensor], said: str) -> None:
    x, weight = torch.zeros(1, 8, 8, 8), torch.zeros(16, 8, 3, 3)
    styles, scale, bias = torch.ones(1, 8), torch.ones(1, 16), torch.zeros(16)
    packed = winograd.packed(weight, 1)
    assert winograd.convolution(x, packed, styles, scale, bias).shape == (1, 16, 8, 8)
    with pytest.raises(ValueError, match=f"compiled code takes.*{said}"):
        winograd.convolution(x, damage(packed), styles, scale, bias)
    with pytest.raises(ValueError, match="compiled code takes"):
        winograd.convolution(x, packed, styles[:, :4], scale, bias)
    with pytest.raises(ValueError, match=r"\[3\].*\[2\]"):
        build.address(torch.zeros(2), 3)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_draws_even_when_another_thread_was_drawing(session: GeneratorSession) -> None:
    threads, latent = torch.get_num_threads(), session.latent(seed=7)
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with session.lock:
            held.set()
            let_go.wait()

    torch.set_num_threads(2)  # so that OpenMP has threads that the child will lack
    other = threading.Thread(target=hold)
    try:
        wanted = session.image(latent)
        other.start()
        held.wait()
        read, write = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, of what is tested here
            child = os.fork()
        if child == 0:
            try:
                apart = np.abs(session.image(latent).astype(int) - wanted).max()
                os.write(write, f"{apart} apart on {torch.get_num_threads()} thread".encode())
            finally:
                os._exit(0)
        ready, _, _ = select.select([read], [], [], 10)
        if not ready:
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert ready and os.read(read, 100).decode() in ("0 apart on 1 thread", "1 apart on 1 thread")
    finally:
        let_go.set()
        torch.set_num_threads(threads)


def states() -> tuple[Any, ...]:
    kind, keys, *rest = np.random.get_state()
    return torch.get_rng_state().tolist(), kind, list(keys), rest, random.getstate()


def test_nobody_notices_by_their_random_numbers_that_this_package_is_there(session: GeneratorSession) -> None:
    before = states()
    picture = session.image(session.latent(seed=1))
    for mode in NOISE_MODES:
        session.image(session.latent(seed=1, noise_mode=mode, noise_seed=3))
    stylewidgets.load("avatar-64", device="cpu").synthesize(session.map(Latent()), noise_mode="random", noise_seed=1)
    load_regressor()
    avatars.estimate(picture[None])
    avatars.sample(3, seed=1, correlated=True)
    directions.pca(session, samples=40, components=2)
    for method in ("projector", "image2stylegan", "image2stylegan++", "fast"):
        inversion.start(method, session, session.latent(seed=3)).advance()
    for name in ("LatentExplorer", "StyleMixGrid", "StyleSpaceProbe", "InversionViewer"):
        getattr(stylewidgets, name)(session).close()
    assert states() == before


def test_nothing_depends_on_the_random_numbers_of_others(session: GeneratorSession) -> None:
    def made(seed: int) -> list[Any]:
        torch.manual_seed(seed)
        np.random.seed(seed)
        latent = session.latent(seed=1, noise_mode="random", noise_seed=3)
        return [session.image(latent).tolist(), inverted(session).tolist(), avatars.sample(2, seed=0).tolist()]

    with torch.random.fork_rng(devices=[]):
        kept = np.random.get_state()
        try:
            assert made(1) == made(2)
        finally:
            np.random.set_state(kept)
