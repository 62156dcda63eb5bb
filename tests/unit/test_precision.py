"""Half precision on the CPU is chosen where it pays, and batches are sized to memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch

from stylewidgets.core import devices as _devices
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.session import batching as _batching
from stylewidgets.session import precision as _precision
from stylewidgets.session.batching import in_batches, pictures_at_once
from stylewidgets.session.session import GeneratorSession

BF16 = torch.bfloat16


@pytest.fixture(scope="module")
def generator() -> StyleGAN2:
    torch.manual_seed(0)
    return StyleGAN2(StyleGAN2Config(z_dim=8, w_dim=8, resolution=64, channels=(8,) * 5, mapping_layers=2)).eval()


def takes(exact: float, rough: float) -> Callable[[], float]:
    """A clock by which every picture in float32 takes `exact` seconds, and one in bfloat16 `rough`."""
    now, steps = itertools.count(), itertools.cycle((0.0, exact, 0.0, rough))
    seen = [0.0]

    def clock() -> float:
        next(now)
        seen[0] += next(steps)
        return seen[0]

    return clock


@pytest.mark.parametrize(("rough", "wanted"), [(0.5, BF16), (0.95, None), (2.0, None)])
def test_bf16_is_chosen_where_it_is_quicker(
    generator: StyleGAN2, monkeypatch: pytest.MonkeyPatch, rough: float, wanted: torch.dtype | None
) -> None:
    monkeypatch.setattr(_precision, "cpu_has_bf16", lambda: True)
    assert _precision.chosen_for_cpu(generator, takes(1.0, rough)) == wanted


def test_bf16_is_not_chosen_where_the_picture_differs_too_much(
    generator: StyleGAN2, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_precision, "cpu_has_bf16", lambda: True)
    whole = _precision._picture

    def off_by(amount: float) -> Any:
        return lambda generator, styles, dtype: whole(generator, styles, None) * 0.01 + (amount if dtype else 0.0)

    monkeypatch.setattr(_precision, "_picture", off_by(2.2 / 255))
    assert _precision.chosen_for_cpu(generator, takes(1.0, 0.5)) is None
    monkeypatch.setattr(_precision, "_picture", off_by(1.8 / 255))
    assert _precision.chosen_for_cpu(generator, takes(1.0, 0.5)) == BF16
    monkeypatch.setattr(_precision, "_picture", off_by(float("nan")))
    assert _precision.chosen_for_cpu(generator, takes(1.0, 0.5)) is None


def test_a_session_decides_once_and_only_when_it_is_left_to_it(
    generator: StyleGAN2, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def choose(generator: Any) -> torch.dtype:
        asked.append(generator)
        return BF16

    monkeypatch.setattr("stylewidgets.session.session.chosen_for_cpu", choose)
    session = GeneratorSession(generator, device="cpu")
    assert not asked, "opening a file does not draw pictures"
    assert session.half == BF16 and session.half == BF16 and asked == [generator]
    assert GeneratorSession(generator, device="cpu", precision="fp32").half is None and len(asked) == 1


def test_a_processor_without_bf16_is_not_measured(generator: StyleGAN2, monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> float:
        raise AssertionError("measured")

    monkeypatch.setattr(_precision, "cpu_has_bf16", lambda: False)
    assert _precision.chosen_for_cpu(generator, never) is None


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        ("fpu sse avx2 avx512f", False),
        ("fpu avx512_bf16 fma", True),
        ("amx_bf16 amx_tile", True),
        ("fp asimd bf16 i8mm", True),
        ("xbf16x", False),
    ],
)
def test_the_processor_says_whether_it_has_bf16(flags: str, wanted: bool) -> None:
    assert bool(_devices._BF16.search(f"model name: x\nflags\t\t: {flags}\n")) is wanted


def test_large_pictures_are_drawn_in_small_batches(generator: StyleGAN2, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    assert pictures_at_once(generator, cpu) == _batching.MOST
    monkeypatch.setattr(_batching, "_free", lambda device: 0)
    assert pictures_at_once(generator, cpu) == 1
    each = 2 * 4 * 8 * 64 * 64
    monkeypatch.setattr(_batching, "_free", lambda device: 4 * 3 * each)
    assert pictures_at_once(generator, cpu) == 3
    assert pictures_at_once(generator, cpu, max_resolution=32) == 12
    monkeypatch.setattr(_batching, "_free", lambda device: 64 << 30)
    monkeypatch.setattr(_batching, "_CPU_BYTES", 2 * each)
    assert pictures_at_once(generator, cpu) == 2, (
        "a processor has nothing from large ones, however much memory there is"
    )


def test_batches_are_halved_until_they_fit_and_stay_small() -> None:
    sizes: list[int] = []

    def draw(part: Any) -> list[int]:
        sizes.append(len(part))
        if len(part) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [2 * item for item in part]

    assert list(in_batches(range(10), draw, 8)) == [2 * i for i in range(10)] and sizes == [8, 4, 2, 2, 2, 2, 2]

    def never(part: Any) -> list[int]:
        raise RuntimeError("not enough memory" if len(part) > 1 else "DefaultCPUAllocator: not enough memory")

    with pytest.raises(RuntimeError, match="not enough memory"):
        list(in_batches(range(4), never, 4))

    def broken(part: Any) -> list[int]:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        list(in_batches(range(4), broken, 4))
