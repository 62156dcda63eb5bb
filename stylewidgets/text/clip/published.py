"""The published CLIP networks by name: their files on this machine, and their download."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from ...checkpoints.zoo.download import Tell, download, with_bar
from ...core.checks import unknown_name
from ...core.files import as_path, cache_folder
from ...jobs import Run
from .reading import LICENCE

_BASE = "https://openaipublic.azureedge.net/clip/models"
CITATION = "Radford et al., “Learning transferable visual models from natural language supervision”, ICML 2021"
_log = logging.getLogger("stylewidgets")
_said: set[str] = set()


@dataclass(frozen=True)
class Published:
    """One network.

    Attributes:
        name: as OpenAI has it.
        file: of OpenAI's archive.
        sha256: of that file.
        folder: of Hugging Face's cache.
    """

    name: str
    file: str
    sha256: str
    folder: str

    @property
    def url(self) -> str:
        """Of the archive. ``$STYLEWIDGETS_ZOO`` replaces the publisher's server, as for checkpoints of the zoo."""
        mirror = os.environ.get("STYLEWIDGETS_ZOO")
        return f"{mirror.rstrip('/')}/{self.file}" if mirror else f"{_BASE}/{self.sha256}/{self.file}"

    @property
    def target(self) -> Path:
        """Where our download of it is, or would be."""
        return cache_folder() / "clip" / self.file


PUBLISHED = (
    Published(
        "ViT-B/32", "ViT-B-32.pt", "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
        "models--openai--clip-vit-base-patch32",
    ),
    Published(
        "ViT-B/16", "ViT-B-16.pt", "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f",
        "models--openai--clip-vit-base-patch16",
    ),
    Published(
        "ViT-L/14", "ViT-L-14.pt", "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836",
        "models--openai--clip-vit-large-patch14",
    ),
    Published(
        "ViT-L/14@336px", "ViT-L-14-336px.pt", "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02",
        "models--openai--clip-vit-large-patch14-336",
    ),
)  # fmt: skip
"""The ones with a vision transformer, the smallest first. StyleCLIP uses the first."""


def names() -> list[str]:
    """What `get` takes."""
    return [one.name for one in PUBLISHED]


def get(name: str) -> Published:
    """One by name. ValueError with the nearest name."""
    for one in PUBLISHED:
        if name == one.name:
            return one
    raise unknown_name("published text encoder", name, names())


def here(one: Published) -> Path | None:
    """Its file on this machine: our own download, else that of the package clip, of torch, or of Hugging Face; else None."""
    home = Path.home() / ".cache"
    torch_home = as_path(os.environ.get("TORCH_HOME") or home / "torch")
    hub = os.environ.get("HF_HUB_CACHE") or as_path(os.environ.get("HF_HOME") or home / "huggingface") / "hub"
    places = [one.target, home / "clip" / one.file, torch_home / "hub" / "checkpoints" / one.file]
    places += sorted((as_path(hub) / one.folder / "snapshots").glob("*/model.safetensors"))
    return next((place for place in places if place.is_file()), None)


def fetch(name: str, *, progress: Tell | bool = True) -> Path:
    """The file of a network, downloaded at the first time. Its licence is logged once per process.

    Args:
        progress: True shows a bar, False nothing; or a function that is called with (bytes so far, bytes in all or None).

    Raises:
        ValueError: no such name.
        DownloadError: it cannot be fetched; the text says where to put the file by hand.
    """
    one = get(name)
    if name not in _said:
        _said.add(name)
        _log.warning("CLIP %s: %s. Cite: %s", name, LICENCE, CITATION)
    return here(one) or with_bar(one.url, one.target, progress, sha256=one.sha256)


def start_download(name: str) -> Run[Path]:
    """The download as a run, for a panel: nothing is done yet. Its progress is in bytes."""
    one = get(name)
    one.target.parent.mkdir(parents=True, exist_ok=True)
    return download.start(one.url, one.target, sha256=one.sha256)
