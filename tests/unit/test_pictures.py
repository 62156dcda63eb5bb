"""core/pictures: one answer for a picture, whatever it comes as."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylewidgets.core import pictures

GREY = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (24, 1))
RGB = np.stack([GREY, 255 - GREY, GREY // 2], -1)


def near(found: Image.Image, wanted: Any, levels: float = 1.0) -> bool:
    assert found.mode == "RGB"
    return bool(np.abs(np.asarray(found, float) - np.asarray(wanted, float)).max() <= levels)


@pytest.mark.parametrize(
    "given",
    [
        GREY,
        GREY[..., None],
        GREY.astype(np.uint16) * 257,
        (GREY.astype(np.uint16) * 257).astype(">u2"),
        GREY / 255,
        (GREY / 255).astype(np.float16),
        np.asfortranarray(GREY),
        GREY[:, ::-1][:, ::-1],
        torch.from_numpy(GREY.copy())[None],
        torch.from_numpy(GREY / 127.5 - 1).float()[None],
        Image.fromarray(GREY),
        Image.fromarray(GREY.astype(np.uint16) * 257),
        Image.fromarray(GREY.astype(np.int32) * 257),
        Image.fromarray((GREY / 255).astype(np.float32)),
    ],
    ids=lambda given: f"{type(given).__name__}-{getattr(given, 'dtype', getattr(given, 'mode', ''))}",
)
def test_grey_is_the_same_grey_from_every_kind_of_numbers(given: Any) -> None:
    assert near(pictures.read(given), np.repeat(GREY[..., None], 3, 2))


@pytest.mark.parametrize("turned", [RGB[:, ::-1], RGB[::-1], RGB[:, :, ::-1], RGB.transpose(1, 0, 2)])
def test_strides_of_any_sign_and_order_are_read(turned: Any) -> None:
    assert near(pictures.read(turned), turned, 0)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tiff", "a.gif", "a.bmp"])
def test_a_path_its_bytes_and_the_opened_file_are_one_picture(tmp_path: Path, name: str) -> None:
    Image.fromarray(RGB).save(tmp_path / name)
    data = (tmp_path / name).read_bytes()
    with Image.open(tmp_path / name) as opened:
        found = [pictures.read(g) for g in (tmp_path / name, str(tmp_path / name), data, memoryview(data), opened)]
    assert all(near(one, found[0], 0) for one in found) and near(found[0], RGB, 40)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "RGBa", "La", "P"])
def test_what_is_transparent_is_white_in_every_mode(mode: str) -> None:
    clear = Image.new("RGBA", (8, 8), (200, 0, 0, 0))
    if mode == "P":
        made = Image.new("P", (8, 8), 0)
        made.info["transparency"] = 0
    elif mode == "PA":
        made = Image.new("PA", (8, 8), (0, 0))
    else:
        made = (clear.convert("LA") if mode == "La" else clear).convert(mode)
    assert near(pictures.read(made), np.full((8, 8, 3), 255))


def test_half_transparent_is_half_way_to_white() -> None:
    given = np.dstack([np.zeros((8, 8, 3), np.uint8), np.full((8, 8), 128, np.uint8)])
    assert near(pictures.read(given), np.full((8, 8, 3), 127))
    grey = np.dstack([np.zeros((8, 8), np.uint8), np.full((8, 8), 128, np.uint8)])
    assert near(pictures.read(grey), np.full((8, 8, 3), 127))


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "HSV"])
def test_every_mode_of_pillow_becomes_rgb(mode: str) -> None:
    made = Image.new("RGB", (8, 8), "white").convert(mode)
    assert near(pictures.read(made), np.full((8, 8, 3), 255), 2)


def test_a_photograph_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    tag = Image.Exif()
    tag[0x0112] = 6  # to be turned by a quarter
    Image.fromarray(RGB).save(tmp_path / "a.png", exif=tag)
    assert near(pictures.read(tmp_path / "a.png"), np.rot90(RGB, -1), 0)


def test_the_first_frame_of_an_animation_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert near(pictures.read(tmp_path / "a.gif"), np.full((8, 8, 3), (255, 0, 0)))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (GREY * 2.0, "from 0 to 510; of float64"),
        (GREY / 127.5 - 1, "from -1 to 1; of float64"),
        (np.full((4, 4), np.nan), "nan"),
        (GREY.astype(np.int64), "int64"),
        (np.zeros((4, 4, 5), np.uint8), r"\[4, 4, 5\]"),
        (np.zeros((0, 4), np.uint8), r"\[0, 4\]"),
        (torch.full((3, 4, 4), 2.0), "2 to 2 was given"),
        (torch.full((3, 4, 4), float("nan")), "nan"),
        (torch.zeros(4, 4, 3), r"\[4, 4, 3\]"),
        (Image.fromarray(GREY.astype(np.int32) * 1000), "int32"),
        (Image.fromarray(GREY.astype(np.float32)), "255"),
        (b"", "is not an image"),
        (b"GIF89a", "cannot be read|is not an image"),
    ],
)
def test_numbers_that_could_mean_anything_are_refused_with_what_is_accepted(given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pictures.read(given)


def test_one_bad_file_among_many_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.RandomState(0).randint(0, 255, (90, 90, 3)).astype(np.uint8)
    for name, kind in (("cut.jpg", "JPEG"), ("cut.png", "PNG"), ("cut.webp", "WEBP")):
        buffer = io.BytesIO()
        Image.fromarray(noise).save(buffer, kind)
        (tmp_path / name).write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    (tmp_path / "empty.jpg").write_bytes(b"")
    Image.new("1", (300, 300)).save(tmp_path / "huge.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    for name in ("cut.jpg", "cut.png", "cut.webp", "empty.jpg", "huge.png"):
        with pytest.raises(ValueError, match=name):
            pictures.read(tmp_path / name)
    with pytest.raises(ValueError, match="is a folder"):
        pictures.read(tmp_path)
    with pytest.raises(TypeError, match="int is no picture. Accepted are"):
        pictures.read(3)


def test_several_in_one_array_or_tensor_are_several(tmp_path: Path) -> None:
    found = pictures.read_all(np.stack([RGB, RGB[:, ::-1]]))
    assert len(found) == 2 and near(found[1], RGB[:, ::-1], 0)
    tensor = torch.from_numpy(np.stack([RGB, RGB[:, ::-1]])).permute(0, 3, 1, 2)
    assert near(pictures.read_all(tensor)[1], RGB[:, ::-1], 0)
    with pytest.raises(ValueError, match="2 were given"):
        pictures.read(np.stack([RGB, RGB]))


def test_a_mask_is_read_from_a_picture_or_an_array_of_any_strides(tmp_path: Path) -> None:
    mask = np.zeros((8, 8), np.float32)
    mask[:, :3] = 1
    Image.fromarray((mask * 255).astype(np.uint8)).save(tmp_path / "m.png")
    for given in (tmp_path / "m.png", Image.open(tmp_path / "m.png"), mask, mask[:, ::-1][:, ::-1], mask > 0):
        assert np.array_equal(np.asarray(pictures.read_mask(given), np.float32), mask)
    assert torch.as_tensor(pictures.read_mask(np.fliplr(mask)))[0, -1] == 1


def heic_head() -> bytes:
    return b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(40)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (heic_head(), "HEIC, as iPhones write it. Install pillow-heif"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", "PostScript or PDF, which are programs"),
        (b"<!DOCTYPE html><html>quota exceeded</html>", "such as HTML or SVG"),
    ],
)
def test_what_is_no_picture_for_pillow_has_its_name(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pictures.read(data, "'it'")


def test_a_damaged_note_of_the_camera_does_not_spoil_the_picture(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png", exif=b"Exif\x00\x00MM\x00*garbage that is no directory")
    assert near(pictures.read(tmp_path / "a.png"), RGB, 0)


@pytest.mark.parametrize("name", ["a.avif", "a.webp", "a.jp2"])
def test_newer_formats_are_read_where_pillow_can(tmp_path: Path, name: str) -> None:
    smooth = np.stack([GREY, GREY[:, ::-1], GREY // 2], -1)
    try:
        Image.fromarray(smooth).save(tmp_path / name, quality=95)
    except (KeyError, OSError):
        pytest.skip(f"this Pillow writes no {name}")
    assert near(pictures.read(tmp_path / name), smooth, 24)


# -- mutated files ---------------------------------------------------------------------------------------------------------
def whole_files(folder: Path) -> list[bytes]:
    """A small picture in every kind of file that people bring."""
    noise = np.random.RandomState(0).randint(0, 255, (24, 32, 4)).astype(np.uint8)
    colour = Image.fromarray(noise[..., :3])
    tag = Image.Exif()
    tag[0x0112] = 6
    saved = {
        "a.png": (colour, {}), "b.png": (Image.fromarray(noise), {}), "c.png": (colour.quantize(16), {"transparency": 3}),
        "d.png": (Image.fromarray(noise[..., 0].astype(np.uint16) * 257), {}), "e.jpg": (colour, {"exif": tag}),
        "f.jpg": (colour.convert("CMYK"), {"progressive": True}), "g.webp": (Image.fromarray(noise), {}),
        "h.gif": (colour, {"save_all": True, "append_images": [colour.rotate(90)]}), "i.bmp": (colour, {}),
        "j.tiff": (colour, {"compression": "tiff_lzw"}), "k.tiff": (Image.fromarray(noise[..., 0] / np.float32(255)), {}),
        "l.tga": (colour, {}), "m.ppm": (colour, {}), "n.ico": (colour, {}),
    }  # fmt: skip
    for name, (picture, options) in saved.items():
        picture.save(folder / name, **options)
    return [(folder / name).read_bytes() for name in saved]


def mutated(data: bytes, random: np.random.RandomState) -> bytes:
    """Some bytes are others, a piece is gone, doubled or cut off; most of it in the head, where the sizes are."""
    made = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = int(random.randint(0, min(len(made), 80 if random.rand() < 0.6 else 1 << 20)))
        kind = random.randint(5)
        if kind <= 1:
            made[at] = random.randint(256)
        elif kind == 2:
            made[at : at + 4] = bytes(random.choice([0, 255, 127], 4).tolist())
        elif kind == 3:
            made[at:at] = made[at : at + int(random.randint(1, 64))]
        elif at > 8:
            del made[at if random.rand() < 0.5 else len(made) - at :]
        if len(made) < 4:
            break
    return bytes(made)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_five_hundred_mutated_pictures_are_read_or_refused_in_words(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    random, whole = np.random.RandomState(19), whole_files(tmp_path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read, refused = 0, []
    for i in range(504):
        data = mutated(whole[i % len(whole)], random)
        try:
            found = pictures.read(data, "'mutated'")
        except ValueError as error:
            refused.append(str(error))
            continue
        assert found.mode == "RGB" and min(found.size) > 0
        read += 1
    assert all("'mutated'" in words and len(words) < 600 for words in refused)
    assert read > 100 and len(refused) > 100, "both ends are met"
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{read} read, {len(refused)} refused, {grown:.0f} MB more")
    assert grown < 800, f"{grown:.0f} MB more"
