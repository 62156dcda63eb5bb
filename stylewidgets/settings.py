"""What a panel's controls are made from: settings with a type, a range and a line of help, and methods that have some.

A setting is data. The same one checks a keyword in a script, a value in JSON, and what a control holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .core.checks import check_finite, check_int, unknown_name

Value = bool | int | float | str
"""What a setting can be; JSON holds all of them."""


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        name: as a keyword.
        default: the paper's value where there is one; its type is the setting's (bool, int, float, str).
        help: one line, with the paper's symbol where it has one.
        low, high: of numbers.
        choices: of names.
        log: whether equal steps of it are equal ratios.
        advanced: whether beginners need not see it.
        label: as a control shows it; the name in words when empty.
        unit: of numbers, behind the label.

    Raises:
        ValueError: a default that is not accepted itself.
    """

    name: str
    default: Value
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    log: bool = False
    advanced: bool = False
    label: str = ""
    unit: str = ""

    def __post_init__(self) -> None:
        self.check(self.default)
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"{self.name} goes from {self.low:g} to {self.high:g}: the lower end comes first")

    @property
    def words(self) -> str:
        """The label with its unit."""
        label = self.label or self.name.replace("_", " ")
        return f"{label} ({self.unit})" if self.unit else label

    def check(self, value: object) -> Value:
        """The value in the setting's type, or ValueError with what is accepted."""
        if self.choices:
            if value not in self.choices:
                raise unknown_name(self.name, value, self.choices)
            return str(value)
        if isinstance(self.default, bool):
            # numpy's own, too; this module needs no numpy
            if not isinstance(value, bool) and (str(getattr(value, "dtype", "")), getattr(value, "shape", None)) != (
                "bool",
                (),
            ):
                raise ValueError(f"{self.name} is True or False; {value!r} was given")
            return bool(value)
        if isinstance(self.default, int):
            low, high = (None if end is None else int(end) for end in (self.low, self.high))
            return check_int(self.name, value, low, high)
        if isinstance(self.default, float):
            return check_finite(self.name, value, self.low, self.high)
        if value is None:
            raise ValueError(f"{self.name} is a text; None was given")
        return str(value)


def checked(settings: Iterable[Setting], given: Mapping[str, object], kind: str = "setting") -> dict[str, Any]:
    """All settings with their values, those that were not given at their defaults: plain JSON, to be passed as keywords.

    Args:
        kind: what a name stands for, in the text for one that does not exist.

    Raises:
        ValueError: unknown names and values.
    """
    known = {setting.name: setting for setting in settings}
    for name in given:
        if name not in known:
            raise unknown_name(kind, name, known)
    return {name: setting.check(given.get(name, setting.default)) for name, setting in known.items()}


@dataclass(frozen=True)
class Method:
    """One way to do something long, with its settings.

    Attributes:
        name: as scripts take it, ``invert(method=...)``.
        title: as a menu shows it.
        line: one sentence for someone who has not read the paper.
        source: paper and year.
        start: begins it; for inversion ``function(session, target, **settings)`` → Run. The function, or "module:function",
            which is imported when it is first used.
        settings: in the order to show them.
        kind: for inversion "optimisation", "encoder" or "hybrid".
        available: session → "" if it can be used on it, else why not (an encoder that was not trained for it).
        from_paper: whether the defaults are those of the paper that `source` names.
        together: whether the pictures of one call share something, such as a tuned generator, so that they cannot be done in
            groups that fit the memory.
    """

    name: str
    title: str
    line: str
    source: str
    start: Callable[..., Any] | str
    settings: tuple[Setting, ...] = ()
    kind: str = "optimisation"
    available: Callable[..., str] | None = None
    from_paper: bool = False
    together: bool = False

    def checked(self, given: Mapping[str, object]) -> dict[str, Any]:
        """All settings with their values; ValueError for unknown names and values."""
        return checked(self.settings, given, f"setting of {self.name}")

    def why_not(self, session: object) -> str:
        """Why it cannot be used on a session; "" if it can. One that is elsewhere was told so by the server."""
        about = getattr(session, "about", None)
        if about is not None:
            return str(about.methods.get(self.name, "the server does not know it"))
        return self.available(session) if self.available else ""
