"""Races between methods: who is counted as sooner, and that both sides get the same time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from stylewidgets.bench.inversion.race import equal_time_text, races_text, run_races
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.inversion import METHODS, Method, Target
from stylewidgets.inversion.encoders import runs as encoder_runs
from stylewidgets.inversion.evaluation import race
from stylewidgets.inversion.run import Run
from stylewidgets.session.session import GeneratorSession


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def session() -> GeneratorSession:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = StyleGAN2(StyleGAN2Config(z_dim=8, w_dim=8, resolution=16, channels=(8, 8, 6), mapping_layers=2))
        generator.estimate_w_avg(1000)
    return GeneratorSession(generator, name="tiny")


class Knows(Run):
    """An encoder that is nearly right: the true code, a little towards the mean."""

    def _advance(self) -> dict[str, float]:
        return {"loss": 0.0}

    def code(self) -> Tensor:
        truth = torch.cat([self.session.map(latent) for latent in self.target.latents if latent is not None])
        return truth + 0.1 * (self.session.generator.mapping.w_avg - truth)

    def _state(self) -> dict[str, Any]:
        return {}

    def _restore(self, state: dict[str, Any]) -> None:
        pass


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(session: GeneratorSession, target: Target, **settings: Any) -> Run:
        return Knows(session, target, "e4e", settings, 1)

    monkeypatch.setattr(encoder_runs, "knows", begin, raising=False)
    monkeypatch.setitem(
        METHODS, "e4e", Method("e4e", "e4e", "", "", "stylewidgets.inversion.encoders.runs:knows", kind="encoder")
    )


def test_a_good_guess_reaches_the_goal_and_the_time_until_then_is_a_part_of_the_whole(
    session: GeneratorSession, encoder: None
) -> None:
    target = Target.of(session.latent(seed=1), session)
    one = next(race.race(session, target, net="factors", steps=4, start="encoder", fast_steps=15))
    assert one.start == "e4e" and one.net == "factor-net"
    assert one.reached is not None and 0 < one.reached <= one.fast_seconds and one.share == one.reached / one.seconds
    assert one.fast_goal <= one.goal


def test_a_goal_that_is_not_reached_is_said_so(session: GeneratorSession) -> None:
    target = Target.of(session.latent(seed=1), session)
    one = next(race.race(session, target, net="factors", steps=25, start="mean", fast_steps=1))
    assert one.reached is None and one.share is None and one.fast_goal > one.goal
    found: dict[str, Any] = {"generated: seed 1": vars(one) | {"share": None}}
    assert list(run_races(session, {"generated": target}, found, 2)) == []  # it is there already
    assert "reached on 0 of 1" in races_text(found)


@pytest.mark.slow
def test_a_hybrid_and_an_optimisation_get_the_same_time(session: GeneratorSession, encoder: None) -> None:
    target = Target.of(session.latent(seed=2), session)
    one = next(race.equal_time(session, target, 0.3, net="factors"))
    assert 1 <= one.steps[1] <= one.steps[0]
    assert one.hybrid < one.optimisation and one.hybrid < one.encoder
    assert "1 of 1" in equal_time_text({"a": vars(one)})
