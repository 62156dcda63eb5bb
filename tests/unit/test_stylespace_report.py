"""The report that ships with the bundled generator: it is of these weights, it holds, and its figures can be measured again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import stylewidgets as sw
from stylewidgets import stylespace as ss
from stylewidgets.directions import boundary, sample_w
from stylewidgets.session.session import GeneratorSession
from stylewidgets.stylespace.reports import table as reports
from stylewidgets.stylespace.reports.measure import direction_name, targets_of
from stylewidgets.stylespace.reports.readings import read_w
from stylewidgets.stylespace.reports.table import Curve, Report, Row

FITTED = 512
REMAKE = "python -m stylewidgets train stylespace"


@pytest.fixture(scope="module")
def session(device: str) -> GeneratorSession:
    return sw.load(device=device)


@pytest.fixture(scope="module")
def shipped(session: GeneratorSession) -> Report:
    path = reports.path_of(session)
    assert path.is_file(), f"{path} is missing; make it by: {REMAKE}"
    return Report.load(path)


def test_the_report_is_of_the_bundled_weights(session: GeneratorSession, shipped: Report) -> None:
    assert shipped.weights == session.fingerprint(), f"the weights are newer than the report; make it anew by: {REMAKE}"
    assert ss.report(session) == shipped


def test_the_smaller_generator_of_the_same_w_has_a_report_too() -> None:
    small = sw.load("avatar-64", device="cpu")
    found = reports.shipped_report(small)
    assert found is not None, f"{reports.path_of(small)} is missing or older than its weights; make it by: {REMAKE}"
    assert len(found.rows) >= 10 and len(found.better) >= 7


def test_more_than_ten_factors_have_a_channel_and_seven_depend_less_than_the_boundary(shipped: Report) -> None:
    """The boundary is that of InterFaceGAN in W, not conditioned on other factors, at the same change of the target."""
    assert len(shipped.rows) >= 10
    assert len({row.factor for row in shipped.rows}) == len(shipped.rows)
    compared = [row for row in shipped.rows if np.isfinite(row.style.mean) and np.isfinite(row.boundary.mean)]
    assert sum(row.style.mean < row.boundary.mean for row in compared) >= 7
    assert len(shipped.better) >= 7 and shipped.better[0].ratio < 0.8
    assert all(curve.strengths for row in shipped.rows for curve in (row.style, row.boundary))


@pytest.mark.slow
def test_on_faces_that_nobody_has_seen_seven_channels_still_depend_less(
    session: GeneratorSession, shipped: Report
) -> None:
    """Measured again at the strengths of the report, per change of the target. Tolerance: a twentieth, for 24 faces are few."""
    reader, stats = ss.avatar_reader(), ss.statistics(session, shipped.samples)
    readings = read_w(session, reader, stats.w[:FITTED])
    faces = ss.Faces(session, reader, sample_w(session, 24, 99), readings.std(axis=0), stats)
    held = []
    for row in shipped.better:
        # The boundary of the report was fitted to readings of 2,000 faces; that of 512 faces is made in less time.
        normal = boundary(stats.w[:FITTED], readings[:, reader.index(row.factor)], name=row.factor)
        channel = ss.edit_direction(session, {ss.Channel(*row.channel): 1.0}, stats)
        mine = faces.point(channel, row.style.strength, row.factor)
        theirs = faces.point(normal, row.boundary.strength, row.factor)
        held.append(mine[1] / mine[0] < 1.05 * theirs[1] / theirs[0])
    assert sum(held) >= 7, dict(zip((row.factor for row in shipped.better), held, strict=True))


def test_s_is_more_disentangled_than_w_and_z_by_its_number_of_codes(shipped: Report) -> None:
    """The paper's order S > W > Z comes out, but random mixtures of w, as many as s has codes, reach the same."""
    disentanglement = {space: values[0] for space, values in shipped.dci.items()}
    completeness = {space: values[1] for space, values in shipped.dci.items()}
    for one in (disentanglement, completeness):
        assert one["s"] > one["w"] > one["z"]
        assert one["w expanded"] == pytest.approx(one["s"], abs=0.1)


@pytest.mark.slow
def test_a_row_measured_again_on_other_faces_is_within_a_third(session: GeneratorSession, shipped: Report) -> None:
    row = min(shipped.rows, key=lambda row: row.style.mean)
    reader, stats = ss.avatar_reader(), ss.statistics(session, shipped.samples)
    scale = ss.read_samples(session, ss.statistics(session, 192, seed=5), reader, cached=False).std(axis=0)
    faces = ss.Faces(session, reader, sample_w(session, 24, 99), scale, stats)
    direction = ss.edit_direction(session, {ss.Channel(*row.channel): 1.0}, stats)
    change, mean, _, _ = faces.point(direction, row.style.strength, row.factor)
    assert change == pytest.approx(shipped.change, rel=1 / 3)
    assert mean == pytest.approx(row.style.mean, rel=1 / 3)


# -- the file ------------------------------------------------------------------------------------------------------------
def test_a_report_comes_back_from_its_file(tmp_path: Path) -> None:
    curve = Curve(2.0, 0.25, 0.5, (1.0, 2.0), (0.5, 1.0), (0.1, 0.25), (0.2, 0.5))
    lost = curve._replace(mean=float("nan"), strength=float("nan"))
    report = Report(
        "ab12", 100, 8, (Row("smile", (3, 1), "b8.conv1:1", -1, 0.5, curve, curve, None),), {"s": (0.5, 0.25, 1.0)}
    )
    assert Report.load(report.save(tmp_path / "a.json")) == report
    other = Report("ab12", 100, 8, (Row("smile", (3, 1), "b8.conv1:1", -1, 0.5, curve, lost, curve),))
    back = Report.load(other.save(tmp_path / "b.json")).rows[0]
    assert np.isnan(back.boundary.mean) and back.better and not report.rows[0].better
    assert "not reached" in other.markdown() and "| smile | b8.conv1:1 (3_1) −" in other.markdown()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}', '{"format": 1, "rows": [{}], "dci": {}}'])
def test_a_file_that_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ValueError, match="is no StyleSpace report"):
        Report.load(tmp_path / "r.json")


def test_each_attribute_has_one_target_and_the_name_of_its_direction() -> None:
    reader = ss.Reader(
        ("yaw", "hue sin", "hue cos", "hat", "hat: cap", "hair_style: bald", "hair_style: bun"),
        lambda x: x,
        ("yaw", "hue", "hue", "hat", "hat", "hair_style", "hair_style"),
    )
    assert targets_of(reader) == ["yaw", "hue cos", "hat", "hair_style: bun"]
    assert [direction_name(n) for n in targets_of(reader)] == ["yaw", "hue red", "hat", "hair style bun"]


def test_make_report_stops_where_it_is_told(
    session: GeneratorSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    run = ss.make_report.start(session, samples=64)
    for progress in run:
        if progress.words == "reading faces":
            run.stop()
    assert run.status == "stopped" and run.result() is None
