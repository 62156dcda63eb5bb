"""Hybrids and pivotal tuning on a tiny random generator: what they change, what they leave alone, and that they can go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.inversion import METHODS, Method, Result, Run, Setting, Target, invert, register, start
from stylewidgets.inversion.losses.perceptual import FactorFeatures
from stylewidgets.inversion.methods import hybrid, pivotal
from stylewidgets.latent.latent import Code, Latent
from stylewidgets.session.session import GeneratorSession

W = 8


def generator() -> StyleGAN2:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        made = StyleGAN2(StyleGAN2Config(z_dim=6, w_dim=W, resolution=16, channels=(8, 8, 6), mapping_layers=2))
        with torch.no_grad():
            made.mapping.w_avg.normal_()
    return made


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def session(device: str) -> GeneratorSession:
    return GeneratorSession(generator(), device=device, name="toy")


class Guess(Run):
    """An encoder that always says the same: w of one, or the mean in w+."""

    def __init__(self, session: GeneratorSession, target: Target, space: str) -> None:
        super().__init__(session, target, method="e4e", settings={}, total=1)
        self.space = space
        mean = session.generator.mapping.w_avg
        self.value = mean.expand(len(target), W) if space == "w" else mean.expand(len(target), session.num_ws, W)

    def _advance(self) -> dict[str, float]:
        self._drawn = self.session.synthesize(self.value).detach()
        return {"loss": float((self._drawn - self.target.images).square().mean())}

    def code(self) -> Tensor:
        return self.value.clone()

    def _state(self) -> dict[str, Any]:
        return {}

    def _restore(self, state: dict[str, Any]) -> None:
        pass


@pytest.fixture(autouse=True)
def encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    """ "e4e" gives w+, "restyle" gives w, "psp" is for another generator."""
    monkeypatch.setattr(hybrid, "_wide", lambda session, target: Guess(session, target, "w+"), raising=False)
    monkeypatch.setattr(hybrid, "_flat", lambda session, target: Guess(session, target, "w"), raising=False)
    for name, function, reason in (
        ("e4e", "_wide", ""),
        ("restyle", "_flat", ""),
        ("psp", "_wide", "no encoder for it"),
    ):
        monkeypatch.setitem(
            METHODS,
            name,
            Method(
                name,
                name,
                "",
                "",
                f"stylewidgets.inversion.methods.hybrid:{function}",
                kind="encoder",
                available=lambda session, reason=reason: reason,
            ),
        )


def target(session: GeneratorSession, n: int = 1) -> Target:
    return Target.of([session.latent(seed=40 + i) for i in range(n)], session)


def parameters(session: GeneratorSession) -> dict[str, Tensor]:
    return {name: p.clone() for name, p in session.generator.state_dict().items()}


def test_tuning_comes_nearer_and_leaves_the_generator_of_the_session_untouched(session: GeneratorSession) -> None:
    before, wanted = parameters(session), target(session)
    result = invert(session, wanted, "pti", pivot="e4e", steps=12, rate=0.01)
    assert result.history[-1]["pixels"] < 0.5 * result.history[0]["loss"]
    assert all(torch.equal(value, before[name]) for name, value in session.generator.state_dict().items())
    assert all(not p.requires_grad and p.grad is None for p in session.generator.parameters())
    own = session.image(result.latent())
    fitted = result.session(session).image(result.latent())
    truth = (wanted.images[0].permute(1, 2, 0).numpy() * 127.5 + 128).astype(np.uint8)
    error = [np.square(picture.astype(float) - truth).mean() for picture in (own, fitted)]
    assert error[1] < 0.5 * error[0]


def test_the_pivot_stays_where_its_method_put_it_and_only_synthesis_is_tuned(session: GeneratorSession) -> None:
    result = invert(session, target(session), "pti", pivot="restyle", steps=3)
    assert result.space == "w" and np.array_equal(result.code[0], session.generator.mapping.w_avg.numpy())
    assert result.delta is not None
    assert set(result.delta) == {
        name for name, _ in session.generator.named_parameters() if name.startswith("synthesis.")
    }
    assert max(np.abs(change).max() for change in result.delta.values()) <= 3 * 3.1e-4  # Adam moves by the rate at most
    shared = result.session(session).generator
    assert shared.mapping.w_avg is session.generator.mapping.w_avg


def test_the_difference_survives_its_file(session: GeneratorSession, tmp_path: Path) -> None:
    result = invert(session, target(session), "pti", pivot="e4e", steps=6, rate=0.01)
    again = Result.load(result.save(tmp_path / "tuned.safetensors"))
    a, b = (r.session(session).image(r.latent()).astype(int) for r in (result, again))
    assert np.abs(a - b).max() <= 2 and np.abs(a - session.image(result.latent()).astype(int)).max() > 4


def test_several_pictures_share_one_tuned_generator(session: GeneratorSession) -> None:
    result = invert(session, target(session, 3), "pti", pivot="e4e", steps=2, locality=0.1, radius=2.0)
    assert len(result) == 3 and result.images(session).shape == (3, 16, 16, 3)
    assert result.history[-1]["locality"] > 0


def test_each_picture_can_have_a_generator_of_its_own(session: GeneratorSession) -> None:
    wanted = target(session, 2)
    each = pivotal.tune_each(session, wanted, pivot="e4e", steps=3, rate=0.01)
    alone = invert(session, wanted[1], "pti", pivot="e4e", steps=3, rate=0.01)
    assert [r.names for r in each] == [wanted.names[:1], wanted.names[1:]] and each[1].uses["pivot"] == "e4e"
    assert each[1].steps == alone.steps and each[1].delta is not None and alone.delta is not None
    assert all(np.allclose(change, each[1].delta[name], atol=1e-5) for name, change in alone.delta.items())
    assert any(
        np.abs(change - each[0].delta[name]).max() > 1e-3
        for name, change in (each[1].delta or {}).items()
        if each[0].delta is not None
    )


@pytest.mark.slow
def test_the_regulariser_holds_the_generator_elsewhere(session: GeneratorSession) -> None:
    def moved(**settings: Any) -> float:
        result = invert(session, target(session), "pti", pivot="e4e", steps=15, rate=0.01, **settings)
        far = [Latent(code=Code("w+", session.map(session.latent(seed=s, psi=0.5))[0].numpy())) for s in range(6)]
        pictures = [own.images(far).astype(float) for own in (session, result.session(session))]
        return float(np.square(pictures[0] - pictures[1]).mean())

    assert moved(locality=10.0, radius=3.0) < 0.9 * moved(locality=0.0)


def test_tuning_stops_at_the_threshold_of_lpips_but_not_of_other_networks(
    session: GeneratorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def steps(name: str) -> Result:
        monkeypatch.setattr(FactorFeatures, "name", name)
        run = start("pti", session, target(session), pivot="e4e", steps=3)
        run.settings["stop"] = 1e9
        result = run.finish()
        assert run.done
        return result

    stopped = steps("lpips-alex")
    assert (
        stopped.steps == 2 and stopped.delta is not None and not any(change.any() for change in stopped.delta.values())
    )
    assert steps("factor-net").steps == 4


@pytest.mark.parametrize("stopped", [1, 3])
@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("pti", {"pivot": "e4e", "locality": 0.1, "rate": 0.01}),
        ("hybrid", {"start": "e4e", "space": "s"}),
        ("hybrid", {"space": "w"}),
    ],
)
def test_a_run_goes_on_exactly_where_it_stopped(
    session: GeneratorSession, method: str, settings: Any, stopped: int
) -> None:
    whole = start(method, session, target(session), steps=4, **settings)
    for _ in range(stopped):
        whole.advance()
    kept = whole.state()
    expected = whole.finish()
    again = start(method, session, target(session), steps=4, **settings)
    again.restore(kept)
    result = again.finish()
    assert result.steps == expected.steps == 5 and result.history == expected.history
    assert np.array_equal(result.code, expected.code)
    for name, change in (expected.delta or {}).items():
        assert np.array_equal(change, (result.delta or {})[name])


@pytest.mark.parametrize("space", ["w", "w+", "s", "start"])
def test_optimisation_improves_on_the_first_guess_in_every_space(session: GeneratorSession, space: str) -> None:
    result = invert(session, target(session, 2), "hybrid", start="e4e", space=space, steps=12, rate=0.3)
    assert result.history[-1]["pixels"] < 0.7 * result.history[0]["loss"]
    assert result.space == ("w+" if space == "start" else space) and result.delta is None
    assert result.uses["start"] == "e4e" and result.uses["perceptual"] == "factor-net"


def test_pictures_of_a_batch_do_not_disturb_each_other(session: GeneratorSession) -> None:
    both = target(session, 2)
    together = invert(session, both, "hybrid", start="e4e", steps=6)
    alone = invert(session, both[1], "hybrid", start="e4e", steps=6)
    assert np.allclose(together.code[1], alone.code[0], atol=1e-4)


def test_an_anchor_keeps_the_code_near_the_guess(session: GeneratorSession) -> None:
    free, held = (
        invert(session, target(session), "hybrid", start="e4e", steps=8, anchor=a).history[-1]["moved"]
        for a in (0.0, 10.0)
    )
    assert held < 0.5 * free


def test_the_best_encoder_that_fits_is_taken_and_the_report_says_which(
    session: GeneratorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert start("hybrid", session, target(session)).uses["start"] == "restyle"
    with pytest.raises(ValueError, match=r"'psp' cannot be used here: no encoder for it.*restyle"):
        start("hybrid", session, target(session), start="psp")
    for name in ("restyle", "e4e"):
        monkeypatch.setitem(METHODS, name, METHODS["psp"])
    monkeypatch.setitem(
        METHODS, "projector", Method("projector", "", "", "", "stylewidgets.inversion.methods.hybrid:_flat")
    )
    assert start("hybrid", session, target(session)).uses["start"] == "projector (no encoder for this generator)"
    assert METHODS["hybrid"].available is not None and METHODS["hybrid"].available(session) == ""
    monkeypatch.delitem(METHODS, "projector")
    assert "e4e" in METHODS["hybrid"].available(session)


def test_only_what_lies_under_the_mask_is_fitted(session: GeneratorSession) -> None:
    mask = np.zeros((16, 16))
    mask[:, :8] = 1
    wanted = target(session).with_mask(mask)
    wanted.images[..., 8:] = 1.0
    plain = target(session).with_mask(mask)
    for method, settings in (("hybrid", {"start": "e4e"}), ("pti", {"pivot": "e4e"})):
        a, b = (invert(session, t, method, steps=3, **settings) for t in (wanted, plain))
        assert np.array_equal(a.images(session), b.images(session))


def test_settings_are_checked(session: GeneratorSession) -> None:
    with pytest.raises(ValueError, match="pivot"):
        start("pti", session, target(session), pivot="nothing")
    with pytest.raises(ValueError, match="rate"):
        start("pti", session, target(session), rate=-1.0)
    assert isinstance(METHODS["pti"].settings[0], Setting)
    assert METHODS["pti"].checked({}) | {
        "steps": 350,
        "rate": 3e-4,
        "stop": 0.06,
        "pivot_steps": 450,
        "radius": 30.0,
    } == METHODS["pti"].checked({})


def test_a_trainable_copy_shares_what_is_frozen(session: GeneratorSession) -> None:
    made, moving = session.trainable()
    assert made.w_avg is session.w_avg
    originals = dict(session.generator.named_parameters())
    assert moving and all(value is not originals[name] and value.requires_grad for name, value in moving.items())


def begin(session: GeneratorSession, target: Target, *, space: str) -> Run:
    return Guess(session, target, space)


def test_a_method_from_outside_the_package_starts_by_the_name_of_its_module(
    session: GeneratorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METHODS, "mine", METHODS["pti"])  # what is registered below goes with the test
    spaces = Setting("space", "w+", "of the guess", choices=("w", "w+"))
    register(Method("mine", "Mine", "Guesses.", "nobody, 2026", f"{__name__}:begin", (spaces,)))
    assert invert(session, target(session), "mine").space == "w+"
    assert start("mine", session, target(session), space="w").space == "w"
