"""The benchmark of inversions: what it measures, that it goes on where it stopped, and how it compares with papers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import stylewidgets as sw
from stylewidgets.__main__ import main
from stylewidgets.bench import inversion as bench


def row(**figures: float) -> dict[str, dict[str, float]]:
    return {bench.RENDERS: figures}


def test_two_methods_are_measured_written_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        json_file, picture = tmp_path / "x.json", tmp_path / "x.png"
        arguments = ["bench-inversion", "avatar-64", "--device", "cpu", "--targets", "2", "--steps", "2",
                     "--json", str(json_file)]
        assert main([*arguments, "--methods", "projector"]) == 0
        first = json.loads(json_file.read_text())
        assert main([*arguments, "--methods", "projector,pti", "--plot", str(picture)]) == 0
    finally:
        torch.set_num_threads(before)
    whole = json.loads(json_file.read_text())
    assert set(whole["rows"]) == {"projector W", "projector W+", "pti"} and picture.stat().st_size > 5000
    assert whole["rows"]["projector W"] == first["rows"]["projector W"]  # not measured again
    assert whole["rows"]["pti"]["settings"]["steps"] == 2 and whole["rows"]["pti"]["uses"]["pivot"] == "projector"
    for kind in (bench.GENERATED, bench.RENDERS):
        figures = whole["rows"]["pti"][kind]
        assert figures["steps"] == 4 and figures["pictures"] == 1 and figures["mse"] > 0 and "edit_error" in figures
    text = capsys.readouterr().out
    assert "Inversion of renders" in text and "projector W+" in text and "worse than of pti" in text
    assert main([*arguments[:-4], "--steps", "3", *arguments[-2:], "--methods", "projector"]) == 2


def test_fewer_steps_come_with_larger_rates() -> None:
    session = sw.load("avatar-64", device="cpu")
    found = {one.name: one for one in bench.rows(session, 100)}
    assert found["projector W"].settings == {"steps": 100, "rate": 1.0, "space": "w"}
    assert found["pti"].settings["pivot_steps"] == 100 and found["pti"].settings["rate"] == pytest.approx(3e-4 * 3.5)
    assert all("steps" not in one.settings for one in bench.rows(session, None, ["projector", "pti"]))
    with pytest.raises(ValueError, match="did you mean 'projector'"):
        bench.rows(session, None, ["projectors"])


def test_the_order_of_papers_is_checked_both_ways() -> None:
    table = {"projector W": row(mse=0.3, edit_error=0.1), "projector W+": row(mse=0.2, edit_error=0.3), "pti": row(mse=0.25)}
    held = {words.split("  [")[0]: same for same, words in bench.checks(table)}
    assert held == {
        "renders: mse of projector W (0.3) worse than of projector W+ (0.2)": True,
        "renders: mse of projector W+ (0.2) worse than of pti (0.25)": False,
        "renders: mse of projector W (0.3) worse than of pti (0.25)": True,
        "renders: edit error of projector W+ (0.3) worse than of projector W (0.1)": True,
    }
    assert bench.markdown(table, bench.RENDERS).count("\n") == 5 and "| 0.3000 |" in bench.markdown(table, bench.RENDERS)
