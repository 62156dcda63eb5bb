"""Plans of shards from a notebook: other processes do the work, a bar is shown, and another notebook may look on."""

from __future__ import annotations

from pathlib import Path

import pytest

UNIT = Path(__file__).parents[1] / "unit"
pytestmark = [pytest.mark.kernel, pytest.mark.slow]


def test_a_notebook_has_its_shards_made_by_processes_and_shows_a_bar(kernel, tmp_path: Path) -> None:
    kernel.run(f"import sys; sys.path.insert(0, {str(UNIT)!r})")
    kernel.run(
        "import shard_makers\n"
        "from stylewidgets import jobs\n"
        f"run = jobs.bulk(shard_makers.plan(3), shard_makers.NUMBERS, {str(tmp_path / 'made')!r}, jobs.Processes(2))\n"
        "kept = jobs.run(run)"
    )
    shown = [m["content"]["data"] for m in kernel.log if m["msg_type"] == "display_data"]
    assert any("application/vnd.jupyter.widget-view+json" in data for data in shown), "the bar is a widget"
    assert kernel.ask("(kept.failures() == [], kept.status().done)") == [True, 3]
    kernel.run(f"seen = [progress.done for progress in jobs.watch({str(tmp_path / 'made')!r})]")
    assert kernel.ask("seen") == [3]
