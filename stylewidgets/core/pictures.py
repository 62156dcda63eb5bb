"""Pictures as people have them, read in one way: upright, RGB, 8 bits, the first frame, over one background."""

from __future__ import annotations

import importlib.util
import io
import os
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from . import files

BACKGROUND = "white"
"""What shows through where a picture is transparent."""

ACCEPTED = (
    "Accepted are a path, an http(s) address, the bytes of a file, a PIL image, an array [H, W], [H, W, 3] or [H, W, 4] "
    "(uint8, uint16, or floating in [0, 1]) and a tensor [3, H, W] (floating in [-1, 1], or uint8)"
)
_FORMATS = "JPEG, PNG, WebP, AVIF, TIFF, GIF, BMP and others that Pillow reads are accepted"
ENDINGS = (
    ".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif", ".tif", ".tiff", ".gif", ".bmp", ".ppm", ".pgm", ".tga", ".jp2",
)  # fmt: skip
"""What a file of a folder ends in to count as a picture."""
_PROGRAMS = ("EPS", "WMF", "MPEG", "HDF5", "GRIB", "BUFR", "FITS")
"""Formats that Pillow knows and we do not open: some are programs that another program runs, the others no pictures."""
_UNREADABLE = (*files.DAMAGED, struct.error, ArithmeticError, Image.DecompressionBombError)
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_QUICK = {"PNG": {"compress_level": 1}, "JPEG": {"quality": 85}}
_NEAR = 0.5  # how far a tensor may leave [-1, 1], as sums of a generator do, before it is taken for another scale


def read(given: object, name: str = "") -> Image.Image:
    """One picture in RGB, turned upright as its camera says.

    Args:
        given: see `ACCEPTED`. 16 bits become 8; transparent places show the `BACKGROUND`; of an animation the first frame
            is taken.
        name: what to call it in messages, where it is not a path.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a folder, not a picture, cut short, larger than Pillow's ``Image.MAX_IMAGE_PIXELS`` allows, or numbers on
            another scale.
        TypeError: something else was given.
    """
    found = read_all(given, name)
    if len(found) != 1:
        raise ValueError(f"one picture is needed; {len(found)} were given")
    return found[0]


def read_all(given: object, name: str = "") -> list[Image.Image]:
    """As `read`, of arrays [N, H, W, C] and tensors [N, 3, H, W] too: the pictures one by one."""
    if isinstance(given, (str, os.PathLike)):
        return [_opened(files.find(given, "picture"), name or repr(os.fspath(given)))]
    if isinstance(given, (bytes, bytearray, memoryview)):
        return [_opened(io.BytesIO(given), name or "this file")]
    if isinstance(given, Image.Image):
        return [_plain(given, name or "this picture")]
    if hasattr(given, "detach"):
        return [_of_array(one) for one in _of_tensor(given)]
    if isinstance(given, np.ndarray):
        return [_of_array(one) for one in (given if given.ndim == 4 else given[None])]
    raise TypeError(f"{type(given).__name__} is no picture. {ACCEPTED}")


def encoded(picture: Image.Image | NDArray[np.uint8], kind: str, **options: int) -> bytes:
    """A picture, also uint8 [H, W, 3], as the bytes of a "PNG" (quick) or "JPEG" (of quality 85), or by Pillow's options."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, kind, **{**_QUICK[kind], **options})
    return buffer.getvalue()


def read_mask(given: object) -> Any:
    """A mask of any kind: float32 [H, W] in [0, 1] from a picture (its brightness), a path or an address; arrays as they are,
    but without negative strides; tensors as they are."""
    if isinstance(given, (str, os.PathLike, bytes, Image.Image)):
        return np.asarray(read(given, "this mask").convert("L"), np.float32) / 255
    return given if hasattr(given, "detach") else np.ascontiguousarray(given)


def in_folder(folder: Path) -> list[Path]:
    """The pictures of a folder by their `ENDINGS`, in the order of their names.

    Raises:
        ValueError: there is none.
    """
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.is_file())
    if not found:
        raise ValueError(f"{str(folder)!r} is a folder without pictures; {_FORMATS}")
    return found


def _opened(file: os.PathLike[str] | io.BytesIO, name: str) -> Image.Image:
    try:
        with Image.open(file, formats=_formats(file)) as image:
            image.load()
            return _plain(image, name)
    except UnidentifiedImageError:
        raise ValueError(f"{name} is not an image{_why(file)}; {_FORMATS}") from None
    except _UNREADABLE as error:
        if isinstance(error, ValueError) and name in str(error):
            raise
        raise ValueError(f"{name} cannot be read as a picture: {error or type(error).__name__}") from error


def _formats(file: os.PathLike[str] | io.BytesIO) -> list[str]:
    """Those of Pillow, and what iPhones write where the package for it is there."""
    if _is_heif(file) and importlib.util.find_spec("pillow_heif") is not None:
        importlib.import_module("pillow_heif").register_heif_opener()
    Image.init()
    return [name for name in Image.OPEN if name not in _PROGRAMS]


def _is_heif(file: os.PathLike[str] | io.BytesIO) -> bool:
    head = _head(file)
    return head[4:8] == b"ftyp" and head[8:12] in _HEIF


def _head(file: os.PathLike[str] | io.BytesIO) -> bytes:
    if isinstance(file, io.BytesIO):
        return file.getvalue()[:32]
    with open(file, "rb") as opened:
        return opened.read(32)


def _why(file: os.PathLike[str] | io.BytesIO) -> str:
    """What it is instead, where its first bytes tell."""
    head = _head(file)
    if _is_heif(file):
        return " that Pillow reads: it is HEIC, as iPhones write it. Install pillow-heif, or save it as JPEG"
    if head[4:12] == b"ftypavif":
        return " that this Pillow reads: it is AVIF. Update Pillow to 11.3 or later, or save it as JPEG"
    if head.startswith((b"%!PS", b"%PDF", b"\xc5\xd0\xd3\xc6")):
        return ": it is PostScript or PDF, which are programs. Save it as PNG"
    if head.lstrip()[:1] == b"<":
        return ": it is a page or a drawing in text, such as HTML or SVG"
    return ""


def _upright(image: Image.Image) -> Image.Image:
    """Turned as the camera says; what is said in a damaged way is not heard."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of Pillow, on such notes
        try:
            return ImageOps.exif_transpose(image) or image
        except _UNREADABLE:
            return image


def _plain(image: Image.Image, name: str) -> Image.Image:
    """Upright and RGB."""
    image = _upright(image)
    if image.mode.startswith(("I", "F")):  # more than 8 bits, which Pillow would cut off and not scale
        numbers = np.asarray(image)
        if numbers.dtype.kind == "i" and numbers.min() >= 0 and numbers.max() <= 65535:
            numbers = numbers.astype(np.uint16)  # what older versions of Pillow make of 16 bits
        return _of_array(numbers, name)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        whole = image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode)).convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", whole.size, BACKGROUND), whole).convert("RGB")
    return image.convert("RGB")


def _of_array(array: NDArray[Any], name: str = "this array") -> Image.Image:
    """One of [H, W] or [H, W, 1 … 4]."""
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 2, 3, 4)) or not array.size:
        raise ValueError(f"an array of a picture has no shape {list(array.shape)}. {ACCEPTED}")
    array = np.ascontiguousarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array)
    return _plain(Image.fromarray(_eight_bits(array, name)), name)


def _eight_bits(array: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array
    if array.dtype == bool:
        return array.astype(np.uint8) * 255
    if array.dtype.kind != "f" and array.dtype.str[1:] != "u2":
        raise ValueError(f"{name} is {array.dtype}. {ACCEPTED}")
    low, high, top = array.min(), array.max(), 1.0 if array.dtype.kind == "f" else 65535.0
    if not (low >= 0 and high <= top):  # not a number is neither
        raise ValueError(
            f"{name} has values from {low:g} to {high:g}; of {array.dtype} they are taken from 0 to {top:g}. "
            "Scale it to that, or give uint8"
        )
    return np.rint(array * (255.0 / top)).astype(np.uint8)


def _of_tensor(tensor: Any) -> NDArray[np.uint8]:
    """[N, H, W, 3] of torch's [3, H, W] or [N, 3, H, W]."""
    if tensor.ndim not in (3, 4) or tensor.shape[-3] not in (1, 3) or not tensor.numel():
        raise ValueError(f"a tensor of a picture has no shape {list(tensor.shape)}. {ACCEPTED}")
    whole = (tensor[None] if tensor.ndim == 3 else tensor).detach().cpu()
    if not whole.is_floating_point():
        if str(whole.dtype) != "torch.uint8":
            raise ValueError(f"a tensor of a picture is no {whole.dtype}. {ACCEPTED}")
        return np.ascontiguousarray(whole.numpy().transpose(0, 2, 3, 1))
    array = whole.float().numpy().transpose(0, 2, 3, 1)
    check_scale(array)
    bytes_: NDArray[np.uint8] = np.clip(array * 127.5 + 128, 0, 255).astype(np.uint8)
    return bytes_


def check_scale(values: Any) -> None:
    """ValueError unless the numbers of an array or tensor are finite and, but for what a generator overshoots, in [-1, 1]."""
    low, high = float(values.min()), float(values.max())
    if not (low >= -1 - _NEAR and high <= 1 + _NEAR):  # not a number is neither
        raise ValueError(f"a tensor of pictures holds finite values in [-1, 1]; {low:g} to {high:g} was given")
