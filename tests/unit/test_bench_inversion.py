"""The benchmark of inversions: what it measures, that it goes on where it stopped, and how it compares with papers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets.__main__ import main
from stylewidgets.avatars import AvatarDataset
from stylewidgets.bench.intervals import ratio
from stylewidgets.bench.inversion.command import named
from stylewidgets.bench.inversion.kept import Kept
from stylewidgets.bench.inversion.papers import AGREES, DENIES, TIE, paired, verdicts
from stylewidgets.bench.inversion.pictures import GENERATED, INSIDE, OUTSIDE, pictures
from stylewidgets.bench.inversion.report import halves, overview, pairs
from stylewidgets.bench.inversion.rows import in_order, rows
from stylewidgets.bench.inversion.scales import scales, separation
from stylewidgets.inversion import Result, evaluate_each
from stylewidgets.inversion.evaluation import known

FACES = 6


@pytest.fixture(scope="module")
def session(device: str) -> sw.GeneratorSession:
    return sw.load("avatar-64", device=device)


def found(kind: str = INSIDE, **methods: dict[str, list[float]]) -> dict[str, Any]:
    """Rows as `measure` leaves them: method → figure → one number a picture."""
    made = {}
    for name, figures in methods.items():
        each = [dict(zip(figures, numbers, strict=True)) for numbers in zip(*figures.values(), strict=True)]
        row = {"method": "projector", "settings": {"space": "w"}}
        made[name.replace("_", " ")] = row | {kind: {f"picture {i}": one for i, one in enumerate(each)}}
    return made


@pytest.mark.slow
def test_methods_are_measured_on_each_picture_and_a_second_run_adds_the_rest_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "EDITS", ("smile",))
    monkeypatch.setattr("stylewidgets.bench.inversion.scales.GENERATORS", ())
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    page, picture, table = tmp_path / "x.md", tmp_path / "x.png", tmp_path / "x.json"
    places = [
        *(f"{kind}{end}" for kind in (OUTSIDE, INSIDE, GENERATED) for end in ("", " pairs")),
        "halves",
        "order",
        "control",
    ]
    page.write_text("\n".join(f"<!-- {name} -->\n<!-- /{name} -->" for name in places))
    usual = ["bench", "inversion", "avatar-64", "--device", "cpu", "--steps", "2", "--keep", str(tmp_path / "kept")]
    try:
        assert main([*usual, "--inside", "2", "--outside", "2", "--methods", "projector"]) == 0
        first = json.loads((tmp_path / "kept" / "inversion.json").read_text())["rows"]
        files = {path: path.stat().st_mtime_ns for path in (tmp_path / "kept" / "codes").iterdir()}
        more = [*usual, "--inside", "2", "--outside", "2", "--generated", "2", "--methods", "projector,pti"]
        assert main([*more, "--page", str(page), "--plot", str(picture), "--scales", str(table)]) == 0
        assert main([*usual[:6], "3", *usual[7:], "--methods", "projector"]) == 2  # kept with other steps
    finally:
        torch.set_num_threads(before)
    whole = json.loads((tmp_path / "kept" / "inversion.json").read_text())["rows"]
    assert set(whole) == {"projector W", "projector W+", "PTI"} and picture.stat().st_size > 5000
    assert {k: whole["projector W"][k] for k in (INSIDE, OUTSIDE)} == {
        k: first["projector W"][k] for k in (INSIDE, OUTSIDE)
    }
    assert all(path.stat().st_mtime_ns == then for path, then in files.items()) and len(files) == 4
    assert whole["PTI"]["settings"]["steps"] == 1 and whole["PTI"]["uses"]["pivot"] == "projector"
    for kind, one in ((kind, whole["PTI"][kind]) for kind in (INSIDE, OUTSIDE, GENERATED)):
        assert len(one) == 2
        for figures in one.values():
            assert figures["mse"] > 0 and figures["change_error"] == pytest.approx(
                figures["changes"]["smile"], rel=1e-4
            )
            assert ("edit_side" in figures) == ("identity" in figures) == (kind != OUTSIDE)
    text = page.read_text()
    assert "Perfect edits of the pictures outside read as a transfer of" in text
    assert text.count("| PTI | 2 |") == 3 and "projector W+ / projector W" in text and "Roich et al. 2022" in text
    assert json.loads(table.read_text())["inversions"] == []  # of two pictures there is no distribution
    assert "PTI" in capsys.readouterr().out


@pytest.mark.slow
def test_pictures_outside_differ_from_the_same_faces_without_what_is_unseen(session: sw.GeneratorSession) -> None:
    target = pictures(OUTSIDE, 9, session)
    assert [name.split(":")[0] for name in target.names[:3]] == ["eye patch", "face paint", "scar"]
    assert target.names[8].startswith("eye patch: right")  # the other side the next time
    inside = known.outside(pictures(INSIDE, 2, session), session)
    strange = known.outside(target, session)
    assert strange is not None and inside is not None and strange.all() and not inside.any()
    few = pictures(OUTSIDE, 3, session)
    assert few.names == target.names[:3] and torch.equal(few.images, target.images[:3])


@pytest.mark.slow
def test_what_cannot_be_read_outside_is_left_out_and_the_change_is_not(session: sw.GeneratorSession) -> None:
    target = pictures(OUTSIDE, 2, session)
    code = session.w_avg.reshape(1, -1).repeat(2, 1).cpu().numpy()
    each = evaluate_each(target, Result("made up", "w", code, {}, target.names, 1, 1.0), session, edits=("smile",))
    for figures in each:
        assert figures["outside"] == 1 and figures["change_error"] > 0 and figures["edit_perceptual"] > 0
        assert not {"identity", "edit_transfer", "edit_error", "edit_side"} & set(figures)


def test_an_item_of_a_data_set_says_which_factors_it_has(session: sw.GeneratorSession) -> None:
    data = AvatarDataset(seed=1, n=4, resolution=64, outputs=("image",), groups=("head", "unseen"))
    one, all_of = (sw.inversion.Target.of(item, session) for item in (data[0], data.batch(range(4))))
    assert one.factor_groups == all_of.factor_groups == all_of[2].factor_groups == ("head", "unseen")
    usual = sw.inversion.Target.of(AvatarDataset(seed=1, n=4, resolution=64, outputs=("image",))[0], session)
    assert usual.factor_groups == () and usual.digest() != one.digest()
    mixed = sw.inversion.Target.of([data[0], AvatarDataset(seed=1, n=4, resolution=64, outputs=("image",))[1]], session)
    assert mixed.factors is None and mixed.factor_groups == ()


def test_what_was_kept_is_not_sought_again(tmp_path: Path, session: sw.GeneratorSession) -> None:
    target = pictures(GENERATED, 1, session)
    made: list[str] = []

    def make() -> Result:
        made.append("x")
        return Result("psp", "w", np.ones((1, 128), np.float32), {}, ("a",), 1, 2.0)

    kept = Kept(session, tmp_path, GENERATED)
    first, again = (kept.result("restyle", {}, target, make) for _ in range(2))
    assert made == ["x"] and np.array_equal(first.code, again.code) and dict(first.report) == dict(again.report)
    kept.result("restyle", {"steps": 4}, target, make)
    Kept(session, tmp_path, INSIDE).result("restyle", {}, target, make)
    assert len(made) == 3
    Kept(session, None, GENERATED).result("restyle", {}, target, make)
    assert len(made) == 4


def test_fewer_steps_come_with_larger_rates(session: sw.GeneratorSession) -> None:
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


def test_what_decides_most_is_measured_first(session: sw.GeneratorSession) -> None:
    names = [one.name for one in in_order(rows(session, 400))]
    assert names[:4] == ["Image2StyleGAN W", "Image2StyleGAN W+", "hybrid 50", "hybrid 200"]
    assert names[-1] == "Image2StyleGAN S" and set(names) == {one.name for one in rows(session, 400)}


def test_an_encoder_is_named_and_there(tmp_path: Path) -> None:
    file = tmp_path / "e.safetensors"
    file.write_bytes(b"")
    assert named([f"mine={file}"]) == {"mine": file}
    for wrong in (str(file), f"={file}", "mine=nowhere"):
        with pytest.raises(ValueError, match="NAME=FILE"):
            named([wrong])


def test_a_ratio_is_of_the_same_pictures_and_counts_them() -> None:
    a, b = np.array([2.0, 4.0, np.nan, 6.0]), np.array([1.0, 2.0, 5.0, 3.0])
    found = ratio(a, b)
    assert (found.larger, found.pictures) == (3, 3) and found.of_means == pytest.approx((2, 2, 2))
    assert found.typical == pytest.approx((2, 2, 2)) and str(found) == "2.00 [2.00, 2.00] 3/3"
    wild = ratio(np.array([1.0, 1.0, 1.0, 21.0]), np.ones(4))
    assert wild.of_means.value == 6 and wild.typical.value == pytest.approx(21**0.25) and wild.larger == 1
    assert wild.of_means.low < 6 < wild.of_means.high
    with pytest.raises(ValueError, match="there are 1"):
        ratio(np.array([1.0, np.nan]), np.ones(2))


def test_the_order_of_papers_is_held_against_intervals() -> None:
    many = list(np.linspace(1, 2, FACES))
    table = found(
        projector_W={"mse": [2 * x for x in many], "change_error": many},
        **{"projector_W+": {"mse": many, "change_error": many[::-1]}},
        PTI={"mse": [1.5 * x for x in many]},
    )
    told = {(one.figure, one.expected.better): one.word for one in verdicts(table)}
    assert told == {
        ("mse", "projector W+"): AGREES,  # W is worse than W+, on every picture
        ("mse", "PTI"): DENIES,
        ("change_error", "projector W"): TIE,
    }


def test_tables_have_medians_means_and_a_dash_where_there_is_nothing() -> None:
    rows = found(projector_W={"mse": [0.1, 0.2, 0.6]}, **{"projector_W+": {"mse": [0.05, 0.1, 0.3]}})
    assert "| projector W | 3 | 0.2000 (0.3000) |" in overview(rows, INSIDE)
    assert "| projector W+ / projector W | 0.50 [0.50, 0.50] 0/3 | – |" in pairs(rows, INSIDE)
    assert overview(rows, OUTSIDE) == pairs(rows, OUTSIDE) == "Not measured yet."
    assert paired(rows, "projector W", "PTI", INSIDE, "mse") is None


def test_pictures_outside_are_halved_by_how_much_of_them_is_unseen() -> None:
    rows = found(OUTSIDE, projector_W={"mse": [1.0, 1.0, 1.0, 1.0]}, **{"projector_W+": {"mse": [0.5, 0.5, 0.9, 0.9]}})
    unseen = {"picture 0": 0.4, "picture 1": 0.3, "picture 2": 0.1, "picture 3": 0.2}
    text = halves(rows, unseen)
    assert "| projector W+ / projector W | much | 0.50 [0.50, 0.50] 0/2 |" in text
    assert "| projector W+ / projector W | little | 0.90 [0.90, 0.90] 0/2 |" in text
    assert halves(rows, {}) == "Not measured yet."


def test_a_method_has_a_scale_of_realism_from_enough_pictures_on(
    session: sw.GeneratorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stylewidgets.bench.inversion.scales.GENERATORS", ())
    rows = found(projector_W={"realism": [float(i) for i in range(1, 12)]}, few={"realism": [1.0, 2.0]})
    rows["projector W"][OUTSIDE] = {f"o{i}": {"realism": 5.5 + i} for i in range(10)}
    (one,) = scales(session, rows)["inversions"]
    assert (one["method"], one["space"], one["pictures"], one["median"], one["most"]) == ("projector", "w", 11, 6, 10)
    assert one["outside"] == 10 and one["told apart"] == pytest.approx(
        (5 + 6 + 7 + 8 + 9 + 10 + 4 * 11) / 110 - 0 / 110
    )


def test_two_kinds_that_lie_apart_are_told_apart() -> None:
    low, high = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    assert (separation(low, high), separation(high, low), separation(low, low)) == (1, 0, 0.5)
