"""The catalogue of methods: what each is called, its one line, and its settings, from which scripts and widgets are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..core.checks import check_finite, check_int, unknown_name
from ..jobs import Progress
from .run import Run
from .target import Target

if TYPE_CHECKING:
    from ..session.session import GeneratorSession
    from .result import Result


@dataclass(frozen=True)
class Setting:
    """One setting of a method.

    Attributes:
        name: as a keyword.
        default: the paper's value where there is one; its type is the setting's (bool, int, float, str).
        help: one line, with the paper's symbol where it has one.
        low, high: of numbers.
        choices: of names.
        log: whether a slider of it is logarithmic.
        advanced: whether beginners need not see it.
    """

    name: str
    default: Any
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    log: bool = False
    advanced: bool = False

    def check(self, value: Any) -> Any:
        """The value in the setting's type, or ValueError with what is accepted."""
        if self.choices:
            if value not in self.choices:
                raise unknown_name(self.name, value, self.choices)
            return value
        if isinstance(self.default, bool):
            if not isinstance(value, bool):
                raise ValueError(f"{self.name} is True or False; {value!r} was given")  # noqa: TRY004
            return value
        if isinstance(self.default, int):
            return check_int(
                self.name,
                value,
                None if self.low is None else int(self.low),
                None if self.high is None else int(self.high),
            )
        if isinstance(self.default, float):
            return check_finite(self.name, value, self.low, self.high)
        return str(value)


@dataclass(frozen=True)
class Method:
    """One method.

    Attributes:
        name: as `invert(method=...)` takes it.
        title: as a menu shows it.
        line: one sentence for someone who has not read the paper.
        source: paper and year.
        settings: in the order to show them.
        start: "module:function" below `stylewidgets.inversion`; function(session, target, **settings) -> Run.
        kind: "optimisation", "encoder" or "hybrid".
        available: session -> "" if it can be used on it, else why not (an encoder that was not trained for it).
    """

    name: str
    title: str
    line: str
    source: str
    start: str
    settings: tuple[Setting, ...] = ()
    kind: str = "optimisation"
    available: Callable[[GeneratorSession], str] | None = None

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All settings with their values; ValueError for unknown names and values."""
        known = {setting.name: setting for setting in self.settings}
        for name in given:
            if name not in known:
                raise unknown_name(f"setting of {self.name}", name, known)
        return {name: setting.check(given.get(name, setting.default)) for name, setting in known.items()}


METHODS: dict[str, Method] = {}
"""By name, in the order of a menu. `register` adds."""


def register(method: Method) -> Method:
    """Add a method to the catalogue."""
    METHODS[method.name] = method
    return method


def start(method: str, session: GeneratorSession, target: Any, **settings: Any) -> Run:
    """An inversion ready to go: no step is done yet.

    Args:
        method: a name of `METHODS`.
        session: the generator.
        target: what `Target.of` takes.
        settings: those of the method; others have the paper's defaults.

    Raises:
        ValueError: an unknown method or setting, a value out of range, or a method that needs something this generator
            does not have.
    """
    if method not in METHODS:
        raise unknown_name("inversion method", method, METHODS)
    chosen = METHODS[method]
    values = chosen.checked(settings)
    own = values.get("encoder", "bundled") != "bundled"  # whose fit only that file can tell
    reason = chosen.available(session) if chosen.available and not own else ""
    if reason:
        raise ValueError(f"{chosen.title} cannot be used here: {reason}")
    module, _, name = chosen.start.partition(":")
    run: Run = getattr(import_module(f".{module}", __package__), name)(session, Target.of(target, session), **values)
    run.plain = True
    return run


def begin(session: GeneratorSession, *, method: str, target: str, settings: Mapping[str, Any] | None = None) -> Run:
    """Starts the kind "inversion" for `session.start`. target: the hash that `session.put` returned."""
    return start(method, session, session.known(target), **dict(settings or {}))


def invert(
    session: GeneratorSession,
    target: Any,
    method: str = "projector",
    callback: Callable[[Progress], Any] | None = None,
    **settings: Any,
) -> Result:
    """Find the code of pictures: `start` and `finish` in one. See `start` for the arguments."""
    return start(method, session, target, **settings).finish(callback)
