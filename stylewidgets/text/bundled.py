"""The files of the small dual encoder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from torch import Tensor

from .. import domain
from ..avatars.reading.factor_net import FactorRegressor
from ..avatars.reading.factor_net import bundled as factor_network
from ..core import files
from ..directions import fingerprint
from ..ops.devices import from_file
from .bag import BagPair, Vocabulary
from .encoder import TextEncoder

FORMAT = 1
KIND = "text-encoder"
NAME = "avatars"
PLACE = Path(__file__).resolve().parents[1] / "weights" / "text-avatars.safetensors"
KEY = "stylewidgets"
LICENCE = "MIT, made from the project's own renders"


def read(path: str | Path = PLACE, name: str = NAME) -> TextEncoder:
    """The encoder in a file of `stylewidgets train words`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged or holds something else, or was trained with another factor network.
    """
    pair, _ = read_pair(path)
    net = pair.net
    both = hashlib.sha256(f"{fingerprint(pair)} {fingerprint(net)}".encode()).hexdigest()[:16]
    return TextEncoder(pair, name, both, LICENCE)


@from_file()
def read_pair(path: str | Path) -> tuple[BagPair, dict[str, Any]]:
    """The networks in a file, frozen, and its record of how they were made. Errors as `read`."""
    with files.reading(path, "text encoder", "Accepted are files of `stylewidgets train words --out FILE`") as found:
        meta, state = files.read_arrays(found, KEY, "pt")
        if meta["kind"] != KIND or meta["version"] > FORMAT:
            raise ValueError(f"it holds {meta['kind']!r} of version {meta['version']}")
        domain.get("avatars").check(meta.get("domain"), "it")
        net = _network(meta["network"])
        pair = BagPair(
            Vocabulary(meta["stems"], [tuple(pair.split(" ")) for pair in meta["pairs"]]),
            net,
            meta["facts"],
            meta["dim"],
        )
        pair.load_state_dict({key: value.float() for key, value in state.items()})
    return pair.eval().requires_grad_(False), dict(meta["training"])


def _network(wanted: str) -> FactorRegressor:
    net = factor_network()
    if fingerprint(net) != wanted:
        raise ValueError(
            f"it reads pictures by the factor network {wanted}, and this release has {fingerprint(net)}; train it again"
        )
    return net


def write(pair: BagPair, path: str | Path, training: dict[str, Any]) -> Path:
    """Write the networks to one safetensors file, matrices in fp16, with how they were made."""
    files.as_path(path).parent.mkdir(parents=True, exist_ok=True)
    meta = {
        "kind": KIND,
        "version": FORMAT,
        "domain": domain.get("avatars").stamp(readings=True),
        "network": fingerprint(pair.net),
        "stems": list(pair.vocabulary.stems),
        "pairs": [" ".join(both) for both in pair.vocabulary.together],
        "facts": pair.facts,
        "dim": pair.dim,
        "training": training,
    }
    return files.write_arrays(path, {key: _short(value) for key, value in pair.state_dict().items()}, meta, KEY)


def _short(value: Tensor) -> Tensor:
    return value.half() if value.ndim > 1 else value
