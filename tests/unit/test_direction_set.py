"""A DirectionSet: names, order, changes that return new sets, and files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from stylewidgets.directions import DirectionSet, fingerprint
from stylewidgets.latent.latent import Direction


def made(name: str, shape: Any = 4, **keywords: Any) -> Direction:
    vector = np.random.RandomState(len(name)).randn(*np.atleast_1d(shape)).astype(np.float32)
    return Direction(name=name, vector=vector, **keywords)


@pytest.fixture
def three() -> DirectionSet:
    items = [
        made("smile", sigma=1.25, source="boundary, held-out accuracy 97 %", layers=(2, 4), explained=0.25),
        made("yaw", (3, 4), unit="×"),
        made("hair lightness", 9, space="s"),
    ]
    return DirectionSet(items, w_dim=4, num_ws=3, weights="0123456789abcdef")


def test_a_set_is_a_mapping_in_order(three: DirectionSet) -> None:
    assert len(three) == 3 and list(three) == ["smile", "yaw", "hair lightness"] == list(three.names)
    assert three["yaw"].name == "yaw" and "smile" in three and "simle" not in three
    assert three.get("nothing") is None and [d.name for d in three.values()] == list(three.names)
    assert "smile" in repr(three) and "empty" in repr(DirectionSet())


def test_an_unknown_name_is_answered_with_the_nearest(three: DirectionSet) -> None:
    with pytest.raises(ValueError, match="simle.*smile"):
        three["simle"]
    with pytest.raises(KeyError):
        three["simle"]


def test_changes_return_new_sets_and_leave_the_old_one(three: DirectionSet) -> None:
    more = three.add(made("glasses"))
    assert more.names == (*three.names, "glasses") and len(three) == 3
    assert three.remove("yaw").names == ("smile", "hair lightness")
    renamed = three.rename("yaw", "turn")
    assert renamed.names == ("smile", "turn", "hair lightness")
    np.testing.assert_array_equal(renamed["turn"].vector, three["yaw"].vector)
    assert renamed["turn"].unit == "×" and renamed.weights == three.weights
    replaced = three.add(made("smile", sigma=9.0), replace=True)
    assert replaced.names == three.names and replaced["smile"].sigma == 9.0


def test_names_stay_unique(three: DirectionSet) -> None:
    with pytest.raises(ValueError, match="two directions are called 'a'"):
        DirectionSet([made("a"), made("a")])
    with pytest.raises(ValueError, match="already is a direction called 'smile'"):
        three.add(made("smile"))
    with pytest.raises(ValueError, match="cannot rename 'yaw' to 'smile'"):
        three.rename("yaw", "smile")
    with pytest.raises(ValueError, match="nothing"):
        three.remove("nothing")
    assert three.rename("yaw", "yaw") == three


def test_sets_merge_when_they_fit_the_same_generator(three: DirectionSet) -> None:
    merged = DirectionSet([made("first")]).merge(three)
    assert merged.names == ("first", *three.names) and (merged.w_dim, merged.num_ws) == (4, 3)
    assert merged.weights == three.weights
    with pytest.raises(ValueError, match="w_dim is 4 here and 5 there"):
        three.merge(DirectionSet(w_dim=5))
    with pytest.raises(ValueError, match="replace=True"):
        three.merge(three)
    assert three.merge(three, replace=True) == three


def test_vectors_are_checked_against_the_generator() -> None:
    with pytest.raises(ValueError, match=r"'wide' has shape \[5\]; this generator takes \[4\] or \[3, 4\]"):
        DirectionSet([made("wide", 5)], w_dim=4, num_ws=3)
    with pytest.raises(ValueError, match=r"\[2, 4\]"):
        DirectionSet([made("rows", (2, 4))], w_dim=4, num_ws=3)
    with pytest.raises(TypeError, match="str was given"):
        DirectionSet(["smile"])  # type: ignore[list-item]


@pytest.mark.parametrize("name", ["d.npz", "d.safetensors", "D.NPZ"])
def test_a_file_gives_back_an_equal_set(three: DirectionSet, tmp_path: Path, name: str) -> None:
    path = three.save(tmp_path / name)
    again = DirectionSet.load(path)
    assert again == three and hash(again) == hash(three)
    assert again["smile"].layers == (2, 4) and again["yaw"].explained is None
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert DirectionSet.load(DirectionSet().save(tmp_path / ("empty" + path.suffix))) == DirectionSet()


def test_other_suffixes_and_missing_files_are_named(three: DirectionSet, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ends in .npz or .safetensors; 'd.pkl' was given"):
        three.save(tmp_path / "d.pkl")
    with pytest.raises(FileNotFoundError, match="none.npz"):
        DirectionSet.load(tmp_path / "none.npz")


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("damage", ["empty", "cut", "text", "other", "newer", "missing vector"])
def test_a_broken_file_is_a_clear_error(three: DirectionSet, tmp_path: Path, suffix: str, damage: str) -> None:
    path = three.save(tmp_path / f"d{suffix}")
    meta: dict[str, Any] = {"kind": "directions", "version": 1, "w_dim": 4, "num_ws": 3, "directions": []}
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    elif damage == "text":
        path.write_text("not a direction file")
    else:
        if damage == "other":
            meta["kind"] = "generator"
        elif damage == "newer":
            meta["version"] = 99
        else:
            meta["directions"] = [{"name": "smile", "sigma": 1.0}]
        text, arrays = json.dumps(meta), {"unused": np.zeros(1, np.float32)}
        if suffix == ".npz":
            np.savez(path, **{"stylewidgets": np.frombuffer(text.encode(), np.uint8), **arrays})
        else:
            save_file(arrays, str(path), metadata={"stylewidgets": text})
    with pytest.raises(ValueError, match=f"d{suffix}' is no direction file, or it is damaged"):
        DirectionSet.load(path)


def test_a_pickled_array_is_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "evil.npz"
    np.savez(path, stylewidgets=np.array([{"kind": "directions"}], dtype=object))
    with pytest.raises(ValueError, match="is no direction file, or it is damaged"):
        DirectionSet.load(path)


class FakeSession:
    def __init__(self, w_dim: int = 4) -> None:
        torch.manual_seed(0)
        self.generator, self.w_dim, self.num_ws = torch.nn.Linear(3, 2), w_dim, 3

    def fingerprint(self) -> str:
        return fingerprint(self.generator)


def test_a_set_knows_its_generator() -> None:
    session: Any = FakeSession()
    found = DirectionSet.of(session, [made("a")])
    assert found.check(session) is found
    assert fingerprint(session.generator) == fingerprint(session.generator.double()) == found.weights
    with pytest.raises(ValueError, match="w_dim 4; this one has 8"):
        found.check(FakeSession(8))
    session.generator.weight.data += 1
    with pytest.warns(UserWarning, match="other weights"):
        found.check(session)
