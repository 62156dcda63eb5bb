"""What a client and a server say to each other, version 1: JSON, picture bytes and safetensors. Nothing is ever unpickled.

A live socket (subprotocol `SUBPROTOCOL`) carries texts, which are JSON objects, and frames, which are binary: four bytes of
length (big-endian), a header of JSON, and the bytes of the picture. Large arrays of a latent, directions above all, cross once,
under their hash:

    client  {"hello": {"version", "token", "client", "model"}}         the first text; the token never stands in an address
    server  {"hello": {"version", "name", "weights", "device"}}        weights: the fingerprint of what draws here
    client  {"define": sha256, "array": …}                             before the first latent that refers to it
    client  {"n": 7, "latent": …, "rung": [side, format, quality, name], "on": sha256}     "on": see below; mostly left out
    server  frame {"n", "mime", "w", "h", "rung", "render_ms", "encode_ms"} + bytes        it answers all requests up to n
    server  {"error": {"n", "code", "message"}}                        n: null where it is about no request
    server  {"going": seconds}  {"busy": seconds}                      goes down; the token has used up its share for so long
    client  {"start": spec, "job": name}  {"pause": name}  {"resume": name}  {"stop": name}
    server  {"job": name, "status", "progress": {"done", "total", "words", "terms", "indivisible"}}
    server  frame {"job": name, "done", "mime", "w", "h", "latent"} + bytes                its state now and then; latent or null;
                                                                       of a drag also "points": where its handles are
    server  {"job": name, "status", "result": sha256, "kind", "suffix", "bytes"}           it rests: done, stopped or paused, with
                                                                       what it has found so far; null: nothing yet
    server  {"job": name, "status": "failed", "error": {"code", "message"}}

`status` is that of a `jobs.Run`. "client" is a name that a client makes up, 16 to 64 of A-Z a-z 0-9 - _, and keeps when it
connects again: under it lie its results, which live until it has been away for ten minutes or newer ones need the room.
A result with weights or noise of its own draws where a request says "on": its hash, with ":1" for the second of its pictures.
Jobs go on while their client is away; after its next hello it hears of each that it has, as if it had just changed.

Calls bear the token in `Authorization: Bearer …` and may name their client in `X-Client`. Errors are {"error": {"code",
"message"}} with the status of the code.

    GET  /v1/health                       {"ok", "version", "name", "device", "queue"}; 503 while it goes down or is broken
    GET  /v1/models                       {"models": [name, …]}, the first is the default
    GET  /v1/models/M                     what it is, as `remote.about.About.to_dict`: sizes, layers, fingerprint, capabilities
    GET  /v1/models/M/directions          its directions as the file of a `DirectionSet`
    POST /v1/models/M/render              {"latent", "format": "png" or "jpeg", "on"} → the picture
    POST /v1/models/M/images              {"latents", "resolution", "on"} → "images" uint8 [N, h, w, 3]
    POST /v1/models/M/map                 {"latents", "on"} → "w" [N, num_ws, w_dim]
    POST /v1/models/M/styles              {"latents", "on"}, or "w" → "styles" [N, channels of all layers]
    POST /v1/models/M/synthesize          "w" or "styles", with {"noise_mode", "noise_seed", "view", "exact", "max_resolution",
                                          "on"} → "images" float32 [N, C, H, W]
    POST /v1/models/M/cells               {"grid": `MixGrid.to_dict`, "places": [[i, j], …], "resolution", "on"} → "images"
    POST /v1/models/M/labels              "image" uint8 [H, W, 3] → "labels" uint8 [H, W], of the regions in `About.domain`
    POST /v1/models/M/depth, normals      {"latent", "on"} → "image" uint8 [H, W, 3]
    POST /v1/models/M/targets             a picture file, or "image" uint8 or bool (mask, labels) → {"target": name in specs};
                                          or "images" float32 [N, 3, H, W] with "mask" and {"names", "latents"}: a `Target`
    GET  /v1/results/SHA                  what a job made: a file, or a value as `remote.results` packs it (suffix ".safetensors")

Names in quotes without braces are arrays of a safetensors body; its values stand as JSON under `ABOUT` in the metadata. Where a
body is JSON, an array is {"shape", "float32": base64}.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..latent.files import Array, Data, decode, encode
from ..latent.latent import Latent
from ..render.ladder import Rung

VERSION = 1
SUBPROTOCOL = f"stylewidgets.{VERSION}"

LIVE_TEXT = 64 * 2**10
"""Longest text on a live socket, in bytes, but for a definition."""
DEFINITION = 4 * 2**20
"""Longest definition of an array, in bytes of JSON."""
TENSOR_BODY = 64 * 2**20
"""Longest body of a call with tensors, in bytes."""
UPLOAD = 8 * 2**20
"""Longest file of a target, in bytes."""
MOST_LATENTS = 64
"""Latents of one call."""
ABOUT = "stylewidgets"
"""The entry in the metadata of a safetensors body under which its plain values stand as JSON."""
TENSORS = "application/safetensors"
INLINE = 256
"""Arrays of at most this many numbers go with the latent; larger ones go ahead of it, once."""

Send = Callable[[str], object]


class RemoteError(RuntimeError):
    """What the other side refused or could not do.

    Attributes:
        code: as of HTTP: 401 no valid token, 404, 413 too large, 422 not acceptable, 426 another version, 429 too many, 500 …
        after: seconds after which to try again, 0 where that would not help.
    """

    def __init__(self, message: str, code: int = 500, after: float = 0.0) -> None:
        super().__init__(message)
        self.code, self.after = code, after


def text(message: Mapping[str, object]) -> str:
    """One line of JSON. Numbers that are not finite are refused (ValueError)."""
    return json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def parsed(line: str | bytes, limit: int = LIVE_TEXT) -> dict[str, Any]:
    """The object that a text holds. `RemoteError` 413 where it is longer than `limit` bytes, 422 where it is no JSON object."""
    size = len(line.encode() if isinstance(line, str) else line)
    if size > limit:
        raise RemoteError(f"a message may have {limit:,} bytes; this one has {size:,}", 413)
    try:
        message = json.loads(line, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise RemoteError(f"a message must be a JSON object; it cannot be read ({error})", 422) from None
    if not isinstance(message, dict):
        raise RemoteError(f"a message must be a JSON object; {type(message).__name__} was given", 422)
    return message


def packed(header: Mapping[str, object], data: bytes) -> bytes:
    """A frame: the length of the header, the header, the bytes."""
    about = text(header).encode()
    return struct.pack(">I", len(about)) + about + data


def unpacked(frame: bytes) -> tuple[dict[str, Any], bytes]:
    """The inverse of `packed`. `RemoteError` 422 for anything else."""
    if len(frame) < 4:
        raise RemoteError(f"a frame has at least 4 bytes; {len(frame)} came", 422)
    (length,) = struct.unpack_from(">I", frame)
    if length > min(LIVE_TEXT, len(frame) - 4):
        raise RemoteError(f"a frame of {len(frame)} bytes cannot have a header of {length}", 422)
    return parsed(frame[4 : 4 + length]), frame[4 + length :]


def rung_of(data: object) -> Rung:
    """The rung that a list describes. `RemoteError` 422 for anything else."""
    match data:
        case [None | int() as side, "png" | "jpeg" as form, int() as quality, str() as name]:
            whole = not isinstance(side, bool) and not isinstance(quality, bool)
            if whole and (side is None or 16 <= side <= 4096) and 1 <= quality <= 100 and len(name) <= 16:
                return Rung(side, form, quality, name)
    raise RemoteError(
        "a rung is [longest side from 16 to 4096 or null, 'png' or 'jpeg', quality from 1 to 100, name]; "
        f"{str(data)[:80]} was given",
        422,
    )


def digest(array: Array) -> str:
    """sha256 of an array: of its shape and its little-endian float32 numbers."""
    found = np.ascontiguousarray(array, dtype="<f4")
    return hashlib.sha256(repr(found.shape).encode() + found.tobytes()).hexdigest()


class Outgoing:
    """Describes latents for the other side of one connection, and sends what they refer to ahead of them, once.

    Args:
        send: sends a text, in the order of the calls.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._told: set[str] = set()

    def latent(self, latent: Latent) -> Data:
        """What stands for the latent in a message. Sends the definitions that it needs."""
        return latent.describe(self._put)

    def _put(self, array: Array) -> object:
        if array.size <= INLINE:
            return encode(array)
        name = digest(array)
        if name not in self._told:
            self._send(text({"define": name, "array": encode(array)}))
            self._told.add(name)
        return {"ref": name}


class Incoming:
    """Arrays that one client defined, and the latents that refer to them. At most `capacity` bytes; the oldest go first.

    A client that refers to an array that has gone is told so, by code 424, and defines it again.
    """

    def __init__(self, capacity: int = 32 * 2**20) -> None:
        self._capacity = capacity
        self._arrays: dict[str, Array] = {}

    @property
    def nbytes(self) -> int:
        """What is held."""
        return sum(array.nbytes for array in self._arrays.values())

    def define(self, message: Mapping[str, object]) -> None:
        """Keep the array of a definition. `RemoteError` 422 where it is damaged, not finite, or not what its hash says."""
        try:
            array = np.array(decode(message.get("array")))
        except ValueError as error:
            raise RemoteError(str(error), 422) from None
        name = message.get("define")
        if not isinstance(name, str) or digest(array) != name:
            raise RemoteError("an array does not have the hash that it was defined under", 422)
        if not np.isfinite(array).all():
            raise RemoteError("an array has numbers that are not finite", 422)
        if array.nbytes > self._capacity:
            raise RemoteError(f"an array may have {self._capacity:,} bytes; this one has {array.nbytes:,}", 413)
        self._arrays.pop(name, None)
        self._arrays[name] = array
        while self.nbytes > self._capacity:
            self._arrays.pop(next(iter(self._arrays)))

    def latent(self, data: object) -> Latent:
        """The latent of a description. `RemoteError` 422 where it cannot be read, 424 where it refers to what is not there."""
        try:
            return Latent.build(data, self._get)
        except RecursionError:
            raise RemoteError("no latent is nested so deep", 422) from None
        except (ValueError, TypeError) as error:
            raise RemoteError(f"the latent cannot be read: {error}", 422) from None

    def _get(self, data: object) -> Array:
        if isinstance(data, dict) and set(data) == {"ref"}:
            name = data["ref"]
            if not isinstance(name, str) or name not in self._arrays:
                raise RemoteError(f"no array was defined under {str(name)[:64]}", 424)
            array = self._arrays.pop(name)  # what was used last goes last
            self._arrays[name] = array
            return array
        array = decode(data)
        if not np.isfinite(array).all():
            raise ValueError("an array has numbers that are not finite")
        return array


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")
