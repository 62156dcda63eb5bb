"""RemoteSession: a generator on another machine, with what widgets use of a `GeneratorSession`."""

from __future__ import annotations

import copy
import hashlib
import io
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..core.checks import check_finite, check_int
from ..core.pixels import Pixels, fit
from ..core.values import as_numpy
from ..directions import DirectionSet
from ..domain import Domain, Reader
from ..latent.latent import IDENTITY, Code, Latent, Transform
from ..latent.meeting import meeting
from ..latent.view import View
from ..session.checks import check_latent, label_vector
from .about import About
from .arrays import Arrays
from .calls import Calls
from .grid import RemoteGridRenderer
from .live import RemoteLive
from .machines import RemoteEditors
from .messages import MOST_LATENTS, VERSION, RemoteError
from .socket import Socket
from .target import RemoteTarget
from .work import RemoteRun, Works

if TYPE_CHECKING:
    from ..generators.protocol import Layer

Floats = NDArray[np.float32]
AT_ONCE = 16
"""Pictures of one call: more of them would keep others waiting for long."""
_FACTS = (
    "name weights precision origin metadata resolution picture_size img_channels num_ws w_dim z_dim c_dim layers noise_shapes "
    "has_inner_pictures has_scene camera_range field_of_view needs_source view_kind"
)


class Elsewhere(str):
    """A device on another machine, "cpu at host:8000"."""

    __slots__ = ()
    type = "remote"


class RemoteSession:
    """What `connect` returns. Numpy arrays stand in for tensors, with the same bits; nothing is differentiable.

    `render`, `image`, `images`, `map`, `styles`, `synthesize` and their like wait for the server, at most `deadline` seconds;
    live pictures and long work (`start`) do not.

    Args:
        calls: to the server.
        model: name of the generator there.
        about: what the server says of it.

    Attributes:
        host: address and port, for messages.
        address: what `connect` was given.
        about: all that is known of the generator.
        deadline: seconds that a call may take.
        on: the result of an inversion that it draws as fitted, "" for none.
        source: None: nothing here made it.
    """

    if TYPE_CHECKING:
        name: str
        weights: str
        precision: str
        origin: str
        metadata: Mapping[str, Any]
        resolution: int
        picture_size: tuple[int, int]
        img_channels: int
        num_ws: int
        w_dim: int
        z_dim: int
        c_dim: int
        layers: tuple[Layer, ...]
        noise_shapes: tuple[tuple[int, int], ...]
        has_inner_pictures: bool
        has_scene: bool
        camera_range: Mapping[str, tuple[float, float]]
        field_of_view: float
        needs_source: bool
        view_kind: type[View] | None

    source: str | None = None
    half = drag_half = None

    def __init__(self, calls: Calls, model: str, about: About) -> None:
        self.calls, self.model, self.about, self.on = calls, model, about, ""
        self.host, self.address, self.deadline = calls.host, calls.url, calls.deadline
        self.device = Elsewhere(f"{about.device} at {calls.host}")
        self.editors = RemoteEditors(calls.host)
        self.lock = threading.RLock()
        self._offered: DirectionSet | None = None
        self._fitted: dict[str, str] = {}
        self._works = Works(self)

    def __getattr__(self, name: str) -> Any:
        if name in _FACTS.split():
            return getattr(self.about, name)
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(
            f"a session on another machine has no {name!r}: what needs the generator itself, its gradients or its features is "
            f"done where it is, by sw.load on {self.host}, or as work by session.start(spec)"
        )

    def __repr__(self) -> str:
        return f"RemoteSession({self.name or 'generator'}, {self.resolution} px, {self.device})"

    # -- what it is ----------------------------------------------------------------------------------------------------
    @property
    def can_transform(self) -> bool:
        """Whether latents may have a `Transform` here (StyleGAN3)."""
        return self.view_kind is Transform

    @property
    def w_avg(self) -> Floats:
        """Mean of w, [w_dim]."""
        return np.asarray(self.map(self.latent(psi=0.0))[0, 0])

    def fingerprint(self, part: str = "all") -> str:
        """What tells the weights from others."""
        if part != "all":
            raise RemoteError(f"the server tells no fingerprint of the {part} alone", 501)
        return self.about.weights

    @property
    def directions(self) -> DirectionSet:
        """The directions that came with the weights, and those of `offer`."""
        return self._brought if self._offered is None else self._brought.merge(self._offered, replace=True)

    @cached_property
    def _brought(self) -> DirectionSet:
        data = self.calls.data(f"{self._path}/directions")
        with tempfile.TemporaryDirectory(prefix="stylewidgets-") as folder:
            path = Path(folder) / "directions.safetensors"
            path.write_bytes(data)
            return DirectionSet.load(path)

    def offer(self, directions: DirectionSet) -> None:
        """Put more directions into `directions`, in place of those of the same name. They stay on this machine."""
        self._offered = directions if self._offered is None else self._offered.merge(directions, replace=True)

    # -- latents -------------------------------------------------------------------------------------------------------
    def latent(self, **values: object) -> Latent:
        """See `GeneratorSession.latent`."""
        if isinstance(label := values.get("label"), Mapping):
            values["label"] = label_vector(self.c_dim, label)
        latent = Latent().replace(**values)
        if self.c_dim and latent.label is None:
            latent = latent.replace(label=0)
        if latent.source is None and self.needs_source:
            latent = latent.replace(source=self.about.first_source)
        return self.check(latent)

    def check(self, latent: Latent) -> Latent:
        """Return `latent` if this generator can draw it; else ValueError with what was given and what is accepted."""
        return check_latent(self.about, latent)  # type: ignore[arg-type]  # it has all that the check reads

    def interpolate(self, a: Latent, b: Latent, t: float) -> Latent:
        """See `GeneratorSession.interpolate`."""
        t = check_finite("t", t)
        if t in (0.0, 1.0):
            return self.check(a if t == 0.0 else b)
        in_s = a.in_s or b.in_s
        left, right = (self.flat_styles(x)[0] if in_s else self.map(x)[0] for x in (a, b))
        share = np.float32(t)
        between = left + share * (right - left) if t < 0.5 else right - (right - left) * (np.float32(1) - share)
        return meeting(a, b, t, Code("s" if in_s else "w+", between))

    # -- codes and arrays ------------------------------------------------------------------------------------------------
    def map(self, latent: Latent) -> Floats:
        """w+ of a latent, float32 [1, num_ws, w_dim]."""
        if latent.code is not None and latent.code.space == "s":
            raise ValueError("a code in s has no w; use session.code_styles(latent)")
        return self._ask("map", {"latents": [self.check(latent).to_dict()]})["w"]

    def flat_styles(self, latent: Latent) -> Floats:
        """Styles of a latent, edited, [1, sum of channels]."""
        return self._ask("styles", {"latents": [self.check(latent).to_dict()]})["styles"]

    def code_styles(self, latent: Latent) -> list[Floats]:
        """Styles of a latent, one [1, C_l] per layer."""
        return self._split(self.flat_styles(latent))

    def styles(self, w: object) -> list[Floats]:
        """w+ [N, num_ws, w_dim] or w [N, w_dim] → one style [N, C_l] per layer."""
        return self._split(self._ask("styles", {}, {"w": _float32(w)})["styles"])

    def synthesize(
        self,
        x: object,
        *,
        noise_mode: str = "const",
        noise_seed: int = 0,
        transform: View = IDENTITY,
        exact: bool = False,
        max_resolution: int | None = None,
    ) -> Floats:
        """Pictures [N, C, H, W], float32 and about [-1, 1], of w, w+ or a list of styles."""
        values: dict[str, object] = {"noise_mode": noise_mode, "noise_seed": noise_seed, "exact": exact}
        values |= {} if max_resolution is None else {"max_resolution": max_resolution}
        values |= {} if transform == IDENTITY else {"view": {transform.kind: transform.to_dict()}}
        listed = isinstance(x, (list, tuple))
        given = np.concatenate([_float32(each) for each in x], axis=1) if listed else _float32(x)  # type: ignore[attr-defined]
        return self._ask("synthesize", values, {"styles" if listed else "w": given})["images"]

    # -- pictures --------------------------------------------------------------------------------------------------------
    def image(self, latent: Latent) -> Pixels:
        """The picture as uint8 [H, W, 3] in the generator's full size."""
        return np.array(self.render(latent))

    def render(self, latent: Latent) -> Image.Image:
        """The picture as a PIL image in the generator's full size."""
        data = self.calls.data(f"{self._path}/render", self._values({"latent": self.check(latent).to_dict()}))
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            drawn: Image.Image = image.convert("RGB")
            return drawn

    def images(self, latents: Sequence[Latent], resolution: int | None = None) -> Pixels:
        """Many pictures, uint8 [N, h, w, 3]; see `GeneratorSession.images`."""
        given = [self.check(latent).to_dict() for latent in latents]
        if not given:
            return np.zeros((0, *fit(np.zeros((*self.picture_size, 3), np.uint8), resolution).shape), np.uint8)
        values = self._sized(resolution)
        size = min(MOST_LATENTS, AT_ONCE)
        parts = [
            self._ask("images", {"latents": given[k : k + size], **values})["images"]
            for k in range(0, len(given), size)
        ]
        return np.concatenate(parts)

    def depth_picture(self, latent: Latent, size: int | None = None) -> Pixels:
        """The depth of a scene as grey, uint8 [H, W, 3]."""
        return self._ask("depth", {"latent": self.check(latent).to_dict()})["image"]

    def normals(self, latent: Latent, size: int | None = None) -> Pixels:
        """The normals of a scene as a picture, uint8 [H, W, 3]."""
        return self._ask("normals", {"latent": self.check(latent).to_dict()})["image"]

    def live(self) -> RemoteLive:
        """What draws the frames of one live picture."""
        return RemoteLive(self)

    def grid_renderer(self) -> RemoteGridRenderer:
        """What draws the cells of grids."""
        return RemoteGridRenderer(self)

    # -- long work -------------------------------------------------------------------------------------------------------
    def put(self, picture: object) -> str:
        """Make a picture known to specs, and return its name there; see `GeneratorSession.put`."""
        if isinstance(picture, RemoteTarget):
            values, arrays = picture.upload()
        else:
            array = np.ascontiguousarray(picture)
            if array.dtype not in (np.uint8, np.bool_) or not 2 <= array.ndim <= 4 or not array.size:
                raise ValueError(f"a picture is a uint8 array [H, W, 3]; {array.dtype} {list(array.shape)} was given")
            values, arrays = {}, {"image": array}
        return str(self.calls_for(values, arrays)["target"])

    def calls_for(self, values: Mapping[str, object], arrays: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to an upload."""
        return self.calls.json(f"{self._path}/targets", values, arrays)

    def start(self, spec: Mapping[str, object]) -> RemoteRun:
        """Start long work there from plain JSON values; see `GeneratorSession.start`."""
        kind = spec.get("kind")
        if self.about.jobs and kind not in self.about.jobs:
            raise ValueError(f"{self.host} does no work of the kind {kind!r}, but {', '.join(self.about.jobs)}")
        return self._works.start(self._values(spec))

    def domain_there(self, known: Domain) -> Domain:
        """What the domain of the pictures can do from here: name what the server reads, and ask it for regions."""
        there = self.about.domain
        names, regions = there.get("reader", ()), there.get("segmenter", ())
        return Domain(
            known.name,
            known.version,
            known.reader_version,
            known.noun,
            known.network,
            reader=(lambda: Reader(names, self._read)) if names else None,
            segmenter=(lambda: RemoteSegmenter(self, regions)) if regions else None,
        )

    def _read(self, pictures: object) -> NoReturn:
        raise RemoteError(f"what reads attributes is on {self.host}: work there does, session.start(spec)", 501)

    def labels(self, picture: Pixels) -> Pixels:
        """Which region each pixel of a picture uint8 [H, W, 3] is of, uint8 [H, W]; see `domain.Segmenter`."""
        return self._ask("labels", {}, {"image": np.ascontiguousarray(picture)})["labels"]

    def target(self, given: object) -> RemoteTarget:
        """What `inversion.Target.of` is here."""
        return RemoteTarget.of(given, self)

    def fitted(self, result: Any, name: str) -> None:
        """Remember where the result of an inversion is that has noise or weights of its own."""
        for i in range(len(result)):
            noise = None if result.noise is None else [layer[i] for layer in result.noise]
            self._fitted[_digest(result.delta or {}, noise)] = f"{name}:{i}"

    def tuned(self, delta: Mapping[str, Any], noise: Sequence[Any] | None = None) -> RemoteSession:
        """A session that draws with what an inversion there has fitted. RemoteError for anything else: weights are not sent."""
        on = self._fitted.get(_digest(delta, noise))
        if on is None:
            raise RemoteError(
                f"this result was not made by {self.host} just now, and weights are not sent there: invert the picture again",
                501,
            )
        made = copy.copy(self)
        made.on = on
        return made

    # -- the connection ----------------------------------------------------------------------------------------------------
    def socket(self, **told: Any) -> Socket:
        """A live socket of this client, opened by its first message."""
        scheme, _, rest = self.calls.url.partition("://")
        hello = {"version": VERSION, "token": self.calls.token, "client": self.calls.client, "model": self.model}
        address = f"{'wss' if scheme == 'https' else 'ws'}://{rest}/v1/{self._path}/live"
        return Socket(address, hello, self.about.weights, self.host, deadline=self.deadline, **told)

    def close(self) -> None:
        """Let the connections go."""
        self._works.close()
        self.calls.close()

    def save(self, path: str | os.PathLike[str]) -> NoReturn:
        """RemoteError: weights stay on the server."""
        raise RemoteError(f"the weights stay on {self.host}", 501)

    # -- inside --------------------------------------------------------------------------------------------------------
    @property
    def _path(self) -> str:
        return f"models/{quote(self.model, safe='')}"

    def _values(self, values: Mapping[str, object]) -> dict[str, object]:
        return {**values, **({"on": self.on} if self.on else {})}

    def _sized(self, resolution: int | None) -> dict[str, object]:
        """What a call says of the longest side; pictures are never made larger than they are."""
        return (
            {} if resolution is None else {"resolution": min(check_int("resolution", resolution, 1), self.resolution)}
        )

    def _ask(self, call: str, values: Mapping[str, object], arrays: Mapping[str, Any] | None = None) -> Arrays:
        return self.calls.arrays(f"{self._path}/{call}", self._values(values), arrays)

    def _split(self, flat: Floats) -> list[Floats]:
        ends = np.cumsum([layer.channels for layer in self.layers])
        return list(np.split(flat, ends[:-1], axis=1))

    def cells(
        self, grid: Mapping[str, object], places: Sequence[tuple[int, int]], resolution: int | None
    ) -> Iterator[Pixels]:
        """Pictures of places of a grid, uint8 [h, w, 3] each."""
        values = {"grid": grid, "places": [list(place) for place in places], **self._sized(resolution)}
        return iter(self._ask("cells", values)["images"])


class RemoteSegmenter:
    """Asks the server which pixel shows what."""

    def __init__(self, session: RemoteSession, names: tuple[str, ...]) -> None:
        self._session, self.names = session, names

    def __call__(self, picture: Pixels, /) -> Pixels:
        """A picture uint8 [H, W, 3] → labels uint8 [H, W]."""
        return self._session.labels(picture)


def _float32(x: object) -> Floats:
    return np.ascontiguousarray(as_numpy(x), np.float32)


def _digest(delta: Mapping[str, Any], noise: Sequence[Any] | None) -> str:
    made = hashlib.sha256()
    for name in sorted(delta):
        made.update(name.encode() + np.ascontiguousarray(delta[name], np.float32).tobytes())
    for layer in noise or ():
        made.update(b"-" if layer is None else np.ascontiguousarray(layer, np.float32).tobytes())
    return made.hexdigest()
