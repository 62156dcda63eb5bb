"""The line that says what changed: when it is computed, when not, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from stylewidgets.avatars import FACTORS, INDEX, Estimate, defaults
from stylewidgets.avatars.scoring.changes import changes, describe_changes, deviation
from stylewidgets.domain import Moved
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.latent.latent import Latent
from stylewidgets.session.session import GeneratorSession
from stylewidgets.widgets.latent_explorer.explorer import LatentExplorer
from stylewidgets.widgets.latent_explorer.tools.edit_truth import EditTruth, bars

W_DIM = 8


def make_session(**metadata: Any) -> GeneratorSession:
    torch.manual_seed(0)
    config = StyleGAN2Config(z_dim=W_DIM, w_dim=W_DIM, resolution=16, channels=(4, 4, 4), mapping_layers=1)
    return GeneratorSession(StyleGAN2(config), name="toy", device="cpu", metadata=metadata)


class Bench:
    """Pictures are seeds, and reading them is counted."""

    def __init__(self) -> None:
        self.view, self.start = SimpleNamespace(error=""), Latent(seed=0)
        self.reads: list[Any] = []
        self.problem: Exception | None = None
        self.truth = EditTruth(
            self.view, lambda: self.start, lambda latent: latent.seed, self.read, lambda a, b: f"{a} to {b}"
        )

    def read(self, picture: Any) -> Any:
        self.reads.append(picture)
        if self.problem is not None:
            raise self.problem
        return picture


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.truth.close()


def test_a_picture_at_rest_is_read_against_the_start_which_is_read_once(bench: Bench) -> None:
    bench.truth.settled(Latent(seed=5))
    assert "against the start: 0 to 5" in bench.truth.text and bench.reads == [0, 5]
    bench.truth.settled(Latent(seed=6))
    assert "0 to 6" in bench.truth.text and bench.reads == [0, 5, 6]
    bench.start = Latent(seed=9)
    bench.truth.settled(Latent(seed=6))
    assert "9 to 6" in bench.truth.text


def test_the_start_itself_needs_no_reading(bench: Bench) -> None:
    bench.truth.settled(Latent(seed=0))
    assert "this is the start" in bench.truth.text and bench.reads == []


def test_a_change_takes_the_old_line_away_and_reads_nothing(bench: Bench) -> None:
    bench.truth.settled(Latent(seed=5))
    bench.truth.update(Latent(seed=5))
    assert bench.truth.text
    bench.truth.update(Latent(seed=6))
    assert bench.truth.text == "" and bench.reads == [0, 5]


def test_it_reads_nothing_while_it_is_off_and_at_once_when_it_is_turned_on(bench: Bench) -> None:
    bench.truth.toggle.value = False
    bench.truth.settled(Latent(seed=5))
    assert bench.truth.text == "" and bench.reads == []
    bench.truth.toggle.value = True
    assert "0 to 5" in bench.truth.text


def test_without_the_network_it_says_so_turns_itself_off_and_nothing_fails(bench: Bench) -> None:
    bench.problem = FileNotFoundError("no factor network at here")
    bench.truth.settled(Latent(seed=5))
    assert "no factor network" in bench.truth.text and not bench.truth.toggle.value and bench.view.error == ""
    bench.truth.settled(Latent(seed=6))
    assert len(bench.reads) == 1


def test_other_mistakes_are_shown_in_the_view(bench: Bench) -> None:
    bench.problem = RuntimeError("broken")
    bench.truth.settled(Latent(seed=5))
    assert "broken" in bench.view.error and not bench.truth.toggle.value


# -- words ------------------------------------------------------------------------------------------------------------
def estimate(**values: float) -> Estimate:
    factors = defaults()
    for name, value in values.items():
        factors[:, INDEX[name]] = value
    sure = {
        f.name: np.eye(len(f.categories), dtype=np.float32)[[int(factors[0, INDEX[f.name]])]]
        for f in FACTORS
        if f.kind == "categorical"
    }
    return Estimate(factors, np.zeros_like(factors), sure)


def test_the_words_name_what_moved_most_in_its_own_unit() -> None:
    line = describe_changes(estimate(), estimate(smile=-0.5, yaw=-20.0, hat=1, hair_hue=20))
    assert line == "hat none → cap · smile -1.00 · yaw -20° · others 0.0 σ"


def test_angles_go_the_shorter_way_round() -> None:
    found = changes(estimate(hair_hue=350), estimate(hair_hue=30))[0]
    assert found.name == "hair_hue" and found.amount == pytest.approx(40) and found.words == "hair hue +40°"


def test_nothing_is_named_when_nothing_moved() -> None:
    assert describe_changes(estimate(), estimate(smile=0.51)) == "nothing changed · all factors 0.0 σ"


def test_deviations_are_those_of_the_world() -> None:
    by_name = {f.name: f for f in FACTORS}
    assert deviation(by_name["fringe"]) == pytest.approx(1 / 12**0.5, rel=0.01)  # uniform
    shares = np.array(by_name["hat"].weights)
    assert deviation(by_name["hat"]) == pytest.approx((1 - (shares**2).sum()) / 1.128)


# -- bars -------------------------------------------------------------------------------------------------------------
def test_bars_show_what_moved_and_mark_what_was_wanted() -> None:
    moved = [Moved("smile", -1.5, "smile <b>"), Moved("hair style", 0.6, "curly"), Moved("yaw", 0.1, "yaw +1°")]
    html = bars(moved, {"hair style curly"})
    assert html.count('role="listitem"') == 2 and "yaw" not in html and "smile &lt;b&gt;" in html
    assert html.count("sw-wanted") == 1 and "curly (wanted)" in html and "all others: 0.1 σ" in html
    assert "left:25.0%;width:25.0%" in html, "a bar of less goes from its value to the middle"


def test_what_was_wanted_has_a_bar_even_when_it_did_not_come() -> None:
    html = bars([Moved("yaw", 0.0, "yaw +0°")], {"yaw"})
    assert "yaw +0° (wanted)" in html and "nothing" not in html
    assert "nothing that can be seen" in bars([Moved("yaw", 0.0, "yaw +0°")], ())


# -- in the explorer -----------------------------------------------------------------------------------------------------
def test_only_generators_of_avatars_have_the_line() -> None:
    explorer = LatentExplorer(make_session())
    assert explorer.tools["directions"].truth is None
    explorer.close()


def test_the_explorer_reads_when_the_picture_settles_and_not_before() -> None:
    explorer = LatentExplorer(make_session(recipe={"twist": 0.3}))
    truth, reads = explorer.tools["directions"].truth, []
    assert truth is not None
    truth._read = lambda image: reads.append(image.size) or image
    truth._changes = lambda a, b: [Moved("smile", 1.0, "smile read")]
    explorer.value = explorer.value.replace(seed=3)
    assert reads == [] and truth.text == ""
    explorer.view.on_settle()
    assert reads == [(16, 16)] * 2 and "read" in truth.text
    explorer.value = explorer.value.replace(seed=4)
    assert truth.text == ""
    explorer.close()
