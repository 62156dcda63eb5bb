"""`stylewidgets bench --remote`, with few clients for a short time."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stylewidgets import GeneratorSession
from stylewidgets.__main__ import main
from stylewidgets.bench.remote import clients, command
from stylewidgets.bench.remote.served import Measured
from stylewidgets.server.serving import Serving


def test_jain_is_one_for_equal_rates_and_one_in_n_for_one_who_has_all() -> None:
    assert clients.Seen((3.0, 3.0, 3.0), (), (0.01,)).jain == pytest.approx(1)
    assert clients.Seen((9.0, 0.0, 0.0), (), ()).jain == pytest.approx(1 / 3)


@pytest.mark.slow
def test_the_figures_of_a_short_run(
    there: GeneratorSession,
    serve: Callable[[Serving], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @contextmanager
    def here(kind: str, sizes: str, model: str) -> Iterator[command.There]:  # in this process, which starts sooner
        known = tuple(int(size) for size in sizes.split(",") if size)
        yield command.There(
            serve(Measured(there, kind, known)), (there.num_ws, there.w_dim), sizes or "none", os.getpid()
        )

    monkeypatch.setattr(command, "serving", here)
    monkeypatch.setattr(command, "PAIRS", 1)
    out = tmp_path / "figures.json"
    words = [
        "bench",
        "--remote",
        "avatar-64",
        "--clients",
        "2,3",
        "--seconds",
        "0.5",
        "--synthetic",
        "--json",
        str(out),
    ]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "A renderer of 8 ms" in told and "2 + 1 flooding" in told
    found = json.loads(out.read_text())
    rows = found["fixed"]
    assert [row["clients"] for row in rows] == ["2", "2", "3", "3", "2 + 1 flooding", "2 + 1 flooding"]
    assert found["null"] > 0 and all(row["least"] > 0 and 0 < row["jain"] <= 1 for row in rows)


@pytest.mark.parametrize("given", ["0", "1,x", "", "1000"])
def test_counts_that_are_none(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "--remote", "--clients", given])
    assert "numbers of clients" in capsys.readouterr().err
