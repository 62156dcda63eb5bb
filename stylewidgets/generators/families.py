"""The generator families by name, `register` for those written elsewhere. Each is imported when it is first used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..core.checks import unknown_name

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Family:
    """One family of generators.

    Attributes:
        name: as in ``generator.family``, in files and in metadata.
        title: for people.
        module: where the generator class is, such as "my_package.my_generator". `infer_config` stands beside it, and
            ``NOT_IN_SHAPES``, names of settings that no shape tells, beside the config.
        class_name: of the generator; its config is called ``<class_name>Config``.
    """

    name: str
    title: str
    module: str
    class_name: str

    @property
    def generator(self) -> type[nn.Module]:
        """The generator class; ``generator(config)`` makes one."""
        return getattr(import_module(self.module, __package__), self.class_name)  # type: ignore[no-any-return]

    @property
    def config(self) -> Any:
        """The frozen dataclass of its settings, with `to_dict` and `from_dict`."""
        return getattr(import_module(self.module, __package__), f"{self.class_name}Config")

    @property
    def not_in_shapes(self) -> tuple[str, ...]:
        """Names of the settings that no shape tells, which a file must write down."""
        return tuple(import_module(self.config.__module__).NOT_IN_SHAPES)

    def infer_config(self, params: Mapping[str, Tensor], hints: Mapping[str, Any] | None = None) -> Any:
        """The config, read from names and shapes; `hints` are settings that no shape tells."""
        return import_module(self.module, __package__).infer_config(params, **(hints or {}))


FAMILIES = {
    family.name: family
    for family in (
        Family("stylegan1", "StyleGAN", ".stylegan1", "StyleGAN1"),
        Family("stylegan2", "StyleGAN2", ".stylegan2", "StyleGAN2"),
        Family("stylegan3", "StyleGAN3", ".stylegan3", "StyleGAN3"),
        Family("stylenerf", "StyleNeRF", ".stylenerf", "StyleNeRF"),
        Family("triplane", "EG3D", ".triplane", "TriPlane"),
        Family("posed", "Pose with Style", ".posed", "Posed"),
    )
}


def register(family: Family) -> None:
    """Make a family known by name: its generators can then be written to our own files (`GeneratorSession.save`) and read again.

    A session needs none of this: ``GeneratorSession(generator)`` takes whatever fits the protocol.

    Raises:
        ValueError: another family has this name.
    """
    if FAMILIES.setdefault(family.name, family) != family:
        raise ValueError(f"{family.name!r} is {FAMILIES[family.name].title} already; give the family another name")


def build(family: str, config: object) -> nn.Module:
    """A generator of that family with random weights. ValueError for an unknown family."""
    if family not in FAMILIES:
        raise unknown_name("family of generators", family, FAMILIES)
    return FAMILIES[family].generator(config)
