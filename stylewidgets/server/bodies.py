"""What a call brings along: read within limits, and checked before anything is done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.checks import check_int, unknown_name
from ..latent.files import decode
from ..latent.latent import Latent
from ..latent.view import IDENTITY, VIEWS, View
from ..remote.arrays import Arrays, unpack
from ..remote.messages import MOST_LATENTS, TENSOR_BODY, TENSORS, Incoming, RemoteError, parsed

ANSWER = 256 * 2**20
"""Bytes of an answer."""


@dataclass(frozen=True)
class Body:
    """Arrays and plain values of one call, each read once it is asked for."""

    arrays: Arrays
    values: Mapping[str, Any]

    @classmethod
    def read(cls, data: bytes, kind: str) -> Body:
        """Of bytes with their media type. `RemoteError` 413, 415 or 422 for what is not accepted."""
        if kind == TENSORS:
            return cls(*unpack(data))
        if kind != "application/json":
            raise RemoteError(f"a body is application/json or {TENSORS}; {kind[:80]!r} was given", 415)
        values = parsed(data, TENSOR_BODY)
        arrays = {}
        for name in [name for name, value in values.items() if isinstance(value, dict) and "float32" in value]:
            try:
                arrays[name] = decode(values.pop(name))
            except ValueError as error:
                raise RemoteError(f"{name[:40]}: {error}", 422) from None
            if not np.isfinite(arrays[name]).all():
                raise RemoteError(f"{name[:40]!r} has numbers that are not finite", 422)
        return cls(arrays, values)

    def only(self, *names: str) -> Body:
        """Itself. `RemoteError` 422 where it holds something that is not one of these."""
        for name in (*self.arrays, *self.values):
            if name not in names:
                raise RemoteError(str(unknown_name("part of this call", name[:80], names)), 422)
        return self

    def latents(self) -> list[Latent]:
        """Those of "latents", one at least."""
        given = self.values.get("latents")
        if not isinstance(given, list) or not given:
            raise RemoteError("'latents' is a list of one latent at least", 422)
        if len(given) > MOST_LATENTS:
            raise RemoteError(f"a call may have {MOST_LATENTS} latents; this one has {len(given)}", 413)
        reader = Incoming()
        return [reader.latent(one) for one in given]

    def latent(self) -> Latent:
        """That of "latent"."""
        return Incoming().latent(self.values.get("latent"))

    @property
    def on(self) -> str:
        """The result that it is about, "" for none."""
        return self.text("on", "")

    def text(self, name: str, default: str, choices: Sequence[str] = ()) -> str:
        """A text, of some."""
        given = self.values.get(name, default)
        if not isinstance(given, str) or len(given) > 200:
            raise RemoteError(f"{name!r} is a text; {str(given)[:60]!r} was given", 422)
        if choices and given not in choices:
            raise RemoteError(str(unknown_name(name, given, choices)), 422)
        return given

    def whole(self, name: str, default: int | None, low: int, high: int) -> int | None:
        """A whole number in this range, or null where that is the default."""
        given = self.values.get(name, default)
        if given is None and default is None:
            return None
        try:
            return check_int(name, given, low, high)
        except (ValueError, TypeError) as error:
            raise RemoteError(str(error), 422) from None

    def flag(self, name: str) -> bool:
        """true or false; false where it is left out."""
        given = self.values.get(name, False)
        if not isinstance(given, bool):
            raise RemoteError(f"{name!r} is true or false; {str(given)[:60]!r} was given", 422)
        return given

    def view(self) -> View:
        """That of "view": {kind: values}."""
        given = self.values.get("view")
        if given is None:
            return IDENTITY
        if not isinstance(given, dict) or len(given) != 1 or not set(given) <= set(VIEWS):
            raise RemoteError(f"a view is {{kind: values}} of a kind of {', '.join(VIEWS)}", 422)
        ((kind, values),) = given.items()
        try:
            return VIEWS[kind].from_dict(values)
        except (ValueError, TypeError) as error:
            raise RemoteError(str(error), 422) from None

    def array(self, name: str, dtype: str, *shapes: tuple[int, ...]) -> NDArray[Any] | None:
        """An array of one of these shapes after its first axis, which counts pictures; None where there is none."""
        found = self.arrays.get(name)
        if found is None:
            return None
        accepted = " or ".join(f"[N, {', '.join(map(str, shape))}]" for shape in shapes)
        if str(found.dtype) != dtype or found.shape[1:] not in shapes or not found.shape[:1] or not len(found):
            raise RemoteError(f"{name!r} is {dtype} {accepted}; {found.dtype} {list(found.shape)} was given", 422)
        if len(found) > MOST_LATENTS:
            raise RemoteError(f"a call may have {MOST_LATENTS} codes; this one has {len(found)}", 413)
        return found


def check_answer(numbers: int, size: int) -> None:
    """`RemoteError` 413 where an answer would be too large."""
    if numbers * size > ANSWER:
        raise RemoteError(
            f"an answer may have {ANSWER:,} bytes; this one would have {numbers * size:,}. Ask for fewer at a time", 413
        )
