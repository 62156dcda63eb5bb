"""Files of Pose with Style: checkpoints of the release, tables, and pictures as DensePose writes them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylewidgets import GeneratorSession, Latent, Person, Pose, read_atlas
from stylewidgets.checkpoints import open_file
from stylewidgets.checkpoints.atlas import read_completion
from stylewidgets.checkpoints.errors import CheckpointError
from stylewidgets.generators.posed import Reposing, read_iuv, read_table
from stylewidgets.generators.posed.person import SWAPPED, squared

from .. import posed_files as made

SMALL = {"resolution": 64}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that a user brings, under its published names."""
    path = tmp_path_factory.mktemp("posed")
    made.written(path, "posewithstyle.pt", made.published())
    made.written(path, "CCM_epoch50.pt", made.completion())
    np.save(path / "dp_uv_lookup_256.npy", made.table())
    np.save(path / "uv_space_parts.npy", made.golden()[1]["input.uv_space_parts"].numpy())
    Image.fromarray(made.picture()).save(path / "a.png")
    Image.fromarray(made.surface()).save(path / "a_iuv.png")
    Image.fromarray(made.surface()[..., ::-1].copy()).save(path / "a_iuv_opencv.png")
    Image.fromarray((made.surface()[..., 0] > 0).astype(np.uint8) * 255).save(path / "a_sil.png")
    return path


# -- checkpoints ----------------------------------------------------------------------------------------------------------
def test_a_published_checkpoint_draws_what_the_program_drew(folder: Path) -> None:
    generator: Any
    generator, metadata = open_file(folder / "posewithstyle.pt", SMALL)
    tensors = made.golden()[1]
    assert (metadata["family"], metadata["inside"]) == ("posed", "g_ema") and generator.config.slip
    assert any("no w" in note for note in metadata["notes"]) and not any("left out" in n for n in metadata["notes"])
    pose, noise = tensors["input.pose"].float(), [tensors[f"input.noise_{k}"] for k in range(11)]
    flow = tensors["expect.flow"]
    given = Reposing(tensors["input.image"], tensors["input.silhouette"].float(), pose, flow)
    with generator.reposed(given), torch.no_grad():
        found = generator.synthesize(torch.zeros(2, 1), noise)
    wanted = tensors["expect.image"]
    assert float((found - wanted).norm() / wanted.norm()) < 1e-5


def test_without_a_setting_the_coarsest_scale_has_16_pixels_as_published(folder: Path) -> None:
    generator: Any = open_file(folder / "posewithstyle.pt")[0]
    assert (generator.resolution, generator.config.sizes[0]) == (512, 16)


def test_published_completion_is_read_and_equal(folder: Path) -> None:
    tensors = made.golden()[1]
    network = read_completion(folder / "CCM_epoch50.pt")
    with torch.no_grad():
        found = network(tensors["input.ccm_coordinates"], tensors["input.ccm_mask"])
    assert float((found - tensors["expect.ccm_coordinates"]).norm() / found.norm()) < 1e-5


def test_one_file_taken_for_the_other_is_named(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"read_atlas\(table, completion=path\)"):
        open_file(folder / "CCM_epoch50.pt")
    with pytest.raises(CheckpointError, match=r"CCM_epoch50\.pt"):
        read_completion(folder / "posewithstyle.pt")


class Attack:
    def __reduce__(self) -> Any:
        return os.system, ("touch /tmp/stylewidgets-was-here",)


def damaged(kind: str) -> dict[str, Any]:
    content = made.published()
    state = dict(content["g_ema"])
    name = "convs.3.conv.weight"
    if kind == "missing":
        del state[name]
    elif kind == "not finite":
        state[name] = state[name] * float("nan")
    elif kind == "shape":
        state[name] = state[name][..., :2]
    elif kind == "filter":
        state["convs.0.conv.blur.kernel"] = torch.ones(4, 4)
    elif kind == "1024":
        state["appearance_encoder.conv63.weight"] = state["appearance_encoder.conv53.weight"]
    return {"g_ema": state}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "s2.conv.weight"),
        ("not finite", "not finite"),
        ("shape", "shape"),
        ("filter", "another filter"),
        ("1024", "1024 pixels"),
    ],
)
def test_a_damaged_checkpoint_is_refused_with_what_is_wrong(tmp_path: Path, kind: str, words: str) -> None:
    with pytest.raises(CheckpointError, match=words):
        open_file(made.written(tmp_path, "x.pt", damaged(kind)))


def test_nothing_in_a_hostile_file_runs_and_networks_made_of_it_are_refused(tmp_path: Path, folder: Path) -> None:
    open_file(made.written(tmp_path, "beside.pt", {**made.published(), "args": Attack()}), SMALL)  # left alone
    for read in (open_file, read_completion):
        with pytest.raises(CheckpointError):
            read(made.written(tmp_path, "hostile.pt", {"g": Attack(), "g_ema": Attack()}))
    assert not Path("/tmp/stylewidgets-was-here").exists()
    cut = tmp_path / "cut.pt"
    cut.write_bytes((folder / "posewithstyle.pt").read_bytes()[:5000])
    with pytest.raises(CheckpointError):
        open_file(cut)


def test_damaged_completion_is_refused(tmp_path: Path) -> None:
    for name, value in (("model.3.conv2d.weight", None), ("model.3.conv2d.weight", float("nan"))):
        content = made.completion()["g"]
        key = f"generator.{name}"
        content = {k: v * value if value and k == key else v for k, v in content.items() if value or k != key}
        with pytest.raises(CheckpointError, match=name):
            read_completion(made.written(tmp_path, "c.pt", {"g": content}))


# -- tables ---------------------------------------------------------------------------------------------------------------
def test_a_table_that_is_missing_is_named_with_where_it_comes_from(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"dp_uv_lookup_256\.npy.*pose-with-style"):
        read_atlas(tmp_path)


def test_another_array_is_no_table(tmp_path: Path) -> None:
    np.save(tmp_path / "dp_uv_lookup_256.npy", np.zeros((24, 128, 128, 2), np.float32))
    with pytest.raises(ValueError, match=r"\[24, 256, 256, 2\]"):
        read_table(tmp_path)
    np.save(tmp_path / "dp_uv_lookup_256.npy", np.array([Attack()], dtype=object))
    with pytest.raises(ValueError, match="no NumPy array"):
        read_table(tmp_path)


def test_garments_without_the_parts_of_the_atlas_say_which_file_is_missing() -> None:
    whole = made.atlas()
    bare = type(whole)(whole.table, size=64)
    person = Person.read(made.picture(), made.surface()[..., 0] > 0, made.surface(), bare)
    with pytest.raises(ValueError, match=r"uv_space_parts\.npy"):
        person.wearing(person)


# -- pictures -------------------------------------------------------------------------------------------------------------
def test_files_of_the_release_make_a_person(folder: Path) -> None:
    atlas = read_atlas(folder, parts=folder, completion=folder / "CCM_epoch50.pt", size=64)
    person = Person.read(folder / "a.png", folder / "a_sil.png", folder / "a_iuv.png", atlas)
    assert person.picture.shape == (64, 64, 3) and person.notes == () and atlas.completion is not None


def test_either_order_of_channels_is_recognised_and_said(folder: Path) -> None:
    atlas = made.atlas()
    first, second = (
        Person.read(folder / "a.png", folder / "a_sil.png", folder / f"a_{name}.png", atlas)
        for name in ("iuv", "iuv_opencv")
    )
    assert np.array_equal(first.iuv, second.iuv) and first.digest() == second.digest()
    assert second.notes == (SWAPPED,)


def test_channels_in_another_order_are_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="middle channel could be I"):
        read_iuv(made.surface()[..., [1, 0, 2]])
    with pytest.raises(ValueError, match="no V, U, I"):
        read_iuv(made.surface(), order="VUI")


def test_an_order_that_numbers_cannot_tell_is_asked_for() -> None:
    few = np.zeros((64, 64, 3), np.uint8)
    few[20:40, 20:40] = (2, 9, 7)
    with pytest.raises(ValueError, match="order='IUV' or order='VUI'"):
        read_iuv(few)
    assert read_iuv(few, "VUI")[0][30, 30].tolist() == [7, 9, 2]


@pytest.mark.parametrize(
    ("part", "given", "words"),
    [
        ("iuv", made.surface(32), "32 by 32"),
        ("iuv", np.zeros((64, 64, 3), np.uint8), "shows no body"),
        ("iuv", made.picture(), "no IUV picture"),
        ("iuv", np.zeros((64, 64), np.uint8), r"\[H, W, 3\]"),
        ("silhouette", np.zeros((64, 64), bool), "silhouette is empty"),
        ("silhouette", np.ones((32, 64), bool), "64 by 32"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_sides_of_it(part: str, given: Any, words: str) -> None:
    files: dict[str, Any] = {"silhouette": made.surface()[..., 0] > 0, "iuv": made.surface(), part: given}
    with pytest.raises(ValueError, match=words):
        Person.read(made.picture(), files["silhouette"], files["iuv"], made.atlas())


def test_a_jpeg_of_a_surface_is_refused(tmp_path: Path) -> None:
    Image.fromarray(made.surface()).save(tmp_path / "a_iuv.jpg")
    with pytest.raises(ValueError, match="JPEG"):
        read_iuv(tmp_path / "a_iuv.jpg")


def test_a_tall_picture_stands_in_the_middle_of_a_square() -> None:
    tall = made.surface()[:, 8:56]
    assert np.array_equal(squared(tall)[:, 8:56], tall) and not squared(tall)[:, :8].any()


def test_a_picture_in_its_own_pose_is_looked_up_where_it_is() -> None:
    """Without the slip each pixel of the body finds itself, to a third of a pixel."""
    person = Person.read(made.picture(), made.surface()[..., 0] > 0, made.surface(), made.atlas(256))
    given = person.reposing(Pose(), None, 64, slip=False)
    own = (torch.arange(64) * 2 + 1) / 64 - 1
    body = given.body[0, 0] > 0
    for axis, wanted in ((0, own[None].expand(64, -1)), (1, own[:, None].expand(-1, 64))):
        off = (given.flow[0, axis] - wanted)[body].abs() * 32
        assert float(off.median()) < 0.1 and float(off.mean()) < 0.35


# -- in a session ---------------------------------------------------------------------------------------------------------
def person(seed: int = 0) -> Person:
    return Person.read(made.picture(seed=seed), made.surface()[..., 0] > 0, made.surface(), made.atlas())


@pytest.fixture(scope="module")
def session(folder: Path) -> GeneratorSession:
    generator: Any = open_file(folder / "posewithstyle.pt", SMALL)[0]
    return GeneratorSession(generator)


def test_a_garment_changes_its_part_by_its_strength_and_nothing_at_0(session: GeneratorSession) -> None:
    one, other = person(), person(1)
    latent = session.latent(source=session.put(one))
    own = session.image(latent).astype(int)
    changes = []
    for strength in (0.0, 0.5, 1.0):
        source = session.put(one.wearing(other, "upper_body", strength))
        changes.append(np.abs(session.image(latent.replace(source=source)).astype(int) - own).mean())
    assert changes[0] == 0 and 0 < changes[1] < changes[2]


def test_a_garment_of_oneself_changes_nothing(session: GeneratorSession) -> None:
    one = person()
    latent = session.latent(source=session.put(one))
    worn = session.image(latent.replace(source=session.put(one.wearing(one, "full_body"))))
    assert np.abs(worn.astype(int) - session.image(latent)).max() <= 1


def test_a_pose_from_a_picture_is_drawn_and_repeats(session: GeneratorSession) -> None:
    latent = session.latent(source=session.put(person()))
    moved = latent.replace(view=Pose(iuv=session.put(made.surface(shift=6))))
    own, there = session.image(latent), session.image(moved)
    assert not np.array_equal(own, there) and np.array_equal(session.image(moved), there)
    assert np.array_equal(session.image(latent), own)


def test_poses_and_sources_that_cannot_be_drawn_are_refused_with_what_to_do(session: GeneratorSession) -> None:
    latent = session.latent(source=session.put(person()))
    for changes, words in (
        ({"view": Pose(yaw=10)}, "session.put"),
        ({"view": Pose(iuv="0" * 64)}, "no IUV picture 0000"),
        ({"view": Pose(iuv=session.put(made.surface(32)))}, "32 by 32"),
        ({"source": "1" * 64}, "no source 1111"),
        ({"source": Latent(seed=1)}, "a latent was given as source"),
    ):
        with pytest.raises(ValueError, match=words):
            session.image(latent.replace(**changes))
