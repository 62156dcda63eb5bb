"""What all layers share: the device, how thorough the tests are, and what becomes of them where torch is missing."""

from __future__ import annotations

import os
from collections.abc import Generator
from importlib.util import find_spec

import pytest

THOROUGH = 10 if os.environ.get("STYLEWIDGETS_TESTS") == "release" else 1
"""How many times as many mutated and random inputs are tried as in every day's run."""

NO_TORCH = "torch is not installed"


@pytest.fixture(scope="session")
def device() -> str:
    """Where contract, golden and editor tests compute: "cpu" unless STYLEWIDGETS_TEST_DEVICE names another."""
    name = os.environ.get("STYLEWIDGETS_TEST_DEVICE", "cpu")
    if name.startswith("cuda"):
        import torch

        torch.backends.cudnn.allow_tf32 = False  # what is compared to 1e-5 is computed in float32
    return name


@pytest.fixture(scope="session")
def thorough() -> int:
    """A factor for counts of tries: 1, in the release tier 10."""
    return THOROUGH


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:  # for tests/slowest.py
        if item.get_closest_marker("slow"):
            item.user_properties.append(("slow", True))


if not find_spec("torch"):  # a Python for which there is no build: what needs torch is skipped, the rest has to pass

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        collector: pytest.Collector,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        if report.failed and "No module named 'torch'" in str(report.longrepr):
            report.outcome = "skipped"
            report.longrepr = (str(collector.path), 0, NO_TORCH)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.failed and "No module named 'torch'" in str(report.longrepr):
            report.outcome = "skipped"
            report.longrepr = (str(item.path), 0, NO_TORCH)
        return report
