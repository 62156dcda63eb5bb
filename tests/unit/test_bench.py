from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
import torch

from stylewidgets.__main__ import main
from stylewidgets.bench import compute, event, pages, report
from stylewidgets.bench.browser import Measurement
from stylewidgets.bench.timing import Sample, in_turns, merge
from stylewidgets.checkpoints import native
from stylewidgets.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from stylewidgets.session import GeneratorSession

KERNEL_PARTS = ("whole event", "model", "encoding", "widgets")


@pytest.fixture(scope="module")
def generator() -> StyleGAN2:
    torch.manual_seed(0)
    config = StyleGAN2Config(z_dim=8, c_dim=0, w_dim=8, resolution=32, channels=(8,) * 4, mapping_layers=2)
    return StyleGAN2(config)


@pytest.fixture
def session(generator: StyleGAN2) -> GeneratorSession:
    return GeneratorSession(generator, device="cpu", name="tiny")


def measured(key: float, fps: float) -> Measurement:
    return Measurement(key, key + 5, 0, fps, 60, 40.0, 0.0, 30.0, 60.0)


def test_a_sample_is_summed_up_by_median_and_quartiles() -> None:
    assert Sample((1.0, 2.0, 3.0, 4.0, 100.0)).median == 3.0
    assert Sample((1.0, 2.0, 3.0, 4.0, 100.0)).spread == (2.0, 4.0)
    assert Sample((3.0, 1.0)).spread == (1.0, 3.0)
    assert merge([None, 2.0]).values == (2.0,)
    assert merge([None]).median != merge([None]).median, "nothing measured is not a number"


def test_tasks_take_turns() -> None:
    seen: list[str] = []

    def task(name: str, value: float) -> float:
        seen.append(name)
        return value

    samples = in_turns({"a": lambda: task("a", 1.0), "b": lambda: task("b", 2.0)}, 5, warm=1)
    assert samples["a"].values == (1.0,) * 5 and samples["b"].values == (2.0,) * 5
    assert all(set(seen[i : i + 2]) == {"a", "b"} for i in range(0, len(seen), 2))


def test_a_slider_event_is_split_into_parts_that_add_up(session: GeneratorSession) -> None:
    parts = event.slider_event(session, events=5)
    assert set(parts) == set(KERNEL_PARTS)
    assert all(len(sample.values) == 5 for sample in parts.values()), "every event sends one frame"
    for whole, *others in zip(*(parts[name].values for name in KERNEL_PARTS), strict=True):
        assert sum(others) == pytest.approx(whole)


def test_restarts_time_the_picture_that_a_full_run_makes(session: GeneratorSession) -> None:
    samples = compute.synthesis(session, repeats=2)
    assert len(samples) == 5 and all(len(sample.values) == 2 for sample in samples.values())
    assert set(compute.encoding(session, repeats=2)) == set(compute.ENCODERS)


def test_the_tables_name_medians_ratios_and_the_share_of_the_model() -> None:
    results = {
        pages.INTERACT: [measured(130, 6.0)],
        pages.COSTLESS: [measured(30, 30.0), measured(32, 28.0)],
        pages.MODEL: [measured(40, 26.0), measured(42, 24.0)],
    }
    text = report.pages(results)
    assert "41.0 (40–42)" in text and "25.0 (24–26)" in text
    assert "10.0 ms of 41.0 ms (24%)" in text
    assert "3.2 times as quick" in text and "4.2 times the frames" in text


def test_a_page_on_which_nothing_was_seen_shows_a_dash_not_a_number() -> None:
    nothing = Measurement(None, None, 15, 0.0, 0, None, 1.0, None, 60.0)
    assert "100.0%" in report.pages({pages.VIEW: [nothing]})


def test_the_cells_of_every_page_are_python() -> None:
    cells = pages.notebooks(64, "'a.safetensors', device=None")
    assert tuple(cells) == pages.PAGES
    for cell in (cell for page in cells.values() for cell in page):
        ast.parse(cell.replace("%matplotlib inline", ""))


def test_the_command_prints_tables_and_writes_json(
    generator: StyleGAN2, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    native.save(tmp_path / "tiny.safetensors", generator)
    target = tmp_path / "result.json"
    given = [str(tmp_path / "tiny.safetensors"), "--no-browser", "--repeats", "2", "--json", str(target)]
    assert main(["bench", *given]) == 0
    text = capsys.readouterr().out
    assert "Synthesis" in text and "Encoding" in text and "One slider event" in text
    result = json.loads(target.read_text())
    assert result["machine"]["torch"] == torch.__version__
    assert set(result["slider event"]) == set(KERNEL_PARTS)


def test_asking_for_the_browser_where_there_is_none_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pages, "why_not", lambda: "no Chromium was found")
    assert main(["bench", "--browser"]) == 2
    assert capsys.readouterr().err == "stylewidgets: no Chromium was found\n"
