"""Who may use a server: a file with the sha256 of each token. Tokens themselves are kept nowhere and never logged."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

_LINE = re.compile(r"([0-9a-f]{64})\s*(.*)")


class Tokens:
    """The tokens of a file: a line each, of the sha256 and a name of the course or user; lines with # are remarks.

    The file is read again when it changes, so a token is revoked by deleting its line.

    Args:
        path: of the file; None where everybody may, which only loopback does.

    Raises:
        ValueError: a line is something else, or there is none.
        OSError: the file cannot be read.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._seen: object = None
        self._known: dict[str, str] = {}
        if path is not None and not self._read():
            raise ValueError(f"there is no token in {str(path)!r}; stylewidgets serve --new-token NAME makes one")

    def owner(self, token: object) -> str | None:
        """What the token is known as here: its sha256, "" where none is needed, None for a wrong one."""
        if self.path is None:
            return ""
        given = hashlib.sha256(str(token).encode("utf-8", "replace")).hexdigest()
        found = None
        for known in self._read():
            if hmac.compare_digest(known, given):
                found = known
        return found if token else None

    def _read(self) -> dict[str, str]:
        assert self.path is not None
        try:
            about = os.stat(self.path)
            seen = about.st_mtime_ns, about.st_size, about.st_ino
            if seen != self._seen:
                self._known, self._seen = parse(self.path.read_text(encoding="utf-8"), str(self.path)), seen
        except (OSError, ValueError):
            if self._seen is None:
                raise
            self._known = {}  # gone or damaged: nobody may any more
        return self._known


def parse(text: str, where: str) -> dict[str, str]:
    """Names by the sha256 of their tokens. ValueError for a line that is something else."""
    known = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            found = _LINE.fullmatch(line.strip())
            if found is None:
                raise ValueError(f"line {number} of {where!r} is no token: a line is a sha256 and a name")
            known[found[1]] = found[2]
    return known


def new(path: Path, name: str) -> str:
    """A new token, whose hash is added to the file. It is told this once."""
    token = secrets.token_urlsafe(32)
    label = " ".join(name.split())
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(f"{hashlib.sha256(token.encode()).hexdigest()} {label}\n")
    return token
