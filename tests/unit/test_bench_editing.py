"""The arithmetic of ``bench editing``, on a world of two numbers and an editor whose effect is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from stylewidgets.avatars.reading import judge
from stylewidgets.bench.editing import report, requests, summary
from stylewidgets.bench.editing.calibrate import MOST, calibrate, next_factor
from stylewidgets.bench.editing.command import resumed
from stylewidgets.bench.editing.editors import Linear, Scaled, Wanted
from stylewidgets.bench.editing.faces import ATTRIBUTES, CHOICES, Faces, partners, side_of, wanted
from stylewidgets.bench.editing.readings import LIMIT, Ruler, table
from stylewidgets.bench.editing.score import Score, truth_of
from stylewidgets.latent.direction import Direction
from stylewidgets.latent.latent import Latent


@dataclass(frozen=True)
class Point:
    """A latent of a world that has a smile and a yaw, from 0 to 255, and nothing else."""

    smile: float
    yaw: float
    in_s: bool = True


@dataclass(frozen=True)
class Stub:
    """Does `gain` of what is wanted of the smile until `most`, and drags the yaw along."""

    gain: float = 0.5
    along: float = 0.2
    most: float = 1e9
    name: str = "stub"

    def why_not(self, attribute: str) -> str | None:
        return None if attribute == "smile" else "it can only smile"

    def edit(self, latent: Latent, wished: Wanted) -> Latent:
        point = cast(Point, latent)
        step = float(np.clip(self.gain * wished["smile"], -self.most, self.most)) * SIGMA
        return cast(Latent, Point(point.smile + step, point.yaw + self.along * step))


class StubSession:
    def images(self, latents: Sequence[Point]) -> np.ndarray:
        made = np.zeros((len(latents), 4, 4, 3), np.uint8)
        for picture, point in zip(made, latents, strict=True):
            picture[..., 0], picture[..., 1] = round(point.smile), round(point.yaw)
        return made


class StubJudge:
    """Reads the two numbers off a picture, exactly."""

    def raw(self, pictures: torch.Tensor) -> torch.Tensor:
        return (pictures.mean(dim=(2, 3))[:, :2] + 1) * 127.5

    def readings(self, raw: torch.Tensor) -> dict[str, np.ndarray]:
        return {"smile": raw[:, 0].numpy(), "yaw": raw[:, 1].numpy()}


SIGMA = 20.0
FACES = Faces(
    cast("tuple[Latent, ...]", tuple(Point(110 + i, 120) for i in range(8))), {"smile": np.array([1, -1] * 4)}
)
RULER = Ruler({"smile": np.array([-SIGMA, SIGMA]), "yaw": np.array([-SIGMA, SIGMA])}, ("smile", "yaw"))


def strength(editor: Stub) -> Any:
    judge, session = cast(Any, StubJudge()), cast(Any, StubSession())
    before = table(judge, judge.raw(torch.from_numpy(session.images(FACES.latents)).permute(0, 3, 1, 2) / 127.5 - 1))
    return calibrate(editor, "smile", session, judge, FACES, before, RULER)


def test_an_editor_that_does_half_is_asked_for_twice_as_much() -> None:
    found = strength(Stub(gain=0.5))
    assert found.raw == pytest.approx(0.5, abs=0.02)
    assert found.factor == pytest.approx(2.0, rel=0.06) and found.reached == pytest.approx(1.0, abs=0.05)


def test_an_editor_that_overdoes_it_is_asked_for_less() -> None:
    assert strength(Stub(gain=2.5)).factor == pytest.approx(0.4, rel=0.1)


def test_an_editor_that_is_exhausted_is_not_asked_for_ever_more() -> None:
    found = strength(Stub(gain=0.5, most=0.4))
    assert found.reached == pytest.approx(0.4, abs=0.03) and found.factor <= MOST


def test_the_search_looks_between_what_is_too_little_and_too_much() -> None:
    assert next_factor({0.0: 0.0, 1.0: 0.5, 3.0: 1.5}) == pytest.approx(2.0)
    assert next_factor({0.0: 0.0, 1.0: -0.3}) == 3.0
    assert next_factor({0.0: 0.0, 5.0: 0.2}) == MOST


def test_a_scaled_editor_multiplies_wishes() -> None:
    edited = Scaled(Stub(gain=0.5), {"smile": 2.0}).edit(FACES.latents[0], {"smile": 1.0})
    assert cast(Point, edited).smile == pytest.approx(110 + SIGMA)


def test_change_is_counted_in_sigma_and_the_wanted_factor_is_no_other() -> None:
    before = {"smile": np.array([10.0]), "yaw": np.array([0.0])}
    after = {"smile": np.array([10.0 + SIGMA]), "yaw": np.array([-SIGMA / 2])}
    assert RULER.moved("smile", before, after) == pytest.approx(1.0)
    assert RULER.others("smile", before, after) == pytest.approx(0.5)
    assert RULER.all(before, after) == pytest.approx(0.75)


def test_a_factor_with_several_readings_counts_once_at_the_one_that_moves_most() -> None:
    ruler = Ruler({name: np.array([-1.0, 1.0]) for name in ("yaw", "hat", "hat: cap")}, ("yaw", "hat"))
    before = {name: np.zeros(1) for name in ("yaw", "hat", "hat: cap")}
    after = {"yaw": np.array([1.0]), "hat": np.array([0.2]), "hat: cap": np.array([-0.6])}
    assert ruler.others("yaw", before, after) == pytest.approx(0.6)


def test_what_is_as_sure_as_can_be_does_not_move_any_more() -> None:
    net = SimpleNamespace(
        readings=lambda raw: {"hat: none": np.array([9.0, -30.0]), "hat: cap": np.array([-9.0, 30.0])}
    )
    found = table(cast(Any, net), torch.zeros(2, 2))
    assert (
        list(found["hat"]) == [-LIMIT, LIMIT]
        and list(found["hat: cap"]) == [-LIMIT, LIMIT]
        and "hat: none" not in found
    )


def test_sides_lead_to_where_there_is_room() -> None:
    assert list(side_of(np.array([-2.0, 3.0]), np.array([0.0, 1.0]), "smile")) == [1, -1]
    assert list(side_of(np.array([-4.0, 4.0]), np.array([-4.0, -4.0, 3.0]), "glasses")) == [1, -1]


def test_the_truth_puts_on_what_was_not_there_and_keeps_numbers_in_range() -> None:
    from stylewidgets.avatars import FACTORS
    from stylewidgets.avatars.world.factors import INDEX

    factors = torch.tensor([[f.default for f in FACTORS]] * 2, dtype=torch.float32)
    glasses = truth_of(factors, "glasses", np.array([1, -1]), {})["glasses"]
    assert list(glasses) == [1.0, 0.0]
    factors[:, INDEX["smile"]] = 0.9
    smile = truth_of(factors, "smile", np.array([1, -1]), {"smile": 0.5})["smile"]
    assert smile.tolist() == pytest.approx([1.0, 0.4])


def test_partners_are_two_others_of_the_same_list() -> None:
    assert all(len(set(partners(name))) == 2 and name not in partners(name) for name in ATTRIBUTES)
    assert all(wanted(name) == (2.0 if name in CHOICES else 1.0) for name in ATTRIBUTES)


def score(done: float, others: float, n: int = 12) -> Score:
    wave = 1 + 0.1 * np.sin(np.arange(n))
    return Score(done * wave, others * wave, np.ones(n), np.ones(n), np.ones(n))


def test_a_cost_is_change_of_the_others_for_each_sigma_done() -> None:
    assert summary.cost(score(0.5, 0.1), "smile").value == pytest.approx(0.2)
    assert summary.cost(score(1.0, 0.1), "hat").value == pytest.approx(0.05)  # two σ are wanted of a hat


def test_who_did_half_with_half_the_side_effects_is_no_better() -> None:
    ratio = summary.against(score(0.5, 0.1), score(1.0, 0.2))
    assert ratio.value == pytest.approx(1.0) and ratio.low <= 1.0 <= ratio.high


def test_what_moved_nothing_costs_much_and_not_infinitely_much() -> None:
    assert np.isfinite(summary.cost(score(0.0, 0.1), "smile").value)
    assert summary.cost(score(-0.3, 0.1), "smile").value > 1


def test_intervals_are_narrower_for_more_faces_and_hold_the_mean() -> None:
    values = np.random.RandomState(0).randn(400)
    few, many = summary.mean(values[:20]), summary.mean(values)
    assert few.low < few.value < few.high and many.high - many.low < (few.high - few.low) / 2


def test_a_score_survives_json() -> None:
    one = score(0.5, 0.1)
    assert Score.of(one.plain()).others == pytest.approx(one.others, abs=5e-4)


def test_a_linear_editor_takes_relative_steps_and_adds_them_up() -> None:
    editor = Linear("line", {"smile": Direction("d", np.ones(4, np.float32), 2.0)}, {"smile": 3.0})
    once = editor.edit(Latent(seed=1), {"smile": 0.5})
    twice = editor.edit(once, {"smile": 0.5})
    assert [e.strength for e in once.edits] == [1.5] and [e.strength for e in twice.edits] == [3.0]
    assert editor.why_not("smile") is None and editor.why_not("yaw")


def row(others: float, path: float) -> dict[str, Any]:
    each = {"strength": {"raw": 1.0}, "score": score(1.0, others).plain(), "paths": {"hat": [path] * 4}, "order": [0.0]}
    return {"attributes": {"smile": each, "yaw": each}, "time": 1.5}


def test_the_verdict_counts_attributes_on_which_an_editor_is_better() -> None:
    text = report.verdicts({"rows": {report.FLOW: row(0.1, 0.1), report.BOUNDARY: row(0.2, 0.4)}})
    assert (
        "for 2 of 2 attributes (the whole interval below 1: 2; above 1: 0), and keeps the path better for 2 of 2."
        in text
    )


def test_an_editor_that_did_not_get_there_stands_in_brackets() -> None:
    each = row(0.1, 0.1)["attributes"]["smile"] | {"score": score(0.4, 0.1).plain()}
    assert report.cost_cell(each, "smile") == "(0.25)"


def test_tables_go_between_the_marks_of_a_page_and_nowhere_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- overview -->\nold\n<!-- /overview -->\nafter\n", encoding="utf-8")
    report.write_into(page, "overview", "new")
    assert page.read_text(encoding="utf-8") == "before\n<!-- overview -->\nnew\n<!-- /overview -->\nafter\n"
    with pytest.raises(ValueError, match="needs the lines"):
        report.write_into(page, "paths", "new")


def test_figures_of_other_faces_are_not_mixed_in(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    path.write_text('{"about": {"faces": 4}, "rows": {"x": 1}}', encoding="utf-8")
    assert resumed(path, {"faces": 4})["rows"] == {"x": 1}
    with pytest.raises(ValueError, match="give another file"):
        resumed(path, {"faces": 48})


def test_requests_are_carried_out_where_the_slope_is_right_and_little_is_missed() -> None:
    def found(slope: float, missed: float) -> dict[str, float]:
        return {"slope": slope, "missed": missed, "others": 0.1, "identity": 0.98}

    read = dict.fromkeys(requests.PARAMETERS, 0.9) | {"brow_angle": 0.8}
    rig = {
        "yaw": found(1.0, 0.03),
        "smile": found(1.2, 0.03),
        "mouth_open": found(1.0, 0.2),
        "brow_angle": found(2.0, 0.9),
    }
    text = requests.text_of({"read": read, "StyleRig": rig})
    assert "| yaw | 0.90 | 1.00 / 3.0 % / 0.10 / 0.98 |" in text and "| pitch | 0.90 | – |" in text
    assert "StyleRig: 1 of 3 parameters that are read with R² ≥ 0.85 are carried out; not smile, mouth_open." in text
    assert requests.text_of({}) == "Not measured yet."


@pytest.mark.slow
def test_readings_are_calibrated_on_renders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "RENDERS", 120)
    lines = requests.calibration(judge.bundled("cpu"))
    assert set(lines) == set(requests.PARAMETERS)
    assert abs(lines["yaw"][0]) < 2 and lines["yaw"][1] == pytest.approx(1, abs=0.1), "this judge reads yaws"
