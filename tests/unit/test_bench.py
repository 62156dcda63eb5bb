from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from stylewidgets.__main__ import main
from stylewidgets.bench import (
    against,
    compute,
    event,
    families,
    memory,
    models,
    pages,
    plain,
    reading,
    report,
    report_families,
)
from stylewidgets.bench.browser import Measurement
from stylewidgets.bench.timing import Sample, in_turns, merge
from stylewidgets.checkpoints.formats import native
from stylewidgets.generators.families import build
from stylewidgets.generators.stylegan1.generator import StyleGAN1Config
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.generators.stylegan3.generator import StyleGAN3Config
from stylewidgets.session.session import GeneratorSession

KERNEL_PARTS = ("whole event", "model", "encoding", "widgets")


@pytest.fixture(scope="module")
def generator() -> StyleGAN2:
    torch.manual_seed(0)
    config = StyleGAN2Config(z_dim=8, c_dim=0, w_dim=8, resolution=32, channels=(8,) * 4, mapping_layers=2)
    return StyleGAN2(config)


@pytest.fixture
def session(generator: StyleGAN2, device: str) -> GeneratorSession:
    return GeneratorSession(generator, device=device, name="tiny")


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


@pytest.mark.slow
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
    assert tuple(cells) == tuple(pages.PAGES.values())
    for cell in (cell for page in cells.values() for cell in page):
        ast.parse(cell.replace("%matplotlib inline", ""))


@pytest.mark.slow
def test_the_command_prints_tables_and_writes_json(
    generator: StyleGAN2, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    native.save(tmp_path / "tiny.safetensors", generator)
    target = tmp_path / "result.json"
    given = [str(tmp_path / "tiny.safetensors"), "--no-browser", "--repeats", "2", "--json", str(target)]
    given += ["--models", "bundled", "--family-rounds", "1", "--reading", str(tmp_path / "tiny.safetensors")]
    assert main(["bench", *given]) == 0
    text = capsys.readouterr().out
    assert "Synthesis" in text and "Encoding" in text and "One slider event" in text
    assert "restart at 3/4" in text and "Memory at the peak" in text and "Opening tiny.safetensors" in text
    result = json.loads(target.read_text())
    assert result["machine"]["torch"] == torch.__version__
    assert set(result["slider event"]) == set(KERNEL_PARTS)
    assert result["families"]["bundled"]["times"]["whole frame"]["median"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "config"),
    [
        ("stylegan1", StyleGAN1Config(z_dim=8, w_dim=8, channels=(8,) * 4, fused_from=16, mapping_layers=2)),
        ("stylegan2", StyleGAN2Config(z_dim=8, w_dim=8, resolution=32, channels=(8,) * 4, mapping_layers=2)),
        ("stylegan3", StyleGAN3Config.create("T", 32, channel_base=512, z_dim=8, w_dim=8)),
        ("stylegan3", StyleGAN3Config.create("R", 32, channel_base=512, z_dim=8, w_dim=8)),
    ],
)
def test_the_reference_paths_draw_what_the_generators_draw(family: str, config: Any) -> None:
    torch.manual_seed(0)
    made: Any = build(family, config).eval()
    with torch.no_grad():
        for name, value in [*made.named_parameters(), *made.named_buffers()]:
            if name.endswith(("noise_strength", "synthesis.bias", "conv1.bias")):
                value.normal_()
            if name.endswith("magnitude_ema"):
                value.uniform_(0.5, 2.0)
        styles = [style + 0.1 * torch.randn_like(style) for style in made.styles(torch.randn(2, 8))]
        wanted, found = made.synthesize(styles), plain.picture(made, styles)
    assert float((found - wanted).norm() / wanted.norm()) < 1e-5


@pytest.mark.slow
def test_a_family_is_measured_with_every_task_and_says_how_near_previews_are(session: GeneratorSession) -> None:
    figures = families.measure(session, rounds=2)
    assert {families.WHOLE, families.REFERENCE, families.LAST_THIRD, families.THUMBNAILS, *families.SHARES} <= set(
        figures.times
    )
    assert all(len(sample.values) == 2 for sample in figures.times.values())
    assert figures.difference[families.REFERENCE] < 1e-5 and set(figures.previews) == set(
        families.preview_rungs(session)
    )
    text = report_families.family("tiny", figures)
    assert "2 rounds" in text and "of the reference path" in text


def test_no_round_begins_after_the_time_is_over() -> None:
    for seconds, rounds in ((-1.0, 1), (float("inf"), 3)):
        assert len(in_turns({"a": lambda: 1.0}, 3, seconds=seconds)["a"].values) == rounds


def test_the_peak_of_memory_counts_what_is_freed_again() -> None:
    if not reading.resident():
        pytest.skip("the system does not tell")

    def work() -> None:
        torch.ones(20_000_000)

    assert 60e6 < memory.peak(work, torch.device("cpu")) < 200e6
    assert memory.peak(lambda: None, torch.device("cpu")) < 40e6


THEIRS = """
import torch
class SynthesisNetwork(torch.nn.Module):
    def __init__(self, w_dim, img_resolution, img_channels, channel_base, channel_max, num_fp16_res, architecture):
        super().__init__()
        from stylewidgets.generators.stylegan2 import StyleGAN2, StyleGAN2Config
        blocks = img_resolution.bit_length() - 2
        self.inner = [StyleGAN2(StyleGAN2Config(z_dim=8, w_dim=w_dim, resolution=img_resolution, mapping_layers=2,
                                channels=tuple(min(channel_base >> (i + 2), channel_max) for i in range(blocks))))]
        for name, block in self.inner[0].synthesis.named_children():
            self.add_module(name, block)
    def forward(self, ws, force_fp32, noise_mode):
        assert force_fp32 and noise_mode == "const"
        return self.inner[0].synthesize(ws)
"""


@pytest.mark.slow
def test_a_checkout_takes_the_parameters_and_gives_the_picture(session: GeneratorSession, tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "networks_stylegan2.py").write_text(THEIRS)
    try:
        draw = against.rival(tmp_path, session.generator)
        assert draw is not None and str(tmp_path) not in sys.path
        figures = families.measure(session, rounds=1, against=draw)
        assert figures.difference[families.AGAINST] < 1e-5
        assert "of the public implementation" in report_families.family("tiny", figures)
    finally:
        for name in [name for name in sys.modules if name == "training" or name.startswith("training.")]:
            del sys.modules[name]


def test_a_folder_without_networks_is_told(session: GeneratorSession, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no folder 'training'"):
        against.rival(tmp_path, session.generator)
    (tmp_path / "training").mkdir()
    assert against.rival(tmp_path, session.generator) is None


def test_the_help_names_every_model(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "--help"])
    text = "".join(capsys.readouterr().out.split())
    assert all(name in text for name in models.NAMES)


@pytest.mark.parametrize(("variant", "base", "most"), [("T", 16384, 512), ("R", 32768, 1024), ("T", 32768, 512)])
def test_a_checkout_is_asked_for_the_feature_maps_of_the_generator(variant: str, base: int, most: int) -> None:
    config = StyleGAN3Config.create(variant, 256, channel_base=base)
    shape = SimpleNamespace(config=config, family="stylegan3", resolution=256, img_channels=3)
    asked = against._arguments(shape)
    assert (asked["channel_base"], asked["channel_max"], asked["conv_kernel"]) == (
        base,
        most,
        1 if variant == "R" else 3,
    )


@pytest.mark.slow
def test_several_models_are_summed_up_in_one_table(session: GeneratorSession) -> None:
    figures = families.measure(session, rounds=1)
    text = report_families.summary({"one": figures, "two": figures})
    assert "one" in text and "two" in text and "edit, last third" in text and "restart at 1/2" in text


def test_models_are_chosen_by_name() -> None:
    assert models.chosen("none") == [] and models.chosen("all") == list(models.NAMES)
    assert models.chosen("bundled,stylegan2-256") == ["bundled", "stylegan2-256"]
    with pytest.raises(ValueError, match="did you mean 'stylegan2-256'"):
        models.chosen("stylegan2-265")
    assert models.chosen(pages.USUAL, pages.PAGES, "page") == ["interact", "view", "costless", "explorer"]
    with pytest.raises(ValueError, match="did you mean 'explorer'"):
        models.chosen("view,explorrer", pages.PAGES, "page")


def test_asking_for_the_browser_where_there_is_none_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pages, "why_not", lambda: "no Chromium was found")
    assert main(["bench", "--browser"]) == 2
    assert capsys.readouterr().err == "stylewidgets: no Chromium was found\n"
