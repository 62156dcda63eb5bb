"""Latent and its parts: frozen, compared by value, exact through text and files."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylewidgets.latent import Code, Direction, Edit, Latent

SMILE = Direction("smile", np.linspace(-1, 1, 4), sigma=1.5, layers=(1, 3), explained=0.25, source="made up")
YAW = Direction("yaw", np.arange(12.0).reshape(3, 4), unit="×")
HAIR = Direction("hair", np.arange(7) / 3, space="s")

finite = st.floats(allow_nan=False, allow_infinity=False)
seeds = st.integers(0, 2**32 - 1)
arrays = st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=6)
sources = st.one_of(
    st.builds(lambda seed: {"seed": seed}, seeds),
    st.builds(lambda a, b, t: {"blend": ((a, t), (b, 1 - t))}, seeds, seeds, st.floats(0, 1)),
    st.builds(lambda space, array: {"code": Code(space, array)}, st.sampled_from(["z", "w", "s"]), arrays),
)
edits = st.lists(
    st.builds(
        lambda name, vector, sigma, strength, layers: Edit(Direction(name, vector, sigma=sigma), strength, layers),
        st.text(min_size=1, max_size=9).filter(str.strip),
        arrays,
        finite,
        finite,
        st.one_of(st.none(), st.tuples(st.integers(0, 3), st.integers(4, 9))),
    ),
    max_size=3,
    unique_by=lambda edit: edit.name,
)
latents = st.builds(
    lambda source, **rest: Latent(**source, **rest),
    sources,
    psi=finite,
    cutoff=st.one_of(st.none(), st.integers(0, 18)),
    label=st.one_of(st.none(), st.integers(0, 999)),
    noise_mode=st.sampled_from(["const", "random", "none"]),
    noise_seed=seeds,
    edits=edits.map(tuple),
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(latents)
def test_text_brings_every_latent_back_exactly(latent: Latent) -> None:
    back = Latent.from_json(latent.to_json())
    assert back == latent and hash(back) == hash(latent) and repr(back) == repr(latent)
    assert back.psi.hex() == latent.psi.hex()
    assert Latent.from_dict(json.loads(json.dumps(latent.to_dict()))) == latent


@pytest.mark.parametrize("suffix", [".json", ".npz", ".NPZ"])
@pytest.mark.parametrize(
    "latent",
    [
        Latent(),
        Latent(seed=2**32 - 1, psi=0.1 + 0.2, cutoff=4, label=3, noise_mode="random", noise_seed=9),
        Latent(blend=((1, 1 / 3), (2, 2 / 3))).with_edit(SMILE, -1.1, (0, 2)).with_edit(YAW, 0).with_edit(HAIR, 2),
        Latent(code=Code("w+", np.random.RandomState(0).randn(3, 4)), psi=-0.5),
    ],
)
def test_files_bring_every_latent_back_exactly(tmp_path: Path, latent: Latent, suffix: str) -> None:
    path = latent.save(tmp_path / f"ä state{suffix}")
    assert Latent.load(path) == latent and [p.name for p in tmp_path.iterdir()] == [path.name]


def test_nothing_can_be_changed_in_place() -> None:
    latent = Latent(code=Code("w", [1.0, 2.0])).with_edit(SMILE, 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        latent.psi = 0.5
    for array in (
        latent.code.array,
        SMILE.vector,
        copy.deepcopy(SMILE).vector,
        pickle.loads(pickle.dumps(SMILE)).vector,
    ):
        assert array.dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 3


def test_arrays_are_copies() -> None:
    mine = np.zeros(4, np.float32)
    direction = Direction("mine", mine)
    mine[0] = 1
    assert direction.vector[0] == 0


def test_values_not_identities_are_compared() -> None:
    twin = Direction("smile", np.linspace(-1, 1, 4), sigma=1.5, layers=(1, 3), explained=0.25, source="made up")
    assert twin == SMILE and hash(twin) == hash(SMILE)
    assert dataclasses.replace(SMILE, sigma=1.0) != SMILE != YAW
    assert Code("z", [0.0, 1]) == Code("z", [-0.0, 1]) != Code("w", [0.0, 1])
    assert Latent(seed=1).with_edit(SMILE, 1) == Latent(seed=1).with_edit(twin, 1) != Latent(seed=1).with_edit(SMILE, 2)
    assert Latent() != "Latent(seed=0)"
    assert pickle.loads(pickle.dumps(Latent().with_edit(YAW, 1))) == Latent().with_edit(YAW, 1)


def test_the_source_is_one_of_three_and_replace_switches_it() -> None:
    code = Code("w", [1.0])
    assert (
        Latent().seed == 0 and Latent(code=code).seed is None and Latent(seed=None, blend=[(3, 1)]).blend == ((3, 1.0),)
    )
    with pytest.raises(ValueError, match="seed and code were given"):
        Latent(seed=1, code=code)
    latent = Latent(seed=5, psi=0.7).replace(code=code)
    assert latent.code == code and latent.seed is None and latent.psi == 0.7
    assert latent.replace(blend=((1, 0.5), (2, 0.5))).code is None
    assert latent.replace(seed=0).seed == 0 and latent.replace(seed=0).code is None
    assert latent.replace(psi=1).code == code
    assert latent.replace(seed=None, blend=(), code=code) == latent
    with pytest.raises(TypeError, match="'sead'; did you mean 'seed'"):
        latent.replace(sead=1)


def test_edits_keep_their_place_and_name() -> None:
    latent = Latent().with_edit(SMILE, 1, SMILE.layers).with_edit(YAW, 2)
    again = latent.with_edit(SMILE, 0)
    assert [edit.name for edit in again.edits] == ["smile", "yaw"] and again.strength("smile") == 0.0
    assert latent.edits[0].layers == (1, 3) and again.edits[0].layers is None
    assert again.without_edit("smile").edits == (Edit(YAW, 2),)
    for call in (again.strength, again.without_edit):
        with pytest.raises(ValueError, match="did you mean 'smile'"):
            call("smlie")
    with pytest.raises(ValueError, match="two edits are called 'yaw'"):
        Latent(edits=(Edit(YAW, 1), Edit(YAW, 2)))


def test_reprs_are_short_and_tell_what_differs() -> None:
    assert repr(Latent(seed=7, psi=0.7)) == "Latent(seed=7, psi=0.7)"
    assert repr(Latent().with_edit(SMILE, 2, (0, 3))) == "Latent(seed=0, edits=(Move('smile', 2, layers=(0, 3)),))"
    assert repr(Latent(code=Code("w+", np.zeros((18, 512))))) == "Latent(code=Code('w+', array of [18, 512]))"
    assert repr(SMILE) == "Direction('smile', array of [4], sigma=1.5, space='w', layers=(1, 3))"


def test_tensors_and_leading_ones_are_taken() -> None:
    rows = torch.arange(6.0).reshape(1, 2, 3).requires_grad_()
    assert Code("w+", rows) == Code("w+", np.arange(6).reshape(2, 3))
    assert Code("w", np.zeros((1, 3))).array.shape == (3,)
    assert Code("s", [torch.zeros(1, 3), torch.ones(1, 2)]) == Code("s", [0, 0, 0, 1, 1])
    assert Direction("half", torch.ones(3, dtype=torch.bfloat16)).vector.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Latent(seed=-1), "seed must be a whole number from 0 to 4294967295; -1"),
        (lambda: Latent(seed="7"), "seed must be a whole number"),
        (lambda: Latent(psi=float("nan")), "psi must be a finite number"),
        (lambda: Latent(cutoff=-1), "cutoff must be a whole number of at least 0"),
        (lambda: Latent(noise_mode="cnst"), "did you mean 'const'"),
        (lambda: Latent(blend=((1, 0.5), (2, 0.4))), r"sum to 1; they sum to 0.9"),
        (lambda: Latent(blend=(1, 2)), "pairs"),
        (lambda: Code("w", [[1.0, 2], [3, 4]]), r"\[w_dim\]; \[2, 2\] was given"),
        (lambda: Code("x", [1.0]), "space 'x'"),
        (lambda: Code("w", [1.0, np.nan]), "not finite"),
        (lambda: Code("w", [1e39]), "not finite"),
        (lambda: Code("w", "words"), "must be an array of numbers"),
        (lambda: Direction("", [1.0]), "name"),
        (lambda: Direction("a", np.zeros((2, 2)), space="s"), r"\[sum of channels\]"),
        (lambda: Direction("a", [1.0], sigma=float("inf")), "sigma of direction 'a'"),
        (lambda: Direction("a", [1.0], layers=(2, 1)), "first < last"),
        (lambda: Edit(SMILE, float("nan")), "strength of 'smile'"),
    ],
)
def test_impossible_values_are_refused_with_what_is_accepted(make: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make()


def test_wrong_types_name_what_belongs_there() -> None:
    for make in (
        lambda: Latent(code=[1.0]),
        lambda: Latent(edits=[SMILE]),  # type: ignore[list-item]
        lambda: Latent(edits=3),
        lambda: Edit("smile", 1),
    ):
        with pytest.raises(TypeError):
            make()


# -- files ---------------------------------------------------------------------------------------------------------------


def damaged(change: Any) -> str:
    data = Latent(seed=1).with_edit(SMILE, 1).replace(code=Code("w", [1.0])).to_dict()
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "does not say that it is a latent"),
        ('{"kind": "directions"}', "does not say that it is a latent"),
        (damaged(lambda d: d.update(version=3)), "version 3; this stylewidgets reads up to 2. Update"),
        (damaged(lambda d: d.update(version="1")), "its version must be"),
        (damaged(lambda d: d.update(pis=1)), "'pis'; did you mean 'psi'"),
        (damaged(lambda d: d.update(seed=3)), "seed and code were given"),
        (damaged(lambda d: d.update(psi="much")), "psi must be"),
        (damaged(lambda d: d.update(edits={})), "edits must be a list"),
        (damaged(lambda d: d["edits"].append(3)), "edit must be a dictionary"),
        (damaged(lambda d: d["edits"][0].pop("direction")), "edit lacks 'direction'"),
        (damaged(lambda d: d["edits"][0]["direction"].update(nmae="x")), "did you mean 'name'"),
        (damaged(lambda d: d["code"].update(space=[])), "space"),
        (damaged(lambda d: d["code"]["array"].update(float32="%%%")), "arrays is damaged"),
        (damaged(lambda d: d["code"]["array"].update(shape=[7])), "arrays is damaged"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_broken_state_file_is_named_with_the_reason_and_what_is_accepted(
    tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=reason) as caught:
        Latent.load(path)
    assert str(path) in str(caught.value) and ".json and .npz" in str(caught.value)


def test_any_damage_to_a_file_is_a_value_error(tmp_path: Path) -> None:
    rng, messages = np.random.RandomState(0), []
    for suffix in (".json", ".npz"):
        good = Latent(seed=1).with_edit(SMILE, 1).save(tmp_path / f"good{suffix}")
        whole, path = good.read_bytes(), tmp_path / f"bad{suffix}"
        for _ in range(120):
            data = bytearray(whole[: rng.randint(len(whole))] if rng.rand() < 0.3 else whole)
            for at in rng.randint(len(data), size=3) if len(data) else ():
                data[at] = rng.randint(256)
            path.write_bytes(data)
            try:
                Latent.load(path)
            except ValueError as error:
                messages.append(str(error))
            else:
                messages.append(str(path))
    assert all(str(tmp_path / "bad") in message for message in messages)


def test_pickled_objects_in_an_archive_are_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "evil.npz"
    np.savez(path, stylewidgets=np.array([print], dtype=object))
    with pytest.raises(ValueError, match="is no latent, or it is damaged"):
        Latent.load(path)


@pytest.mark.slow
def test_an_archive_that_claims_to_be_huge_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("array0.npy", "w", force_zip64=True) as f,
    ):
        for _ in range(300):
            f.write(bytes(1 << 20))
    with pytest.raises(ValueError, match="claims to hold more than"):
        Latent.load(path)


def test_a_missing_file_and_a_foreign_ending_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no file"):
        Latent.load(tmp_path / "none.json")
    for call in (Latent().save, Latent.load):
        with pytest.raises(ValueError, match=r"\.json or \.npz; 'state.pkl'"):
            call(tmp_path / "state.pkl")


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Latent(seed=1).save(tmp_path / "state.npz")

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(OSError, match="disk full"):
        Latent(seed=2).save(path)
    assert Latent.load(path) == Latent(seed=1) and [p.name for p in tmp_path.iterdir()] == ["state.npz"]
