"""The benchmark of inversions: what it measures, that it goes on where it stopped, and how it compares with papers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets.__main__ import main
from stylewidgets.bench.inversion.command import Kept, targets
from stylewidgets.bench.inversion.report import markdown
from stylewidgets.bench.inversion.rows import GENERATED, RENDERS, checks, rows
from stylewidgets.inversion import Result
from stylewidgets.inversion.evaluation import editability


def row(**figures: float) -> dict[str, dict[str, float]]:
    return {RENDERS: figures}


@pytest.mark.slow
def test_two_methods_are_measured_written_and_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editability, "EDITS", ("smile",))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    json_file, picture, kept = tmp_path / "x.json", tmp_path / "x.png", tmp_path / "kept"
    arguments = [
        "bench-inversion",
        "avatar-64",
        "--device",
        "cpu",
        "--targets",
        "2",
        "--steps",
        "2",
        "--keep",
        str(kept),
        "--json",
        str(json_file),
    ]
    try:
        assert main([*arguments, "--methods", "projector"]) == 0
        first, files = json.loads(json_file.read_text()), {path: path.stat().st_mtime_ns for path in kept.iterdir()}
        assert main([*arguments, "--methods", "pti", "--plot", str(picture)]) == 0
    finally:
        torch.set_num_threads(before)
    whole = json.loads(json_file.read_text())
    assert set(whole["rows"]) == {"projector W", "projector W+", "PTI"} and picture.stat().st_size > 5000
    assert whole["rows"]["projector W"] == first["rows"]["projector W"]  # beside the new ones
    assert all(path.stat().st_mtime_ns == then for path, then in files.items())
    assert (
        len(files) == 4 and len(list(kept.iterdir())) == 8
    )  # the projector's w are the pivots: one file more for each picture
    assert whole["rows"]["PTI"]["settings"]["steps"] == 1 and whole["rows"]["PTI"]["uses"]["pivot"] == "projector"
    for kind in (GENERATED, RENDERS):
        figures = whole["rows"]["PTI"][kind]
        assert figures["steps"] == 3 and figures["pictures"] == 1 and figures["mse"] > 0 and "edit_error" in figures
    text = capsys.readouterr().out
    assert "Inversion of renders" in text and "projector W+" in text and "worse than of PTI" in text
    assert main([*arguments[:-6], "--steps", "3", *arguments[-2:], "--methods", "projector"]) == 2


def test_what_was_kept_is_not_sought_again(tmp_path: Path) -> None:
    session = sw.load("avatar-64", device="cpu")
    target = targets(session, 1)[GENERATED]
    made: list[str] = []

    def make() -> Result:
        made.append("x")
        return Result("psp", "w", np.ones((1, 128), np.float32), {}, ("a",), 1, 2.0)

    kept = Kept(session, tmp_path, GENERATED)
    first, again = (kept.result("restyle", {}, target, make) for _ in range(2))
    assert made == ["x"] and np.array_equal(first.code, again.code) and dict(first.report) == dict(again.report)
    kept.result("restyle", {"steps": 4}, target, make)
    Kept(session, tmp_path, RENDERS).result("restyle", {}, target, make)
    assert len(made) == 3
    Kept(session, None, GENERATED).result("restyle", {}, target, make)
    assert len(made) == 4


def test_fewer_steps_come_with_larger_rates() -> None:
    session = sw.load("avatar-64", device="cpu")
    found = {one.name: one for one in rows(session, 100)}
    assert found["projector W"].settings == {"steps": 100, "rate": 0.2, "space": "w"}
    assert found["PTI"].settings == {"steps": 50, "rate": 1e-3, "pivot_steps": 100, "pivot_rate": 0.2}
    assert found["Image2StyleGAN S"].settings["rate"] > found["Image2StyleGAN W+"].settings["rate"]
    assert all("steps" not in one.settings for one in rows(session, None, ["projector", "pti"]))
    assert rows(session, 5000, ["projector"])[0].settings == {"space": "w"}
    some = [rows(session, most, ["image2stylegan"])[0].settings["rate"] for most in (200, 1000, 4999)]
    assert some[0] == 0.2 > some[1] > 0.011 > some[2] > 0.01
    with pytest.raises(ValueError, match="did you mean 'projector'"):
        rows(session, None, ["projectors"])


def test_the_order_of_papers_is_checked_both_ways() -> None:
    table = {
        "projector W": row(mse=0.3, edit_error=0.1),
        "projector W+": row(mse=0.2, edit_error=0.3),
        "PTI": row(mse=0.25),
    }
    held = {words.split("  [")[0]: same for same, words in checks(table)}
    assert held == {
        "renders: mse of projector W (0.3) worse than of projector W+ (0.2)": True,
        "renders: mse of projector W+ (0.2) worse than of PTI (0.25)": False,
        "renders: mse of projector W (0.3) worse than of PTI (0.25)": True,
        "renders: edit error of projector W+ (0.3) worse than of projector W (0.1)": True,
    }
    assert markdown(table, RENDERS).count("\n") == 5 and "| 0.3000 |" in markdown(table, RENDERS)
