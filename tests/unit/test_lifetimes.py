"""Sessions that are pickled and copied, and many pictures in little memory."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import stylewidgets as sw
from stylewidgets import inversion
from stylewidgets.inversion import starting
from stylewidgets.jobs import Progress


@pytest.fixture(scope="module")
def session() -> sw.GeneratorSession:
    return sw.load("avatar-64", device="cpu")


@pytest.mark.parametrize("again", [copy.deepcopy, lambda session: pickle.loads(pickle.dumps(session))])
def test_a_session_is_made_anew_from_its_source(session: sw.GeneratorSession, again: object) -> None:
    other = again(session)  # type: ignore[operator]
    assert other is not session and other.lock is not session.lock
    assert other.directions == session.directions
    assert np.array_equal(other.image(other.latent(seed=3)), session.image(session.latent(seed=3)))


def test_a_pickled_session_holds_no_weights(session: sw.GeneratorSession) -> None:
    packed = pickle.dumps(session)
    assert len(packed) < 1 << 20, "the directions and a name, but not 10 MB of parameters"
    assert "yaw" in pickle.loads(packed).directions


def test_a_path_is_found_from_another_folder(
    session: sw.GeneratorSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    session.save("mine.safetensors")
    packed = pickle.dumps(sw.load("mine.safetensors", device="cpu"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = pickle.loads(packed)
    assert np.array_equal(again.image(again.latent(seed=3)), session.image(session.latent(seed=3)))


def test_a_fitted_generator_is_in_no_file_and_says_what_to_do(session: sw.GeneratorSession) -> None:
    fitted = session.tuned({})
    for refused in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match=r"cannot be pickled or copied.*session\.save\(path\)"):
            refused(fitted)


@pytest.mark.slow
def test_pictures_in_groups_are_found_as_if_there_were_no_others(
    session: sw.GeneratorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = inversion.Target.of([session.latent(seed=seed) for seed in range(3)], session)
    whole = inversion.invert(session, target, "projector", steps=2)
    monkeypatch.setattr(starting, "pictures_with_gradients", lambda session: 2)
    told: list[Progress] = []
    parts = inversion.invert(session, target, "projector", told.append, steps=2)
    assert parts.names == whole.names and len(parts) == 3 and parts.steps == whole.steps
    assert np.abs(parts.code - whole.code).max() < 1e-3
    assert parts.noise is not None and whole.noise is not None
    assert [n.shape for n in parts.noise] == [n.shape for n in whole.noise]
    assert [frame.pictures.shape for frame in parts.frames] == [frame.pictures.shape for frame in whole.frames]
    for a, b in zip(parts.history, whole.history, strict=True):
        assert a["perceptual"] == pytest.approx(b["perceptual"], rel=1e-3)
    assert [p.done for p in told] == sorted(p.done for p in told) and told[-1].done == told[-1].total == 4


@pytest.mark.slow
def test_one_generator_is_tuned_for_all_pictures_together(
    session: sw.GeneratorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "pictures_with_gradients", lambda session: 1)
    target = inversion.Target.of([session.latent(seed=seed) for seed in range(2)], session)
    result = inversion.invert(session, target, "pti", pivot="psp", steps=1)
    assert len(result) == 2 and result.delta is not None
