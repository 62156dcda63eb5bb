"""Source texts that public releases embed in their files, by sha256. The text itself is only hashed, never compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

NVIDIA = "NVIDIA Source Code License (non-commercial); the weights may have terms of their own"
MIXED = "code under MIT and NVIDIA Source Code License (non-commercial); the weights may have terms of their own"


@dataclass(frozen=True)
class Release:
    """A published source file.

    Attributes:
        name: repository and file.
        licence: of that repository, a hint about the weights.
    """

    name: str
    licence: str


# the first 16 hexadecimal digits; released files may embed a slightly older text, so unknown means unverified, not bad
RELEASES = {
    "53b4e1ec457171d4": Release("NVlabs/stylegan2-ada-pytorch networks.py", NVIDIA),
    "b6f14e8fa2a95de4": Release("NVlabs/stylegan3 networks_stylegan2.py", NVIDIA),
    "06082fb3e8929e47": Release("NVlabs/stylegan3 networks_stylegan3.py", NVIDIA),
    "bf34881e90f193de": Release("dvschultz/stylegan2-ada-pytorch networks.py", NVIDIA),
    "f287a16d36761da5": Release("PDillis/stylegan3-fun networks_stylegan2.py", NVIDIA),
    "c57e41b21eebd4b2": Release("PDillis/stylegan3-fun networks_stylegan3.py", NVIDIA),
    "d92c7b714bb999b0": Release("XingangPan/DragGAN networks_stylegan2.py", NVIDIA),
    "e26f78fa1f1e8a40": Release("XingangPan/DragGAN networks_stylegan3.py", NVIDIA),
    "195a1901685b4412": Release("autonomousvision/stylegan-xl networks_stylegan2.py", MIXED),
    "7e132418e037656b": Release("autonomousvision/stylegan-xl networks_stylegan3.py", MIXED),
    "9929b15f6a82ecdb": Release("autonomousvision/stylegan-xl networks_stylegan3_resetting.py", MIXED),
    "29238fbe0add6d4b": Release("NVlabs/eg3d networks_stylegan2.py", NVIDIA),
    "8cfd3ad210f060f7": Release("NVlabs/eg3d triplane.py", NVIDIA),
    "b2b4b4bf725b7dc8": Release("NVlabs/eg3d superresolution.py", NVIDIA),
    "883f70772fd27fbe": Release("facebookresearch/StyleNeRF networks.py", NVIDIA),
    "503de267740a7bfa": Release("facebookresearch/StyleNeRF stylenerf.py", NVIDIA),
}


def release(sha256: str) -> Release | None:
    """The release that published this source text, None when it is not known."""
    return RELEASES.get(sha256[:16])


def source_hash(text: str) -> str:
    """sha256 of a source text, line ends and byte order mark normalised; "" for none."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest() if plain else ""


def described(hashes: Iterable[str]) -> list[dict[str, str | None]]:
    """Each hash once, with the release or None, as plain values."""
    return [
        {"sha256": value, "release": found.name if (found := release(value)) else None} for value in sorted(set(hashes))
    ]
