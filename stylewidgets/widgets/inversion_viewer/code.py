"""The lines of Python that make a result of the viewer again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..kit.code import _session_lines

if TYPE_CHECKING:
    from ...session.session import GeneratorSession
    from .attempt import Attempt


def inversion_code(session: GeneratorSession, attempt: Attempt | None, target: str) -> str:
    """Return Python that repeats a run up to the step where it is.

    Args:
        target: an expression for the target; "" where there is none, and a comment says so.
    """
    lines = ["import stylewidgets as sw", "", *_session_lines(session)]
    lines.append(
        f"target = sw.inversion.Target.of({target}, session)"
        if target
        else "# target: the picture that you gave to the viewer, as Target.of takes it"
    )
    if attempt is None:
        return "\n".join(lines) + "\n"
    if attempt.target is not None and attempt.target.mask is not None:
        lines.append("target = target.with_mask(mask)  # mask [H, W], 1 where the picture counts: viewer.mask")
    settings = "".join(f", {name}={value!r}" for name, value in attempt.settings.items())
    if attempt.note.startswith("fork"):
        lines.append(f"# {attempt.note}: the run below starts afresh and does not repeat it exactly")
    if attempt.step >= attempt.total:
        lines.append(f"result = sw.inversion.invert(session, target, method={attempt.method!r}{settings})")
    else:
        lines += [
            f"run = sw.inversion.start({attempt.method!r}, session, target{settings})",
            f"for _ in range({attempt.step}):",
            "    run.advance()",
            "result = run.result()",
        ]
    lines.append("own = result.session(session)  # draws with the fitted noise and parameters")
    lines.append("image = own.render(result.latent())")
    return "\n".join(lines) + "\n"
