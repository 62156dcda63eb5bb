"""Starting work from plain values: kinds that are registered by name, and specs of plain JSON."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

from ..core.checks import unknown_name
from ..core.lazy import resolve
from .runs import Run

Starter = Callable[..., Run[object]]
_KINDS: dict[str, Starter | str] = {}


def register(kind: str, starter: Starter | str) -> None:
    """Make a kind of work known to `start` and so to `session.start`.

    Args:
        kind: its name in a spec.
        starter: starter(session, **fields) -> Run; its keywords are the fields that a spec of the kind may have. Or
            "module:function", which is imported when it is first asked for.
    """
    _KINDS[kind] = starter


def kinds() -> list[str]:
    """The kinds that are known."""
    return list(_KINDS)


def start(session: object, spec: Mapping[str, object]) -> Run[object]:
    """The run that a spec describes, of which nothing is done yet; see `session.start`."""
    fields = _plain(spec)
    kind = fields.pop("kind", None)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise unknown_name("kind of work", kind, _KINDS)
    starter = _KINDS[kind]
    if isinstance(starter, str):
        starter = resolve(starter)
    assert callable(starter)
    known = check_names(f"field of work of the kind {kind!r}", fields, starter, 1)
    missing = [name for name, field_ in known.items() if field_.default is field_.empty and name not in fields]
    if missing:
        raise ValueError(f"work of the kind {kind!r} needs {', '.join(map(repr, missing))} as well")
    for name, wanted in (("settings", dict), ("statistics", dict), ("latents", list), ("target", str), ("method", str)):
        if not isinstance(fields.get(name), (wanted, type(None))):
            raise ValueError(f"{name} of a spec is a {wanted.__name__}; {fields[name]!r:.60} was given")  # noqa: TRY004  as for all of a spec
    made = starter(session, **fields)
    if made.spec is None:
        made._spec = _plain(spec)
    return made


def check_names(what: str, given: Mapping[str, Any], function: Callable[..., Any], skip: int) -> dict[str, Any]:
    """The parameters of a function by name; ValueError, with the nearest, for a given name that is none of them.

    Args:
        what: the names stand for.
        given: by name.
        function: that they are for.
        skip: so many parameters at the beginning are given otherwise.
    """
    known = dict(list(inspect.signature(function).parameters.items())[skip:])
    for name in given:
        if name not in known:
            raise unknown_name(what, name, known)
    return known


def _plain(spec: object) -> dict[str, Any]:
    """A copy of a spec; ValueError where it is more than plain JSON."""
    try:
        copy = json.loads(json.dumps(spec, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"a spec has plain JSON values only ({error}): latents as latent.to_dict(), pictures by the hash that "
            "session.put returns"
        ) from None
    if not isinstance(copy, dict):
        raise ValueError(f"a spec is a dict such as {{'kind': 'inversion', ...}}; {type(spec).__name__} was given")  # noqa: TRY004
    return copy
