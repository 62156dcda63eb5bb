"""Codes and directions as other tools write them: read, drawn, written out again and equal."""

from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets.exchange import save_code, save_direction
from stylewidgets.generators.stylegan2 import StyleGAN2, StyleGAN2Config


@pytest.fixture(scope="module")
def session() -> sw.GeneratorSession:
    torch.manual_seed(0)
    config = StyleGAN2Config(resolution=16, channels=(8, 8, 8), z_dim=16, w_dim=16, mapping_layers=2)
    generator = StyleGAN2(config)
    generator.estimate_w_avg()
    return sw.GeneratorSession(generator)


def w_plus(session: sw.GeneratorSession, count: int = 1) -> np.ndarray[Any, Any]:
    return np.concatenate([session.map(session.latent(seed=seed)).numpy() for seed in range(5, 5 + count)])


Writer = Callable[[Path, np.ndarray[Any, Any]], object]


def saved(make: Callable[[torch.Tensor], object]) -> Writer:
    return lambda path, w: torch.save(make(torch.from_numpy(w)), path)


def archived(**names: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> Writer:
    return lambda path, w: np.savez(path, **{key: make(w) for key, make in names.items()})  # type: ignore[arg-type]


CODES: dict[str, tuple[str, Writer]] = {
    "projector of ADA, w+": ("projected_w.npz", archived(w=lambda w: w)),
    "projector of ADA, w": ("projected_w.npz", archived(w=lambda w: w[:, :1])),
    "array": ("latents.npy", lambda path, w: np.save(path, w[0])),
    "array, float64": ("latents.npy", lambda path, w: np.save(path, w.astype(np.float64))),
    "tensor": ("latents.pt", saved(lambda w: w)),
    "PTI": ("0.pt", saved(lambda w: w.requires_grad_())),
    "e4e": ("latents.pt", saved(lambda w: w)),
    "latent": ("a.pt", saved(lambda w: {"latent": w})),
    "latents": ("a.pt", saved(lambda w: {"latents": w, "images": torch.zeros(1, 3, 4, 4)})),
    "latent_code": ("a.pt", saved(lambda w: {"latent_code": w[0]})),
    "rosinality": (
        "face.pt",
        saved(lambda w: {"face.png": {"img": torch.zeros(1, 3, 8, 8), "latent": w[0], "noise": [torch.zeros(1, 1, 4, 4)]}}),
    ),
    "StyleFlow": ("sg2latents.pickle", lambda path, w: path.write_bytes(pickle.dumps({"Latent": [w]})) and None),
}  # fmt: skip


@pytest.mark.parametrize("case", CODES)
@pytest.mark.parametrize("suffix", [".npz", ".pt", ".npy"])
def test_a_code_of_another_tool_is_drawn_and_written_again(
    case: str, suffix: str, session: sw.GeneratorSession, tmp_path: Path
) -> None:
    name, write = CODES[case]
    w = w_plus(session)
    write(tmp_path / name, w)
    latent = sw.read_latent(tmp_path / name, session)
    assert np.array_equal(session.image(latent), session.image(session.latent(seed=5)))
    again = sw.read_latent(save_code(tmp_path / f"out{suffix}", session, latent), session)
    assert again.code == sw.Code("w+", w) and name in latent.history[0]


@pytest.mark.parametrize("case", ["array", "list"])
def test_files_of_many_codes_give_each_by_number_and_name(
    case: str, session: sw.GeneratorSession, tmp_path: Path
) -> None:
    many = w_plus(session, 3)
    np.save(tmp_path / "w_plus.npy", many)
    torch.save([torch.from_numpy(w) for w in many], tmp_path / "example_celebs.pt")
    path = tmp_path / {"array": "w_plus.npy", "list": "example_celebs.pt"}[case]
    assert len(sw.read_latents(path, session)) == 3
    last = sw.read_latent(path, session, -1)
    assert last.code == sw.Code("w+", many[2]) and last == sw.read_latent(path, session, f"{path.stem} 2")
    with pytest.raises(ValueError, match="has 3 codes"):
        sw.read_latent(path, session, 3)


def test_pictures_of_one_projection_keep_their_names(session: sw.GeneratorSession, tmp_path: Path) -> None:
    w = torch.from_numpy(w_plus(session, 2))
    torch.save({"ann.png": {"latent": w[0]}, "bo.jpg": {"latent": w[1]}}, tmp_path / "a.pt")
    assert list(sw.read_latents(tmp_path / "a.pt", session)) == ["ann", "bo"]


def test_a_list_of_style_arrays_is_a_code_in_s(session: sw.GeneratorSession, tmp_path: Path) -> None:
    styles = [style.reshape(1, 1, -1, 1, 1) for style in session.code_styles(session.latent(seed=5))]
    torch.save(styles, tmp_path / "s.pt")
    latent = sw.read_latent(tmp_path / "s.pt", session)
    assert latent.code is not None and latent.code.space == "s"
    assert np.array_equal(session.image(latent), session.image(session.latent(seed=5)))
    with pytest.raises(ValueError, match="edits in s"):
        save_code(tmp_path / "a.npz", session, latent)


@pytest.fixture(scope="module")
def narrowing() -> sw.GeneratorSession:
    """Convolutions of different widths, so that a list of their styles cannot be taken for codes in w."""
    torch.manual_seed(0)
    config = StyleGAN2Config(resolution=16, channels=(24, 20, 16), z_dim=16, w_dim=16, mapping_layers=2)
    generator = StyleGAN2(config)
    generator.estimate_w_avg()
    return sw.GeneratorSession(generator)


def test_styles_of_the_convolutions_alone_give_those_of_torgb_but_the_last(
    narrowing: sw.GeneratorSession, tmp_path: Path
) -> None:
    session = narrowing
    whole = session.code_styles(session.latent(seed=5))
    kinds = [layer.kind for layer in session.layers]
    torch.save([s for s, kind in zip(whole, kinds, strict=True) if kind != "torgb"], tmp_path / "s.pt")
    latent = sw.read_latent(tmp_path / "s.pt", session)
    assert "ToRGB styles are not in the file" in latent.history[0]
    mean = session.code_styles(session.latent(seed=0, psi=0.0))
    for i, (style, wanted) in enumerate(zip(session.code_styles(latent), whole, strict=True)):
        assert torch.allclose(style, mean[i] if i == len(whole) - 1 else wanted, atol=1e-4), session.layers[i].name


def test_a_direction_of_the_convolutions_alone_leaves_torgb_as_it_is(
    narrowing: sw.GeneratorSession, tmp_path: Path
) -> None:
    session = narrowing
    torch.save([torch.ones(layer.channels) for layer in session.layers if layer.kind != "torgb"], tmp_path / "gaze.pt")
    direction = sw.read_directions(tmp_path / "gaze.pt", session, samples=50)["gaze"]
    parts = np.split(direction.vector, np.cumsum([layer.channels for layer in session.layers])[:-1])
    for part, layer in zip(parts, session.layers, strict=True):
        assert bool(part.any()) == (layer.kind != "torgb"), layer.name


def test_z_is_told_by_names_where_lengths_do_not(session: sw.GeneratorSession, tmp_path: Path) -> None:
    z = np.random.RandomState(5).randn(2, 16)
    np.save(tmp_path / "z.npy", z)
    np.savez(tmp_path / "a.npz", z=z)
    for path in (tmp_path / "z.npy", tmp_path / "a.npz"):
        assert np.array_equal(session.image(sw.read_latent(path, session)), session.image(session.latent(seed=5)))
    np.save(tmp_path / "codes.npy", z)
    assert sw.read_latent(tmp_path / "codes.npy", session).code.space == "w"  # type: ignore[union-attr]
    assert sw.read_latent(tmp_path / "codes.npy", session, space="z").code.space == "z"  # type: ignore[union-attr]


def test_seeds_are_read_from_text_and_from_a_file(session: sw.GeneratorSession, tmp_path: Path) -> None:
    (tmp_path / "seeds.txt").write_text("1-3, 55\n7\n")
    assert [latent.seed for latent in sw.read_latents(tmp_path / "seeds.txt", session).values()] == [1, 2, 3, 55, 7]
    assert [latent.seed for latent in sw.read_latents("1-2,55", session).values()] == [1, 2, 55]
    with pytest.raises(ValueError, match="ranges go up"):
        sw.read_latents("5-1", session)
    with pytest.raises(ValueError, match="more than 10,000"):
        sw.read_latents("0-20000", session)
    (tmp_path / "b.txt").write_text("hello")
    with pytest.raises(ValueError, match="no list of seeds"):
        sw.read_latent(tmp_path / "b.txt", session)


def test_our_own_files_are_read_alike(session: sw.GeneratorSession, tmp_path: Path) -> None:
    latent = session.latent(seed=3, psi=0.5)
    for name in ("a.json", "a.npz"):
        assert sw.read_latent(latent.save(tmp_path / name), session) == latent


def test_a_code_of_another_size_says_which_generator_it_would_fit(session: sw.GeneratorSession, tmp_path: Path) -> None:
    np.savez(tmp_path / "projected_w.npz", w=np.zeros((1, 18, 512), np.float32))
    with pytest.raises(ValueError, match=r"18 rows of w of 512 numbers \(StyleGAN or StyleGAN2 of 1024 pixels\)"):
        sw.read_latent(tmp_path / "projected_w.npz", session)
    np.save(tmp_path / "age.npy", np.zeros((1, 512), np.float32))
    with pytest.raises(ValueError, match="w or z of 512 numbers"):
        sw.read_directions(tmp_path / "age.npy", session)


# -- directions -----------------------------------------------------------------------------------------------------------
def vector(rows: int | None = None) -> np.ndarray[Any, Any]:
    return np.random.RandomState(0).randn(*((rows, 16) if rows else (1, 16)))


def unit(v: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return v / np.linalg.norm(v, axis=-1).max()


EXPORTED = {
    "name": "beard",
    "latent_space": "W",
    "edit_start": 2,
    "edit_end": 5,
    "component_index": 3,
    "lat_stdev": 1.5,
}
ONE = np.ones(1)
DIRECTIONS: dict[str, tuple[str, Writer, str, str]] = {
    "InterFaceGAN in w": ("stylegan_ffhq_smile_w_boundary.npy", lambda p, v: np.save(p, v), "smile", "w"),
    "InterFaceGAN in z": ("stylegan_ffhq_age_boundary.npy", lambda p, v: np.save(p, v), "age", "z"),
    "InterFaceGAN of PGGAN": ("pggan_celebahq_pose_boundary.npy", lambda p, v: np.save(p, v), "pose", "z"),
    "e4e": ("smile.pt", saved(lambda v: v[0]), "smile", "w"),
    "collection": ("glasses.npy", lambda p, v: np.save(p, np.repeat(v, 6, 0)), "glasses", "w"),
    "collection with layers": ("hair_layers_2-3.npy", lambda p, v: np.save(p, v), "hair", "w"),
    "dictionary": ("all.pt", saved(lambda v: {"smile": v}), "smile", "w"),
    "exported by GANSpace": (
        "x.pkl",
        lambda p, v: p.write_bytes(pickle.dumps({**EXPORTED, "lat_comp": v})),
        "beard", "w"),
    "SeFa of rosinality": ("factor.pt", saved(lambda v: {"ckpt": "a.pt", "eigvec": v.T.contiguous()}), "factor 1", "w"),
    "PCA of e4e": ("ffhq_pca.pt", saved(lambda v: {"comp": v, "mean": v[0], "std": torch.ones(1)}), "component 1", "w"),
    "components of GANSpace": (
        "stylegan2-ffhq_style_ipca_c80_n300000_w.npz",
        archived(lat_comp=lambda v: v[:, None], lat_mean=lambda v: v, lat_stdev=lambda v: ONE, var_ratio=lambda v: ONE),
        "component 1", "w"),
}  # fmt: skip


@pytest.mark.parametrize("case", DIRECTIONS)
def test_a_direction_of_another_tool_is_named_measured_and_written_again(
    case: str, session: sw.GeneratorSession, tmp_path: Path
) -> None:
    file, write, name, space = DIRECTIONS[case]
    write(tmp_path / file, vector())
    found = sw.read_directions(tmp_path / file, session, samples=200)
    direction = found[name]
    assert list(found) == [name] and direction.space == space
    assert np.allclose(np.atleast_2d(direction.vector)[0], unit(vector())[0], atol=1e-6)
    if space == "w":
        w = sw.directions.sample_w(session, 200)
        assert direction.sigma == pytest.approx(sw.directions.spread(vector(), w), rel=1e-5)
    moved = session.image(session.latent(seed=1).with_edit(direction, 3.0))
    assert not np.array_equal(moved, session.image(session.latent(seed=1)))
    out = save_direction(tmp_path / "out.npy", direction)
    again = sw.read_directions(out, session, space=space, samples=200)["out"]
    assert np.allclose(again.vector, direction.vector, atol=1e-6) and again.sigma == pytest.approx(direction.sigma)


def test_layers_are_taken_from_names_and_from_ganspace(session: sw.GeneratorSession, tmp_path: Path) -> None:
    np.save(tmp_path / "hair_layers_2-3.npy", vector())
    assert sw.read_directions(tmp_path / "hair_layers_2-3.npy", session)["hair"].layers == (2, 4)
    DIRECTIONS["exported by GANSpace"][1](tmp_path / "x.pkl", vector())
    assert sw.read_directions(tmp_path / "x.pkl", session)["beard"].layers == (2, 5)
    np.save(tmp_path / "hair_layers_8-9.npy", vector())
    with pytest.raises(ValueError, match=r"rows 8 to 9 of w\+; this generator has 6"):
        sw.read_directions(tmp_path / "hair_layers_8-9.npy", session)


def test_one_array_per_style_layer_is_a_direction_in_s(session: sw.GeneratorSession, tmp_path: Path) -> None:
    parts = [torch.ones(layer.channels) for layer in session.layers]
    torch.save(parts, tmp_path / "gaze.pt")
    assert sw.read_directions(tmp_path / "gaze.pt", session, samples=50)["gaze"].space == "s"


def test_single_style_channels_are_read_from_text(session: sw.GeneratorSession, tmp_path: Path) -> None:
    found = sw.read_directions("2_5", session, samples=50)
    assert list(found) == ["2_5"] and len(found["2_5"].channels) == 1
    (tmp_path / "channels.txt").write_text("2_5\n3_1")
    assert list(sw.read_directions(tmp_path / "channels.txt", session, samples=50)) == ["2_5", "3_1"]
    with pytest.raises(ValueError, match="has style layers 0 to"):
        sw.read_directions("12_479", session)


def test_a_folder_gives_all_its_directions(session: sw.GeneratorSession, tmp_path: Path) -> None:
    for name in ("age.npy", "smile.npy"):
        np.save(tmp_path / name, vector())
    (tmp_path / "notes.md").write_text("x")
    assert list(sw.read_directions(tmp_path, session, samples=50)) == ["age", "smile"]
    (tmp_path / "sub").mkdir()
    with pytest.raises(ValueError, match="no file of directions"):
        sw.read_directions(tmp_path / "sub", session)


def test_our_own_directions_are_read_alike(session: sw.GeneratorSession, tmp_path: Path) -> None:
    np.save(tmp_path / "age.npy", vector())
    found = sw.read_directions(tmp_path / "age.npy", session, samples=50)
    assert sw.read_directions(found.save(tmp_path / "own.npz"), session) == found


def test_the_table_of_styleclip_says_what_reads_it(session: sw.GeneratorSession, tmp_path: Path) -> None:
    np.save(tmp_path / "fs3.npy", np.ones((20, 16), np.float32))
    with pytest.raises(ValueError, match="table from sentences to channels"):
        sw.read_directions(tmp_path / "fs3.npy", session)
    with pytest.raises(ValueError, match=r"read_table"):  # its folder
        sw.read_directions(tmp_path, session)


# -- nothing is executed, and nothing comes out but a clear word ------------------------------------------------------------
class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('executed')",)


def test_a_pickle_with_a_program_runs_nothing(session: sw.GeneratorSession, tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"latent": Bomb()}))
    for read in (sw.read_latent, sw.read_directions):
        with pytest.raises(ValueError, match=r"a\.pkl"):
            read(tmp_path / "a.pkl", session)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(5))
@pytest.mark.parametrize("what", ["codes", "directions"])
def test_a_hundred_mutated_files_give_a_result_or_a_clear_word(
    what: str, part: int, session: sw.GeneratorSession, tmp_path: Path
) -> None:
    """Five hundred of each in all: bytes changed, cut out and doubled, of a file of each kind."""
    originals = []
    written = CODES.values() if what == "codes" else [case[:2] for case in DIRECTIONS.values()]
    for i, (name, write) in enumerate(written):
        write(tmp_path / f"{i}{name}", w_plus(session) if what == "codes" else vector())
        originals.append(tmp_path / f"{i}{name}")
    random = np.random.RandomState(part)
    words: list[str] = []
    tracemalloc.start()
    for i in range(100):
        source = originals[random.randint(len(originals))]
        data = bytearray(source.read_bytes())
        for _ in range(random.randint(1, 9)):
            at, length = random.randint(len(data)), random.randint(1, 40)
            kind = random.randint(3)
            if kind == 0:
                data[at] = random.randint(256)
            elif kind == 1:
                del data[at : at + length]
            else:
                data[at:at] = data[at : at + length]
            data = data or bytearray(b"\0")
        path = tmp_path / f"mutated{i}{source.suffix}"
        path.write_bytes(data)
        for read in (sw.read_latent, sw.read_directions):
            try:
                found = read(path, session, **({"samples": 20} if read is sw.read_directions else {}))  # type: ignore[operator]
            except ValueError as error:
                words.append(str(error))
            else:
                assert isinstance(found, sw.Latent | sw.DirectionSet)
    assert words and all("\n" not in text and len(text) < 2000 for text in words)
    assert tracemalloc.get_traced_memory()[1] < 600 << 20
    tracemalloc.stop()
