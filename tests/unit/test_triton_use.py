"""When the kernels for a GPU are used: after a trial on the caller's own tensors, and never where they cannot be."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from stylewidgets.generators.layers import SynthesisLayer
from stylewidgets.generators.stylegan3.filters import low_pass, radial_low_pass
from stylewidgets.ops.native import winograd
from stylewidgets.ops.triton import fused, trials
from stylewidgets.ops.triton._epilogue import epilogue
from stylewidgets.ops.triton.filter_tiles import down_matrices, separable, tiles
from stylewidgets.ops.triton.trials import Trials, near


class Work:
    """Something that can be done to features, counted. It overwrites them, as plain torch does."""

    def __init__(self, does: Callable[[Tensor], Tensor]) -> None:
        self.does, self.calls = does, 0

    def __call__(self, x: Tensor) -> Tensor:
        self.calls += 1
        made = self.does(x)
        x.zero_()
        return made


def double(x: Tensor) -> Tensor:
    return x * 2


def fail(error: Exception) -> Callable[[Tensor], Tensor]:
    def work(x: Tensor) -> Tensor:
        raise error

    return work


def features() -> Tensor:
    return torch.linspace(-1, 1, 48).reshape(1, 3, 4, 4)


def test_a_kernel_is_tried_once_for_each_kind_and_then_runs_alone() -> None:
    begun, quick, plain = Trials(), Work(lambda x: x * 2.00001), Work(double)
    for kind in ("a", "b"):
        for _ in range(3):
            assert torch.equal(begun.run("kernel", kind, quick, plain, features()), features() * 2.00001)
    assert (quick.calls, plain.calls) == (6, 2)


@pytest.mark.parametrize(
    "does, said",
    [
        (lambda x: x * 2.1, "gave other numbers"),
        (lambda x: torch.full_like(x, torch.nan), "gave other numbers"),
        (lambda x: (x * 2).half(), "gave other numbers"),
        (lambda x: (x * 2)[..., :3], "gave other numbers"),
        (fail(RuntimeError("Failed to find C compiler.\nMany lines")), "RuntimeError: Failed to find C compiler"),
        (fail(ImportError("no libcuda")), "ImportError: no libcuda"),
        (fail(AssertionError()), "AssertionError"),
    ],
)
def test_a_kernel_that_fails_or_is_wrong_is_turned_off_with_one_warning(
    does: Callable[[Tensor], Tensor], said: str
) -> None:
    begun, quick = Trials(), Work(does)
    with pytest.warns(RuntimeWarning, match=said) as warned:
        found = [begun.run("kernel", kind, quick, Work(double), features()) for kind in ("a", "a", "b")]
    assert all(torch.equal(made, features() * 2) for made in found)
    assert len(warned) == 1 and quick.calls == 1 and "\n" not in str(warned[0].message)
    other = Work(double)
    begun.run("another kernel", "a", other, Work(double), features())
    assert other.calls == 1


@pytest.mark.parametrize("takes, runs", [(0.5, 4), (1.1, 4), (1.5, 1)])
def test_a_kernel_that_takes_longer_than_plain_torch_is_left_alone_for_that_kind(takes: float, runs: int) -> None:
    begun, quick, plain = Trials(lambda work, x: takes if work is quick else 1.0), Work(double), Work(double)
    for _ in range(4):
        assert torch.equal(begun.run("kernel", "a", quick, plain, features(), timed=True), features() * 2)
    assert quick.calls == runs
    for _ in range(4):
        begun.run("kernel", "b", quick, plain, features())
    assert quick.calls == runs + 4


def test_a_single_wrong_number_is_seen() -> None:
    wanted = torch.randn(1, 8, 64, 64)
    wrong = wanted.clone()
    assert near(wrong, wanted)
    wrong[0, 3, 63, 63] += 2
    assert not near(wrong, wanted)


def test_numbers_that_half_precision_cannot_hold_are_not_held_against_a_kernel() -> None:
    wanted = torch.tensor([1.0, torch.inf, torch.nan], dtype=torch.float16)
    assert near(torch.tensor([1.0, 256.0, 0.0], dtype=torch.float16), wanted)
    assert not near(torch.tensor([torch.nan, 256.0, 0.0], dtype=torch.float16), wanted)


def test_a_kernel_that_fails_later_is_turned_off_too() -> None:
    begun = Trials()
    begun.run("kernel", "a", Work(double), Work(double), features())
    with pytest.warns(RuntimeWarning, match="out of resource"):
        found = begun.run(
            "kernel", "a", Work(fail(RuntimeError("out of resource: registers"))), Work(double), features()
        )
    assert torch.equal(found, features() * 2)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("[CUDA]: out of memory")])
def test_full_memory_is_the_callers_to_know_and_turns_nothing_off(error: Exception) -> None:
    begun, quick = Trials(), Work(double)
    with pytest.raises(type(error), match="out of memory"):
        begun.run("kernel", "a", Work(fail(error)), Work(double), features())
    begun.run("kernel", "a", quick, Work(double), features())
    assert quick.calls == 1


def test_nothing_is_tried_while_a_graph_is_recorded_but_what_is_proven_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, quick, plain = Trials(), Work(double), Work(double)
    monkeypatch.setattr(trials, "_can_wait", lambda: False)
    begun.run("kernel", "a", quick, plain, features())
    assert (quick.calls, plain.calls) == (0, 1)
    monkeypatch.setattr(trials, "_can_wait", lambda: True)
    begun.run("kernel", "a", quick, plain, features())
    monkeypatch.setattr(trials, "_can_wait", lambda: False)
    begun.run("kernel", "a", quick, plain, features())
    assert (quick.calls, plain.calls) == (2, 2)


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "_on_gpu", lambda x: True)
    monkeypatch.setattr(trials, "_installed", lambda: True)
    monkeypatch.delenv("STYLEWIDGETS_TRITON", raising=False)
    monkeypatch.setattr(winograd, "usable", lambda *_, **__: False)


def test_kernels_are_for_inference_on_a_gpu(as_on_a_gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight = features(), torch.nn.Parameter(torch.zeros(3))
    with torch.no_grad():
        assert trials.usable(x, weight, None) and trials.usable(x.half(), weight) and trials.usable(x.bfloat16())
        assert not trials.usable(x.double()) and not trials.usable(x[:0])
        torch.set_autocast_enabled("cuda", True)
        try:
            assert not trials.usable(x)
        finally:
            torch.set_autocast_enabled("cuda", False)
        monkeypatch.setenv("STYLEWIDGETS_TRITON", "0")
        assert not trials.usable(x)
        monkeypatch.delenv("STYLEWIDGETS_TRITON")
        monkeypatch.setattr(trials, "_installed", lambda: False)
        assert not trials.usable(x)
        monkeypatch.setattr(trials, "_installed", lambda: True)
    assert not trials.usable(x, weight), "a gradient is wanted"
    monkeypatch.undo()
    with torch.no_grad():
        assert not trials.usable(x), "on the CPU"


def test_samples_beyond_what_32_bits_count_are_left_to_torch_and_batches_are_not() -> None:
    assert trials.countable(64, 64, 1024, 1024) and trials.countable(1, 128, 4000, 4000)
    assert not trials.countable(1, 512, 2048, 2048) and not trials.countable(1 << 16, 1, 8, 8)


def test_noise_that_is_not_one_for_all_channels_is_left_to_torch() -> None:
    scale, bias, strength = torch.ones(2, 3), torch.ones(3), torch.ones(())
    shape = (2, 3, 4, 5)
    for size in ((4, 5), (1, 1, 4, 5), (2, 1, 4, 5)):
        assert epilogue(scale, bias, torch.ones(size), strength, 1.0, None, *shape) is not None
    for size in ((2, 3, 4, 5), (1, 3, 4, 5), (1, 1, 1, 5), (5, 4), (3, 1, 1)):
        assert epilogue(scale, bias, torch.ones(size), strength, 1.0, None, *shape) is None
    assert epilogue(scale[:1], bias, None, None, 1.0, None, *shape) is None


@pytest.mark.parametrize("up", [1, 2])
def test_a_layer_without_working_kernels_is_that_of_plain_torch(
    as_on_a_gpu: None, monkeypatch: pytest.MonkeyPatch, up: int
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no such instruction")

    layer = SynthesisLayer(3, 5, w_dim=4, size=(4 * up, 4 * up), up=up).eval().requires_grad_(False)
    monkeypatch.setattr(fused, "_launched", broken)
    monkeypatch.setattr(fused, "TRIALS", Trials())
    with pytest.warns(RuntimeWarning, match="no such instruction"):
        found = layer(features(), torch.ones(1, 3), layer.noise_const)
    monkeypatch.setattr(trials, "_on_gpu", lambda x: False)
    assert torch.equal(found, layer(features(), torch.ones(1, 3), layer.noise_const))


def test_a_filter_is_a_sum_of_separable_ones_and_a_radial_one_of_few() -> None:
    line, radial = low_pass(12, 5.0, 3.0, 32), radial_low_pass(12, 5.0, 3.0, 32)
    for taps, rank in ((line, 1), (radial, 6), (torch.randn(7, 7), 7)):
        columns, rows = separable(taps)
        taps = taps.double()
        wanted = torch.outer(taps, taps) if taps.ndim == 1 else taps
        assert len(columns) <= rank and torch.allclose(columns.t() @ rows, wanted, rtol=0, atol=1e-8)


def test_tiles_hold_what_their_outputs_depend_on() -> None:
    for up, taps in ((2, 12), (4, 24), (1, 3), (2, 5)):
        for largest in (32, 64):
            sizes = tiles(up, 2, taps, 12, largest)
            assert sizes is not None and sizes.outputs <= sizes.result <= sizes.inner <= largest
            inner = (sizes.outputs - 1) * 2 + 12
            assert inner <= sizes.inner and (inner + taps - 2) // up + 1 <= sizes.inputs
            assert {side & (side - 1) for side in sizes[1:]} == {0} and min(sizes[1:]) >= 16
    assert tiles(2, 2, 12, 100, 64) is None


def test_matrices_of_a_filter_are_kept_until_it_changes() -> None:
    taps, sizes = torch.rand(12), tiles(2, 2, 12, 12, 32)
    assert sizes is not None
    made = fused.matrices_of(taps, 2, sizes, torch.float32)
    assert fused.matrices_of(taps, 2, sizes, torch.float32) is made
    assert fused.matrices_of(taps, 2, sizes, torch.float16).dtype == torch.float16
    taps.mul_(2)
    assert torch.equal(fused.matrices_of(taps, 2, sizes, torch.float32), down_matrices(taps, 2, sizes, torch.float32))


@pytest.mark.slow
def test_triton_is_not_imported_before_a_kernel_runs() -> None:
    program = (
        "import sys, torch, stylewidgets.ops.triton.fused, stylewidgets.generators.stylegan3.generator\n"
        "assert 'triton' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_plain_torch_is_silent() -> None:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("error")
        SynthesisLayer(3, 5, w_dim=4, size=(4, 4))(features(), torch.ones(1, 3), None)
