"""What a plan is made of: shards of plain JSON, and the functions that may make their results."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from ...core.checks import check_int, unknown_name

Shard = Mapping[str, Any]
"""A part of the work as plain JSON: what it is made of, such as {"seed": 0, "k": 3, "n": 500}.

"name" names its file; without it the file is called by its place in the plan. What stands under "where" says where things lie
(the path of a model, of a picture): it is no part of what the result is, and may change between two runs.
"""
WHERE, NAME = "where", "name"
_NAMED = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_RESERVED = ("job", "machine")


@dataclass(frozen=True)
class Made:
    """The result of a shard.

    Attributes:
        arrays: of numpy, by name.
        about: further descriptions, key → plain JSON, for files that are of a kind of their own at the same time.
        machine: what it was made on, such as "x86_64 AVX512"; told by the file, and no reason to make it again.
    """

    arrays: Mapping[str, Any]
    about: Mapping[str, object] = field(default_factory=dict)
    machine: str = ""


Maker = Callable[[Shard, Path], Made]
"""maker(shard, folder of the plan) → its result. Equal shards give equal bits on one type of machine."""
_MAKERS: dict[str, Maker] = {}


def sharded(maker: Maker) -> Maker:
    """Register a function of a module as one that makes shards, under "package.module:name".

    Only these are ever called by `bulk`, in this process or another.
    """
    if "." in maker.__qualname__:
        raise ValueError(
            f"{maker.__qualname__} is no function of a module, so that no other process can find it: "
            "define it at the top of a module"
        )
    _MAKERS[f"{maker.__module__}:{maker.__name__}"] = maker
    return maker


def maker_of(name: str, *, trusted: bool = False) -> Maker:
    """The function with a name. Modules of this package are imported for it; others only where `trusted`.

    Args:
        name: "package.module:name".
        trusted: the name comes from the process that started this one, which has checked it.

    Raises:
        ValueError: no such function is registered.
    """
    module = name.partition(":")[0] if isinstance(name, str) else ""
    if name not in _MAKERS and (trusted or module.startswith("stylewidgets.")):
        try:
            import_module(module)
        except ModuleNotFoundError as error:
            if trusted:  # on the other machine it is missing, and that is worth its own words
                raise ModuleNotFoundError(
                    f"{error}: the module of {name!r} has to be installed here as well"
                ) from error
    if name not in _MAKERS:
        raise ValueError(
            f"{unknown_name('function for shards', name, _MAKERS)}. Decorate a function of a module with jobs.sharded, and "
            "import that module first; names that no import has made known are refused"
        )
    return _MAKERS[name]


def shards(n: int, count: int, *, seed: int = 0, **common: Any) -> list[Shard]:
    """n samples as `count` shards of sizes that differ by one at most: {"seed", "k", "n", "first", **common}.

    Args:
        n: samples in all.
        count: of shards. Shard k draws from a stream of its own (`stream`), so another count draws other samples.
        seed: of all of them.
        common: further values of each.
    """
    check_int("n", n, 1)
    check_int("number of shards", count, 1, n)
    sizes = [n // count + (k < n % count) for k in range(count)]
    return [{"seed": seed, "k": k, "n": size, "first": sum(sizes[:k]), **common} for k, size in enumerate(sizes)]


def checked(plan: Iterable[Shard]) -> list[dict[str, Any]]:
    """A plan with the name of each shard; ValueError where one is no plain JSON, or two have one name."""
    try:
        plain: Sequence[Any] = json.loads(json.dumps(list(plan), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(f"shards are plain JSON ({error}): numbers, text, lists and dicts") from None
    names: set[str] = set()
    for i, shard in enumerate(plain):
        if not isinstance(shard, dict):
            raise ValueError(f"a shard is a dict such as {{'seed': 0, 'k': 3, 'n': 500}}; {shard!r:.60} was given")  # noqa: TRY004
        name = shard.setdefault(NAME, f"{i:05d}")
        if not isinstance(name, str) or not _NAMED.fullmatch(name) or name.endswith((".failed", ".part")):
            raise ValueError(f"the name of a shard has letters, digits, dot, dash and underscore; {name!r} was given")
        if name in names:
            raise ValueError(f"two shards are called {name!r}; each has a file of its own")
        names.add(name)
        taken = [key for key in _RESERVED if key in shard]
        if taken:
            raise ValueError(f"{taken[0]!r} of a shard is written by the plan itself; call yours otherwise")
    return list(plain)


def header_of(job: str, shard: Shard) -> dict[str, Any]:
    """What the file of a shard says that it is."""
    return {"job": job} | {key: value for key, value in shard.items() if key != WHERE}
