"""Calls to a server over HTTP: each ends, one way or the other, within its deadline."""

from __future__ import annotations

import itertools
import ssl
import time
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import requests

from .arrays import Arrays, pack, unpack
from .messages import TENSOR_BODY, TENSORS, VERSION, RemoteError, parsed, text

DEADLINE = 30.0
"""Seconds that a call may take."""
AGAIN = (429, 502, 503)
"""Answers after which the same call may do: too many at once, or a server that is on its way up or down."""
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between tries where the server does not say."""


class Calls:
    """What one client asks of one server.

    Args:
        url: "http://host:8000" or "https://…", with a path where a proxy has one.
        token: of the course or user, "" for none; it goes into a header and nowhere else.
        client: the name under which results are kept there.
        deadline: seconds for a call with all its tries.

    Raises:
        ValueError: no such address, or nothing that could be a token.
    """

    def __init__(self, url: str, token: str = "", client: str = "", deadline: float = DEADLINE) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"an address of a server is http(s)://host:port; {url!r} was given")
        if parts.username or parts.password:
            raise ValueError("a token never stands in an address: give it as token=")
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        token = token.strip()  # as it stands in files and is copied, with an end of line
        if not all("!" <= c <= "~" for c in token):  # the token itself is never told
            raise ValueError(
                "a token has letters, digits, - and _ only; give the one that `stylewidgets serve --new-token` printed"
            )
        self.host, self.token, self.client, self.deadline = parts.netloc, token, client, deadline
        self._met = False  # whether it has ever answered: then it is waited for, as while it is started anew
        self._session = requests.Session()
        self._session.headers["X-Version"] = str(VERSION)
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"
        if client:
            self._session.headers["X-Client"] = client

    def json(
        self, path: str, values: Mapping[str, object] | None = None, arrays: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The JSON object that a GET, or a POST of values and perhaps of arrays, answers with."""
        return parsed(self.data(path, values, arrays), TENSOR_BODY)

    def arrays(self, path: str, values: Mapping[str, object], arrays: Mapping[str, Any] | None = None) -> Arrays:
        """The arrays that a POST of values, and perhaps of arrays, answers with."""
        return unpack(self.data(path, values, arrays), limit=4 * TENSOR_BODY)[0]

    def data(
        self, path: str, values: Mapping[str, object] | None = None, arrays: Mapping[str, Any] | None = None
    ) -> bytes:
        """The body that a GET, or a POST of `values` and `arrays`, answers with.

        Raises:
            RemoteError: what the server refused, in its words; 504 where no answer came in time, or no server is there.
        """
        end = time.monotonic() + self.deadline
        body, kind = (None, "") if values is None else (text(values).encode(), "application/json")
        if arrays:
            body, kind = pack(arrays, values), TENSORS
        for pause in itertools.chain(PAUSES, itertools.repeat(None)):
            try:
                answer = self._session.request(
                    "GET" if body is None else "POST",
                    f"{self.url}/v1/{path}",
                    data=body,
                    headers={"Content-Type": kind} if kind else {},
                    timeout=max(0.1, end - time.monotonic()),
                )
            except requests.Timeout:
                raise RemoteError(f"no answer from {self.host} within {self.deadline:g} s", 504) from None
            except requests.ConnectionError as error:
                if told := self._other_language(error):
                    raise RemoteError(f"{self.host} cannot be reached ({told})", 504) from None
                failed: RemoteError = RemoteError(f"{self.host} cannot be reached ({_reason(error)})", 504)
                wait = pause
            else:
                if answer.ok:
                    self._met = True
                    return bytes(answer.content)
                failed, wait = self._refusal(answer), PAUSES[-1] if pause is None and self._met else pause
                if answer.status_code not in AGAIN and not (self._met and _of_a_proxy(answer)):
                    raise failed
                if pause is not None and (said := answer.headers.get("Retry-After", "")).isdigit():
                    wait = float(said)
            if wait is None or time.monotonic() + wait >= end:
                raise failed
            time.sleep(wait)
        raise AssertionError("the deadline ends it")

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()

    def _refusal(self, answer: requests.Response) -> RemoteError:
        """What the server says of a call that it refuses, in words for those who typed the address."""
        if answer.status_code == 401:
            given = "the token that was given is not valid there (any more)" if self.token else "none was given"
            return RemoteError(
                f"{self.host} asks for a token, and {given}: sw.connect(address, token=…), or $STYLEWIDGETS_TOKEN; whoever "
                "runs the server has it",
                401,
            )
        try:
            error = parsed(answer.content)["error"]
            return RemoteError(str(error["message"]), int(error.get("code", answer.status_code)))
        except (RemoteError, KeyError, TypeError, ValueError):
            other = ": is this the address of a stylewidgets server?" if answer.status_code == 404 else ""
            words = f"{self.url} answered {answer.status_code} {answer.reason}{other}"
            return RemoteError(words, answer.status_code)

    def _other_language(self, error: BaseException) -> str:
        """What is there instead of what the address says, which no waiting mends; "" where that is not the trouble."""
        last = _last(error)
        if "WRONG_VERSION_NUMBER" in str(last):
            return f"there is no TLS there: try http://{self.url.partition('://')[2]}"
        if isinstance(last, ssl.SSLError):
            return f"TLS: {last}"
        if isinstance(last, HTTPException) and not isinstance(last, OSError):  # nor is it a connection that was closed
            return "what is there does not speak HTTP"
        return ""


def _of_a_proxy(answer: requests.Response) -> bool:
    """Whether it says that there is no server behind it at present, as that of Ray Serve does while one is replaced."""
    return answer.status_code == 404 and "json" not in answer.headers.get("Content-Type", "")


def _last(error: BaseException) -> BaseException:
    """The last of what libraries say to one another of a connection that failed."""
    while error.__context__ is not None or error.__cause__ is not None:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return error


def _reason(error: BaseException) -> str:
    last = _last(error)
    return str(last) or type(last).__name__
