"""What a client knows of a generator that is elsewhere: its sizes, its layers and what can be asked of it, as plain JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from ..generators.protocol import Layer
from ..latent.view import VIEWS, View

if TYPE_CHECKING:
    from ..session.session import GeneratorSession


@dataclass(frozen=True)
class About:
    """One generator, as the server describes it. For checks of latents it stands in for the generator.

    Attributes:
        name, weights, device, precision, origin, metadata: of the session there; weights is its fingerprint.
        family: class of the generator.
        resolution, picture_size, img_channels, num_ws, w_dim, z_dim, c_dim, layers, noise_shapes, has_inner_pictures: as of
            `GeneratorSession`.
        default_psi, default_cutoff, extra, needs_source, first_source: as of `generators.Generator`.
        view: the kind of its views, "" for none.
        has_scene, camera_range, field_of_view: of a generator with a scene.
        at_once: pictures of a grid that take about as long as a page may stand still.
        jobs: kinds of work that can be started there.
        methods: of inversion → why it cannot be used there, "" where it can.
        domain: what the domain of its pictures can do there: "reader" → names of the readings, "segmenter" → names of the
            regions, and so on.
    """

    name: str
    weights: str
    device: str
    precision: str
    origin: str
    metadata: Mapping[str, Any]
    family: str
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
    default_psi: float
    default_cutoff: int | None
    extra: Mapping[str, int]
    needs_source: bool
    first_source: str | None
    view: str
    has_scene: bool
    camera_range: Mapping[str, tuple[float, float]]
    field_of_view: float | None
    at_once: int
    jobs: tuple[str, ...]
    methods: Mapping[str, str] = field(default_factory=dict)
    domain: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def class_name(self) -> str:
        """For messages: that of the generator."""
        return self.family

    @property
    def view_kind(self) -> type[View] | None:
        """The class of its views, None for a generator without."""
        return VIEWS.get(self.view)

    @classmethod
    def of(
        cls,
        session: GeneratorSession,
        *,
        at_once: int = 1,
        jobs: tuple[str, ...] = (),
        methods: Mapping[str, str] | None = None,
        domain: Mapping[str, tuple[str, ...]] | None = None,
    ) -> About:
        """What there is to say of a session here; what rooms above it can do is given."""
        scene = bool(session.has_scene)
        return cls(
            name=session.name,
            weights=session.fingerprint(),
            device=str(session.device),
            precision=session.precision,
            origin=session.origin,
            metadata=_plain(session.metadata),
            **session.plain_facts(),
            resolution=session.resolution,
            picture_size=(session.picture_size[0], session.picture_size[1]),
            img_channels=session.img_channels,
            num_ws=session.num_ws,
            w_dim=session.w_dim,
            z_dim=session.z_dim,
            c_dim=session.c_dim,
            layers=tuple(session.layers),
            noise_shapes=tuple(session.noise_shapes),
            has_inner_pictures=session.has_inner_pictures,
            view="" if session.view_kind is None else session.view_kind.kind,
            has_scene=scene,
            camera_range=dict(session.camera_range) if scene else {},
            field_of_view=session.field_of_view if scene else None,
            at_once=at_once,
            jobs=jobs,
            methods=dict(methods or {}),
            domain=dict(domain or {}),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> About:
        """The inverse of `to_dict`. ValueError where something is missing or of another kind."""
        try:
            given = {each.name: data[each.name] for each in fields(cls) if each.name in data}
            given["layers"] = tuple(
                Layer(str(n), str(kind), int(b), int(w), int(c), int(r)) for n, kind, b, w, c, r in data["layers"]
            )
            for name in ("picture_size", "jobs"):
                given[name] = tuple(data[name])
            given["noise_shapes"] = tuple((int(h), int(w)) for h, w in data["noise_shapes"])
            given["camera_range"] = {str(k): (float(a), float(b)) for k, (a, b) in data["camera_range"].items()}
            given["domain"] = {str(k): tuple(v) for k, v in data.get("domain", {}).items()}
            return cls(**given)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"what the server says of the generator cannot be read ({error!r})") from error


def _plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What of it JSON holds."""
    kept = {}
    for name, value in metadata.items():
        try:
            kept[name] = json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError):
            continue
    return kept
