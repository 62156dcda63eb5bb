"""`connect`: from an address to a session."""

from __future__ import annotations

import os
import uuid
from urllib.parse import quote

from .about import About
from .calls import DEADLINE, Calls
from .messages import VERSION, RemoteError
from .session import RemoteSession

TOKEN = "STYLEWIDGETS_TOKEN"
"""The environment variable with a token."""


def connect(
    url: str, token: str | None = None, model: str | None = None, *, deadline: float = DEADLINE
) -> RemoteSession:
    """A session whose generator is on another machine, where `stylewidgets serve` runs. All widgets take it. Needs no torch.

    Args:
        url: such as "http://gpu-box:8000", "https://…" where it has a certificate or a proxy in front.
        token: what the server's owner gave you; None: that in $STYLEWIDGETS_TOKEN, if any.
        model: a name of those that it serves; None for its default.
        deadline: seconds that any call may take.

    Raises:
        ValueError: no such address or model.
        RemoteError: 401 without a valid token, 426 where the server speaks another version, 504 where nobody answers.
    """
    token = os.environ.get(TOKEN, "") if token is None else token
    calls = Calls(url, token, uuid.uuid4().hex, deadline)
    try:
        served = calls.json("models")
        if (spoken := served.get("version", VERSION)) != VERSION:
            raise RemoteError(
                f"{calls.host} speaks version {spoken}; this client speaks {VERSION}. Bring both to the same release",
                426,
            )
        names = [str(name) for name in served.get("models") or ()]
        if not names:
            raise RemoteError(f"{calls.host} serves no model", 404)
        if model is not None and model not in names:
            raise ValueError(f"{calls.host} serves {', '.join(names)}; {model!r} was asked for")
        chosen = names[0] if model is None else model
        return RemoteSession(calls, chosen, About.from_dict(calls.json(f"models/{quote(chosen, safe='')}")))
    except BaseException:
        calls.close()
        raise
