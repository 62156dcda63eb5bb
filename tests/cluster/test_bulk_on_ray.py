"""Plans of shards on a cluster: the bits of one process, with killed workers and killed drivers."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stylewidgets import jobs

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
UNIT = Path(__file__).parents[1] / "unit"


@pytest.fixture
def makers(address: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("RAY_ADDRESS", address)
    monkeypatch.syspath_prepend(str(UNIT))
    import shard_makers

    return shard_makers


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    (tmp_path / "calls").mkdir()
    return tmp_path / "calls"


def done(plan: list[Any], fn: str, folder: Path, executor: Any = "ray", **options: Any) -> jobs.Kept:
    kept = jobs.run(jobs.bulk(plan, fn, folder, executor, **options), disable=True)
    assert kept is not None
    return kept


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}


def counted(calls: Path) -> Counter[int]:
    return Counter(int(path.name.split("-")[0]) for path in calls.iterdir())


def listening() -> set[str]:
    """Addresses, in hexadecimal, that anything here listens on."""
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path("/proc/net", name).read_text().splitlines()[1:]:
            place, state = line.split()[1], line.split()[3]
            if state == "0A":
                found.add(place.split(":")[0])
    return found


def test_nothing_listens_but_on_loopback(makers: Any) -> None:
    v4, mapped, v6 = "0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"
    assert listening() and listening() <= {v4, mapped, v6}


def test_the_cluster_makes_the_bytes_of_one_process_also_where_a_worker_is_killed(
    makers: Any, tmp_path: Path, calls: Path
) -> None:
    plan = makers.plan(5, calls=str(calls), dies=2, once=str(tmp_path / "died"))
    kept = done(plan, makers.NUMBERS, tmp_path / "ray")
    assert kept.failures() == [] and (tmp_path / "died").exists() and counted(calls)[2] == 2
    assert contents(kept.folder) == contents(done(makers.plan(5), makers.NUMBERS, tmp_path / "here", "here").folder)


def test_failures_and_what_kills_every_worker_are_lines_of_the_table(makers: Any, tmp_path: Path) -> None:
    kept = done(makers.plan(3, fails=0), makers.NUMBERS, tmp_path / "fails")
    assert [failure.error for failure in kept.failures()] == ["ValueError: shard 0 is not to be had"]
    kept = done(makers.plan(3, dies=1), makers.NUMBERS, tmp_path / "dies")
    (failure,) = kept.failures()
    assert failure.name == "00001" and "Ray gave up after 3 more tries" in failure.error
    assert len(contents(kept.folder)) == 2


DRIVER = """
import sys
sys.path.insert(0, {unit!r})
import shard_makers
from stylewidgets import jobs
plan = shard_makers.plan(8, calls={calls!r}, waits=0.5)
jobs.run(jobs.bulk(plan, shard_makers.NUMBERS, {folder!r}, "ray"), disable=True)
"""


def test_a_driver_that_is_killed_loses_nothing(makers: Any, tmp_path: Path, calls: Path) -> None:
    folder = tmp_path / "made"
    script = DRIVER.format(unit=str(UNIT), calls=str(calls), folder=str(folder))
    driver = subprocess.Popen([sys.executable, "-c", script])
    while driver.poll() is None and len(contents(folder)) < 2:
        time.sleep(0.05)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    time.sleep(3)  # Ray ends the tasks of a driver that is gone
    there, before = contents(folder), counted(calls)
    assert 2 <= len(there) < 8
    done(makers.plan(8, calls=str(calls)), makers.NUMBERS, folder)
    assert counted(calls) - before == {k: 1 for k in range(8) if f"{k:05d}.safetensors" not in there}
    assert contents(folder) == contents(done(makers.plan(8), makers.NUMBERS, tmp_path / "here", "here").folder)
