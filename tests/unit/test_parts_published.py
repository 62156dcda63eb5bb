"""Catalogues as others saved them: centres are read, nothing in a file is executed, and what does not fit is said."""

from __future__ import annotations

import io
import os
import pickle
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylewidgets.editing import Parts

from .test_parts import made

MODULE = "sklearn.cluster._kmeans"


@contextmanager
def stand_in(module: str, name: str) -> Iterator[type]:
    """A class that pickles under a name of scikit-learn's, as its estimators do: their attributes and a version."""

    def state(self: Any) -> dict[str, Any]:
        return {**self.__dict__, "_sklearn_version": "0.24.2"}

    kind = type(name, (), {"__module__": module, "__getstate__": state})
    before = {part: sys.modules.get(part) for part in (module,)}
    sys.modules[module] = types.ModuleType(module)
    setattr(sys.modules[module], name, kind)
    try:
        yield kind
    finally:
        for part, there in before.items():
            sys.modules.pop(part) if there is None else sys.modules.__setitem__(part, there)


def clusters(kind: type, k: int = 5, channels: int = 8, seed: int = 0) -> Any:
    """Clusters as scikit-learn leaves them after a fit."""
    random = np.random.default_rng(seed)
    found = kind()
    found.n_clusters, found.max_iter, found.random_state, found.n_iter_ = k, 100, None, 1841
    found.cluster_centers_ = random.normal(size=(k, channels)).astype(np.float32)
    found.labels_ = random.integers(0, k, 200).astype(np.int32)
    found.counts_ = np.bincount(found.labels_, minlength=k)
    return found


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_the_clusters_of_retrieve_in_style_are_read(tmp_path: Path, protocol: int) -> None:
    session = made()
    with stand_in(MODULE, "MiniBatchSphericalKMeans") as kind:
        given = clusters(kind)
        (tmp_path / "catalog.pkl").write_bytes(pickle.dumps(given, protocol))
    parts = Parts.load(tmp_path / "catalog.pkl", session)
    unit = given.cluster_centers_ / np.linalg.norm(given.cluster_centers_, axis=1, keepdims=True)
    assert np.allclose(parts.catalogue.centres, unit, atol=1e-6) and parts.catalogue.squared
    assert parts.names == ("part 1", "part 2", "part 3", "part 4", "part 5", "pose")
    assert parts.clusters(session.latent(seed=1)).max() < 5
    moved = parts.transfer(session.latent(seed=1), session.latent(seed=2), "pose")
    assert moved.strength("pose") == 1.0
    kept = Parts.load(parts.save(tmp_path / "ours.safetensors"), session)
    assert kept.weights == parts.weights


def test_the_catalogue_of_editing_in_style_brings_its_names(tmp_path: Path) -> None:
    session = made()
    with stand_in(MODULE, "MiniBatchKMeans") as kind, stand_in("factor_catalog", "FactorCatalog") as catalogue:
        given = catalogue()
        given._factorization = clusters(kind)
        given.annotations = {"eyes": [1, 3], "mouth": [0], "hair": [2, 4]}
        torch.save(given, tmp_path / "ffhq.pkl")
    parts = Parts.load(tmp_path / "ffhq.pkl", session, layer="b16.conv1")
    assert dict(parts.catalogue.parts) == {"eyes": (1, 3), "mouth": (0,), "hair": (2, 4)}
    assert parts.catalogue.layer == "b16.conv1" and not parts.catalogue.squared
    assert parts.labels(session.latent(seed=1)).shape == (16, 16)


class Attack:
    """What pickle would run while it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("name", ["catalog.pkl", "catalog.pt"])
def test_a_hostile_file_is_refused_and_nothing_in_it_runs(tmp_path: Path, name: str) -> None:
    content = {"cluster_centers_": Attack(tmp_path / "was-here"), "annotations": {}}
    if name.endswith(".pt"):
        torch.save(content, tmp_path / name)
    else:
        (tmp_path / name).write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match="has no cluster_centers_"):
        Parts.load(tmp_path / name, made())
    assert not (tmp_path / "was-here").exists()


def test_a_hostile_file_with_good_centres_gives_the_centres_and_runs_nothing(tmp_path: Path) -> None:
    with stand_in(MODULE, "KMeans") as kind:
        given = clusters(kind)
        given.annotations = Attack(tmp_path / "was-here")
        (tmp_path / "catalog.pkl").write_bytes(pickle.dumps(given))
    assert Parts.load(tmp_path / "catalog.pkl", made()).names[0] == "part 1"
    assert not (tmp_path / "was-here").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"nonsense", "is no catalogue of parts, or it is damaged"),
        (pickle.dumps({"centres": 1}), "has no cluster_centers_"),
        (pickle.dumps({"cluster_centers_": np.zeros((3, 8), np.float32)}), "not all finite and of some length"),
        (pickle.dumps({"cluster_centers_": np.ones((3, 7), np.float32)}), "this generator has 8.* layer=…"),
    ],
    ids=["bytes", "nothing", "zeros", "channels"],
)
def test_what_is_no_catalogue_of_this_generator_is_said(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "catalog.pkl").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        Parts.load(tmp_path / "catalog.pkl", made())


def test_a_loop_in_a_file_ends(tmp_path: Path) -> None:
    loop: dict[str, Any] = {}
    loop["self"], loop["list"] = loop, [loop]
    stream = io.BytesIO()
    pickle.dump(loop, stream)
    (tmp_path / "catalog.pkl").write_bytes(stream.getvalue())
    with pytest.raises(ValueError, match="has no cluster_centers_"):
        Parts.load(tmp_path / "catalog.pkl", made())
