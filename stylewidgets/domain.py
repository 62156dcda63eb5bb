"""What a generator draws: one rule that says it, and the parts that know pictures of that kind.

A `Domain` has a reader of attributes, a segmenter, a measure of identity and so on, each optional; the rest of the package
asks `of(session)` and uses what is there. Avatars are one domain, faces of your own another::

    domain.register(Domain("faces", fits=lambda metadata: metadata.get("name") == "ffhq-1024", reader=make_reader))

Nothing of a domain is imported or loaded before it is asked for.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .core.checks import unknown_name

if TYPE_CHECKING:
    from torch import Tensor, device

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reader:
    """Reads pictures [N, C, H, W] in about [-1, 1] as real numbers [N, F], such as the logits of classifiers.

    Attributes:
        names: of the readings.
        read: the function, a torch one; differentiable if rankings by gradient are wanted.
        groups: what each reading belongs to. Readings of one group say different things of one attribute ("hat: cap", "hat:
            none") and do not count as side effects of each other. The names when empty.
        key: identifies the function in the cache, "" to keep nothing.
        units: of the readings, "" for plain numbers; () where nothing is said.
        spread: mean and standard deviation of each reading over pictures of the domain; () where they were not measured.
    """

    names: tuple[str, ...]
    read: Callable[[Tensor], Tensor]
    groups: tuple[str, ...] = ()
    key: str = ""
    units: tuple[str, ...] = ()
    spread: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        for word, given in (("group", self.groups), ("unit", self.units), ("spread", self.spread)):
            if len(given) not in (0, len(self.names)):
                raise ValueError(f"give one {word} for each of the {len(self.names)} readings; {len(given)} were given")

    @property
    def attributes(self) -> tuple[str, ...]:
        """The group of each reading."""
        return self.groups or self.names

    def __call__(self, pictures: Tensor) -> Tensor:
        """Readings [N, F] of pictures."""
        found = self.read(pictures)
        if found.ndim != 2 or found.shape != (len(pictures), len(self.names)):
            raise ValueError(
                f"the reader must give [{len(pictures)}, {len(self.names)}] numbers; {list(found.shape)} came"
            )
        return found

    def index(self, name: str) -> int:
        """Place of a reading. ValueError with the nearest name."""
        if name not in self.names:
            raise unknown_name("reading", name, self.names)
        return self.names.index(name)

    def column(self, attribute: str) -> int:
        """Place of the reading that says most of an attribute: of that name, else the first of its group; −1 if none."""
        if attribute in self.names:
            return self.names.index(attribute)
        return self.attributes.index(attribute) if attribute in self.attributes else -1

    def values(self, pictures: Tensor, batch: int = 128) -> Floats:
        """Readings [N, F] of any number of pictures, without gradients."""
        starts = range(0, len(pictures), batch)
        parts = [self(pictures[i : i + batch]).detach().double().cpu().numpy() for i in starts]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.names)))

    def deviations(self, pictures: Tensor, batch: int = 128) -> Floats:
        """Readings [N, F] in standard deviations from the mean of the domain. ValueError where these were not measured."""
        if not self.spread:
            raise ValueError("this reader has no spread: give the mean and standard deviation of each reading")
        mean, deviation = np.array(self.spread).T
        return np.asarray((self.values(pictures, batch) - mean) / np.maximum(deviation, 1e-9))


class Segmenter(Protocol):
    """Says which pixel shows what."""

    @property
    def names(self) -> tuple[str, ...]:
        """One a label, known before anything is loaded."""

    def __call__(self, picture: Pixels, /) -> Pixels:
        """A picture uint8 [H, W, 3] → labels uint8 [H, W], an index into `names`."""


class Example(NamedTuple):
    """A picture that was not made by the generator. item: what `inversion.Target.of` takes; code: Python that makes it."""

    item: Mapping[str, object]
    code: str


class Moved(NamedTuple):
    """What one attribute did between two observations: by how many standard deviations, and in words ("smile +0.60")."""

    name: str
    sigma: float
    words: str


class World(Protocol):
    """Pictures that are drawn from known factors [N, F], so that the truth of an edit can be drawn."""

    def bounds(self, attribute: str) -> tuple[float, float] | None:
        """Lowest and highest value of a number that can be set, in the units of the reader; None for all else."""

    def values(self, factors: Tensor, attribute: str) -> Floats:
        """The attribute [N] of factors."""

    def redraw(self, factors: Tensor, attribute: str, values: Floats, side: int) -> Pixels:
        """Pictures uint8 [N, side, side, 3] of the same factors with one attribute changed to `values` [N]."""

    def example(self, seed: int, side: int) -> Example:
        """A picture by chance, whose factors are known."""


@runtime_checkable
class GroupedWorld(World, Protocol):
    """A world whose factors come in groups, some of which no generator was trained on."""

    def of(self, groups: Sequence[str]) -> GroupedWorld:
        """The same world, for factors [N, F] of these groups."""

    def outside(self, factors: Tensor) -> NDArray[np.bool_]:
        """Which pictures show what generators of this domain have never seen, [N]."""


def world_of(world: World, groups: Sequence[str]) -> World:
    """The world for factors of these groups; () are its usual ones. TypeError where it has no groups."""
    if not groups:
        return world
    if not isinstance(world, GroupedWorld):
        raise TypeError(f"these factors are of the groups {', '.join(groups)}; {type(world).__name__} knows no groups")
    return world.of(groups)


@dataclass(frozen=True, eq=False)
class Domain:
    """What is known about pictures of one kind. Parts that are None are not there, and nobody pretends to have them.

    Attributes:
        name: as weights state it in their metadata, ``"domain": {"name": ..., "version": ...}``.
        version: of the pictures: weights of a newer one are not read by the parts of this one.
        reader_version: of the readings, for tables that were made with them.
        noun: what one picture shows, for labels.
        network: name of the network behind reader and identity, for tables.
        fits: whether metadata that state no domain are of this one; asked in the order of registering, the latest first.
        reader: makes the reader of attributes. It may take a while, the first time.
        segmenter: makes the segmenter.
        identity: pictures [N, 3, H, W] in [-1, 1], twice → similarities [N]: 1 is the same person.
        features: on a device, pictures → feature maps [N, C, h, w], fine to coarse; differentiable. What stands in for a
            perceptual or identity network where there is none.
        captions: pictures → a sentence each.
        camera: pictures → yaw, pitch, roll [N, 3] in degrees; yaw is positive to the picture's right, pitch up, roll
            clockwise.
        landmarks: a picture uint8 [H, W, 3] → places by name, (row, column) in pixels, 0 the middle of the first.
        observe: a picture (PIL, or uint8 [H, W, 3]) → what `describe` compares.
        describe: two observations → what changed, in words.
        changes: the same, for every attribute by itself, the largest change first.
        world: makes the world, where pictures can be drawn from known factors.
        source: makes whom a generator with a source draws before it is given one.
    """

    name: str
    version: int = 1
    reader_version: int = 1
    noun: str = "picture"
    network: str = ""
    fits: Callable[[Mapping[str, object]], bool] | None = None
    reader: Callable[[], Reader] | None = None
    segmenter: Callable[[], Segmenter] | None = None
    identity: Callable[[Tensor, Tensor], Tensor] | None = None
    features: Callable[[device], Callable[[Tensor], list[Tensor]]] | None = None
    captions: Callable[[Tensor], list[str]] | None = None
    camera: Callable[[Tensor], Floats] | None = None
    landmarks: Callable[[Pixels], dict[str, tuple[float, float]]] | None = None
    observe: Callable[[object], object] | None = None
    describe: Callable[[object, object], str] | None = None
    changes: Callable[[object, object], Sequence[Moved]] | None = None
    world: Callable[[], World] | None = None
    source: Callable[[], object] | None = None

    def stamp(self, readings: bool = False) -> dict[str, object]:
        """What weights state under "domain", and tables of readings too."""
        stamp: dict[str, object] = {"name": self.name, "version": self.version}
        return stamp | {"reader": self.reader_version} if readings else stamp

    def check(self, stamp: object, what: str) -> None:
        """ValueError if a file is of another domain, or of a newer version of its pictures or readings.

        Args:
            stamp: what `stamp` wrote; None in files that state nothing, which are of version 1.
            what: the file, for the text.
        """
        name, version, reader = _stamped(stamp)
        if name not in ("", self.name):
            raise ValueError(f"{what} is of the domain {name!r}, not of {self.name!r}")
        for words, given, known in (("pictures", version, self.version), ("readings", reader, self.reader_version)):
            if given > known:
                raise ValueError(
                    f"{what} was made with version {given} of the {words} of {self.name!r}, and this release knows "
                    f"version {known}: upgrade stylewidgets"
                )


class HasMetadata(Protocol):
    """A session, as far as domains go."""

    metadata: dict[str, object]


_REGISTERED: dict[str, Domain] = {}
_BUNDLED = {"avatars": "avatars.domain"}
"""Domains of this package, and the module that has each as DOMAIN."""


def register(domain: Domain) -> Domain:
    """Add a domain, or put one in the place of another of that name."""
    _REGISTERED.pop(domain.name, None)
    _REGISTERED[domain.name] = domain
    return domain


def unregister(name: str) -> None:
    """Take a registered domain away; a bundled one stays."""
    _REGISTERED.pop(name, None)


def names() -> tuple[str, ...]:
    """Every domain that there is."""
    return tuple(dict.fromkeys((*_BUNDLED, *_REGISTERED)))


def get(name: str) -> Domain:
    """A domain by name. ValueError with the nearest name."""
    if name in _REGISTERED:
        return _REGISTERED[name]
    if name not in _BUNDLED:
        raise unknown_name("domain", name, names())
    found: Domain = import_module(f".{_BUNDLED[name]}", __package__).DOMAIN
    return found


def of(session: HasMetadata) -> Domain | None:
    """The domain of what a session draws; None where nobody knows it.

    What the weights state decides, see `stated`; never the name of a file. Where they state nothing, the first registered
    domain that `fits`. A domain that nobody registered is None, and so is a newer version than this release knows, with
    a RuntimeWarning: its parts would misread the pictures.
    """
    known = _of(session)
    elsewhere = getattr(session, "domain_there", None)  # its parts work where the generator is
    return elsewhere(known) if known is not None and elsewhere is not None else known


def _of(session: HasMetadata) -> Domain | None:
    stamp = stated(session.metadata)
    if stamp is None:
        return next((d for d in reversed(_REGISTERED.values()) if d.fits and d.fits(session.metadata)), None)
    try:
        name = _stamped(stamp)[0]
        if name not in names():
            return None
        found = get(name)
        found.check(stamp, "this generator")
    except ValueError as newer:
        warnings.warn(f"{newer}. Until then its pictures are not read", RuntimeWarning, stacklevel=2)
        return None
    return found


def stated(metadata: Mapping[str, object]) -> object:
    """What metadata say of the domain: a name, or what `Domain.stamp` wrote; None for nothing.

    Generators of avatars that were trained before version 0.2 state it by the recipe of `train avatars`.
    """
    if metadata.get("domain"):
        return metadata["domain"]
    recipe = metadata.get("recipe")
    return "avatars" if isinstance(recipe, Mapping) and "twist" in recipe else None


def check(stamp: object, what: str) -> None:
    """`Domain.check` for a table of any domain; of one that is not registered, nothing is known and nothing refused."""
    name = _stamped(stamp)[0]
    if name in names():
        get(name).check(stamp, what)


def _stamped(stamp: object) -> tuple[str, int, int]:
    """Name, version of the pictures, version of the readings."""
    if not isinstance(stamp, Mapping):
        return str(stamp or ""), 1, 1
    version, reader = stamp.get("version", 1), stamp.get("reader", 1)
    if not isinstance(version, int) or not isinstance(reader, int):
        raise ValueError(f"versions of a domain are whole numbers; {version!r} and {reader!r} were given")  # noqa: TRY004
    return str(stamp.get("name", "")), version, reader
