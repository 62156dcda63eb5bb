"""Packages whose names are imported at first use, so that a room can be named without loading torch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from .checks import unknown_name

NO_TORCH = (
    "{name} needs torch, which is not installed, as with stylewidgets-client. On a session of sw.connect(…) the widgets and "
    "session.start(spec) have long work done by the server; what works with a generator here needs the whole package: "
    "pip uninstall stylewidgets-client, then pip install stylewidgets"
)


def attach(package: str, names: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """``__getattr__, __dir__, __all__ = attach(__name__, {"module": "Name another_name"})`` (PEP 562).

    Args:
        package: its ``__name__``.
        names: module, relative to the package ("reports.dci", "..avatars.scoring"), → the names that are found there. The
            modules themselves are found by their own names, too.

    A name must not be that of a module beside it: Python binds the module to it.
    """
    homes = {
        name: module if module.startswith(".") else "." + module
        for module, listed in names.items()
        for name in listed.split()
    }
    modules = {module.split(".")[0] for module in names} - {""}

    def get(name: str) -> object:
        if name in homes:
            value = getattr(_imported(homes[name], package, name), name)
            setattr(sys.modules[package], name, value)
            return value
        if name in modules:
            return _imported(f".{name}", package, name)
        if name.startswith("_"):  # asked for by inspection tools, which expect a plain answer
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        raise AttributeError(str(unknown_name(f"name in {package}", name, (*homes, *sorted(modules)))))

    return get, lambda: sorted({*vars(sys.modules[package]), *homes, *modules}), list(homes)


def _imported(module: str, package: str, name: str) -> Any:
    """The module for a name. ModuleNotFoundError in words where torch is missing."""
    try:
        return import_module(module, package)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "torch":
            raise
        raise ModuleNotFoundError(NO_TORCH.format(name=name), name="torch") from None


def resolve(place: str) -> Any:
    """What stands at "module:name", imported now. Only for names that code says, never for one out of a file."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
