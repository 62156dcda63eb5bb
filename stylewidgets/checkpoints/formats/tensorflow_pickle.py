"""Pickles of the TensorFlow releases: StyleGAN, StyleGAN2 and StyleGAN2-ADA. No TensorFlow is needed to read them.

They hold ``(G, D, Gs)``, each a Network: variables, settings, components, and the source text that built it. The original
loader executes that text; here it is hashed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from ..errors import CheckpointError, reading
from ..loaded import Loaded
from ..pickle.fingerprints import described, source_hash
from ..pickle.plain import plain
from ..pickle.records import Stub
from ..pickle.tensors import check_shared, check_size
from ..pickle.unpickler import unpickle

FORMAT = "tensorflow pickle"
MAX_DEPTH, MAX_NETWORKS = 4, 32
AVERAGED = ("Gs", "G_ema", "Gs_network")
LICENCES = {
    "stylegan1": "CC BY-NC 4.0 (non-commercial), as the official StyleGAN release; others set their own terms",
    "stylegan2": "NVIDIA Source Code License (non-commercial), as the official releases; others set their own terms",
}
EVIDENCE = {  # a variable that only this family has; its first scope is 4x4, or such as 4x2 where pictures are not square
    "stylegan1": re.compile(r"synthesis/\d+x\d+/Const/StyleMod/weight"),
    "stylegan2": re.compile(r"synthesis/\d+x\d+/Conv/mod_weight"),
}


def read(path: str | Path) -> Loaded:
    """The generator of a file: Gs, its averaged weights, where there are some.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: damaged, hostile, without a generator, or of a kind that cannot be drawn.
    """
    with reading(path), open(path, "rb") as file:
        return from_value(unpickle(file))


def from_value(value: object) -> Loaded:
    """As `read`, from the content: a tuple (G, D, Gs), a list or dictionary of networks, or one network.

    Raises:
        CheckpointError: as `read`.
    """
    network = _generator(value)
    state = network.state
    variables: dict[str, NDArray[np.generic]] = {}
    hashes: set[str] = set()
    for prefix, part in _parts(network):
        if isinstance(source := part.state.get("build_module_src"), str) and source:
            hashes.add(source_hash(source))
        variables.update((prefix + name, array) for name, array in _variables(part.state))
    stored = {array.__array_interface__["data"][0]: array.nbytes for array in variables.values()}
    check_shared(sum(array.nbytes for array in variables.values()), sum(stored.values()))
    family = _family(variables, state)
    static = _text_keys(state.get("static_kwargs"))
    config, tensors = _convert(family, variables, static)
    metadata: dict[str, Any] = {
        "format": FORMAT,
        "version": plain(state.get("version")),
        "network": plain(state.get("name")),
        "build_function": plain(state.get("build_func_name")),
        "static_kwargs": plain(static),
        "sources": described(hashes),
        "source_known": False,
        "licence": LICENCES[family],
        "notes": [],
    }
    if state.get("name") == "G":
        metadata["notes"].append("the file has no averaged weights (Gs); those of the last training step are used")
    return Loaded(family, config, tensors, metadata)


# -- networks --------------------------------------------------------------------------------------------------------
def _is_network(value: object) -> TypeGuard[Stub]:
    return isinstance(value, Stub) and value.name.rpartition(".")[2] == "Network" and isinstance(value.state, dict)


def _generator(value: object) -> Stub:
    """The network to use: by its name, else the last one that is no discriminator."""
    items = (
        list(value.values())
        if isinstance(value, Mapping)
        else list(value)
        if isinstance(value, (tuple, list))
        else [value]
    )
    networks = [item for item in items[:MAX_NETWORKS] if _is_network(item)]
    if not networks:
        raise CheckpointError(
            f"its content is a {type(value).__name__} without a network. Give the network snapshot of a training run"
        )
    for name in AVERAGED:
        for network in networks:
            if network.state.get("name") == name:
                return network
    generators = [network for network in networks if not str(network.state.get("name"))[:20].startswith("D")]
    if not generators:
        raise CheckpointError("it holds a discriminator and no generator. Give the network snapshot of a training run")
    return generators[-1]


def _parts(network: Stub) -> Iterator[tuple[str, Stub]]:
    """(prefix of the variable names, network) of a network and its components."""
    todo: list[tuple[str, Stub, int]] = [("", network, 0)]
    count = 0
    while todo:
        prefix, part, depth = todo.pop()
        count += 1
        if depth > MAX_DEPTH or count > MAX_NETWORKS:
            raise CheckpointError("its networks are nested without end. The file is damaged or hostile")
        yield prefix, part
        components = part.state.get("components")
        for name, child in components.items() if isinstance(components, dict) else ():
            if isinstance(name, str) and _is_network(child):
                todo.append((f"{prefix}{name}/", child, depth + 1))


def _variables(state: Mapping[object, Any]) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """(name, value) of a network's own variables."""
    found = state.get("variables", [])
    pairs = list(found.items()) if isinstance(found, dict) else found
    if not isinstance(pairs, list):
        raise CheckpointError("a network's variables are not a list. The file is damaged")
    for pair in pairs:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not isinstance(pair[0], str):
            raise CheckpointError("a network's variables are not pairs of name and value. The file is damaged")
        name, value = pair
        if isinstance(value, (int, float)):
            value = np.float32(value)
        if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.kind not in "biuf":
            raise CheckpointError(
                f"the variable {name[:80]} is a {type(value).__name__}, not numbers. The file is damaged"
            )
        yield name.removesuffix(":0"), np.asarray(value)


def _text_keys(value: object) -> dict[str, Any]:
    return {key: item for key, item in value.items() if isinstance(key, str)} if isinstance(value, dict) else {}


# -- families --------------------------------------------------------------------------------------------------------
def _family(variables: Mapping[str, Any], state: Mapping[object, Any]) -> str:
    for family, pattern in EVIDENCE.items():
        if any(pattern.fullmatch(name) for name in variables):
            return family
    function = str(state.get("build_func_name"))[:40]
    if any(re.search(r"(^|/)\d+x\d+/Dense/weight$", name) for name in variables) and not any(
        "StyleMod" in name for name in variables
    ):
        raise CheckpointError(f"this is a progressive GAN (built by {function}); it has no style space to explore")
    if any(re.match(r"\d+x\d+/", name) for name in variables):
        raise CheckpointError(
            f"this is one part of a generator (built by {function}), without its mapping network. "
            "Give the file that holds Gs"
        )
    raise CheckpointError(
        f"its generator (built by {function}, {len(variables)} variables) is of no known family: "
        "StyleGAN, StyleGAN2 and StyleGAN2-ADA can be read"
    )


def _convert(
    family: str, variables: dict[str, NDArray[np.generic]], static: dict[str, Any]
) -> tuple[object, dict[str, Any]]:
    """(config, tensors under our names)."""
    from ..names import stylegan1 as names_stylegan1
    from ..names import stylegan2 as names_stylegan2

    names = {"stylegan1": names_stylegan1, "stylegan2": names_stylegan2}[family]
    try:
        config, tensors = names.from_tf(variables, static)
        check_size(config)
        return config, dict(tensors)
    except CheckpointError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"it has the variables of a {family}, but {reason or type(error).__name__}") from error
