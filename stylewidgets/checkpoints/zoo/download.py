"""One file over HTTP, whole or not at all: resumed where it stopped, checked, and moved into place only when complete.

requests does the transport (proxies, certificates, redirects) and filelock keeps two notebooks apart. pooch, the usual
choice, starts a broken download from the beginning, which with 350 MB on a classroom's network may never end.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ...jobs import Job, Progress, Work, part, run

if TYPE_CHECKING:
    from requests import Response

Tell = Callable[[int, int | None], None]
CHUNK = 1 << 16  # what a broken connection can lose
LIMIT = 16 << 30  # no published checkpoint has a tenth of it
TIMEOUT = (10.0, 60.0)  # to connect, and between two pieces
ANSWER_SECONDS = 1.0  # about what a server takes
HASHED = 500e6  # bytes a second, about
RETRIED = (408, 425, 429, 500, 502, 503, 504)
LONGEST_WAIT = 60.0


class DownloadError(OSError):
    """A file could not be fetched. The text says why, and where to put the file by hand."""


class _Again(Exception):
    """This request failed; the next one may not."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


@Work
def download(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    size: int | None = None,
    attempts: int = 4,
    wait: float = 1.0,
    timeout: tuple[float, float] = TIMEOUT,
    headers: Mapping[str, str] | None = None,
) -> Job[Path]:
    """Fetch `url` to `target` and return `target`; returns at once when it is there.

    A download that breaks off, or that is interrupted, leaves ``target.part``, and the next call goes on from there.
    ``target.json`` keeps the address, size and sha256. Without a known `sha256` the first download is trusted, and a
    later one of the same file must equal it. Its progress is in bytes.

    Args:
        sha256, size: of the file, hexadecimal and in bytes, where they are known.
        attempts: requests in a row that may bring nothing before it gives up.
        wait: seconds before the second request; doubled for every further one.
        timeout: seconds to connect, and to wait for the next bytes.
        headers: of the request besides ours. Those that authorise do not follow it to another host.

    Raises:
        DownloadError: not reachable, not there, not the file, or not the content that is known.
    """
    from filelock import FileLock

    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock", thread_local=False):  # whichever thread takes the last step lets go of it
        if target.is_file():
            return target
        transfer = _Transfer(url, target, sha256, size, timeout, headers or {})
        yield from transfer.run(attempts, wait)
        return (yield from transfer.finish(attempts, wait))


def fetch(url: str, folder: Path, *, progress: Tell | bool = True) -> Path:
    """A file from any http(s) address, kept in a folder. Raises DownloadError."""
    name = Path(unquote(urlsplit(url).path)).name or "file"
    place = hashlib.sha256(url.encode()).hexdigest()[:16]  # two addresses may end in the same name
    return with_bar(url, folder / place / name, progress)


def with_bar(url: str, target: Path, progress: Tell | bool, **known: Any) -> Path:
    """`download`; True shows a bar, False nothing, a function is called with (bytes so far, bytes in all or None)."""
    if target.is_file():
        return target
    if progress is not True:
        return download(url, target, **{"callback": progress or None, **known})
    job = part(download.steps(url, target, **known), words=target.name)
    return run(job, unit="B", unit_scale=True, unit_divisor=1024) or target


def sha256_of(path: Path) -> str:
    """The sha256 of a file's content, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


class _Transfer:
    """The requests for one file and its unfinished part."""

    def __init__(
        self,
        url: str,
        target: Path,
        sha256: str | None,
        size: int | None,
        timeout: tuple[float, float],
        headers: Mapping[str, str],
    ) -> None:
        self.url, self.target, self.sha256, self.size = url, target, sha256, size
        self.timeout, self.headers = timeout, headers
        self.part = Path(f"{target}.part")
        self.notes = Path(f"{target}.part.json")
        self.record = Path(f"{target}.json")
        self.resumed = False

    # -- the part ----------------------------------------------------------------------------------------------------
    @property
    def received(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def known(self) -> dict[str, Any]:
        """What the server said about the file that the part is from; {} when that is another one or unknown."""
        about = read_json(self.notes)
        return about if about.get("url") == self.url else {}

    def discard(self) -> None:
        self.part.unlink(missing_ok=True)
        self.notes.unlink(missing_ok=True)

    # -- requests ----------------------------------------------------------------------------------------------------
    def run(self, attempts: int, wait: float) -> Job[None]:
        """Request until the part is complete. Failures count in a row; any bytes received start the count anew."""
        failed = 0
        while not self.complete():
            before = self.received
            try:
                yield self.at(indivisible=ANSWER_SECONDS)
                yield from self.request()
            except _Again as problem:
                failed = 1 if self.received > before else failed + 1
                if failed >= attempts:
                    raise DownloadError(f"{self.url}: {problem}. {self.advice()}") from problem.__cause__
                pause = min(LONGEST_WAIT, wait * 2 ** (failed - 1) if problem.wait is None else problem.wait)
                yield self.at(indivisible=pause)
                time.sleep(pause)

    def at(self, indivisible: float | None = None) -> Progress:
        return Progress(self.received, self.known().get("total"), indivisible=indivisible)

    def complete(self) -> bool:
        total = self.known().get("total")
        return isinstance(total, int) and self.received == total and self.part.is_file()

    def request(self) -> Job[None]:
        import requests

        start, headers = self.range_headers()
        try:
            with requests.get(self.url, headers=headers, stream=True, timeout=self.timeout) as answer:
                start = self.check(answer, start)
                yield from self.receive(answer, start)
        except (
            requests.exceptions.SSLError,
            requests.exceptions.TooManyRedirects,
            requests.exceptions.InvalidURL,
            requests.exceptions.MissingSchema,
            requests.exceptions.InvalidSchema,
        ) as error:
            raise DownloadError(f"{self.url}: {_reason(error)}. {self.advice()}") from error
        except requests.exceptions.Timeout as error:
            raise _Again("the server is silent") from error
        except requests.exceptions.RequestException as error:
            raise _Again(f"the connection failed ({_reason(error)})") from error

    def range_headers(self) -> tuple[int, dict[str, str]]:
        """Where to go on, and the headers that ask for it: only from the very file that the part is from."""
        headers = {**self.headers, "Accept-Encoding": "identity", "User-Agent": "stylewidgets"}
        start, known = self.received, self.known()
        version = known.get("version")
        if not start or not known or not (version or self.sha256):
            return 0, headers
        headers["Range"] = f"bytes={start}-"
        if version:
            headers["If-Range"] = str(version)
        return start, headers

    def check(self, answer: Response, start: int) -> int:
        """Read status and headers; returns the byte that the body starts at, and notes what the server said."""
        if answer.status_code in RETRIED:
            raise _Again(f"the server answers {answer.status_code} {answer.reason}", _retry_after(answer))
        if answer.status_code == 416 and start:
            self.discard()
            raise _Again("the file on the server is another one by now", 0.0)
        if answer.status_code not in (200, 206):
            raise DownloadError(f"{self.url}: the server answers {answer.status_code} {answer.reason}. {self.advice()}")
        if "text/html" in answer.headers.get("Content-Type", ""):
            raise self.web_page()
        length = answer.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        if answer.status_code == 206:
            span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
            if (
                span is None
                or int(span[1]) != start
                or not start
                or span[2] not in ("*", str(self.known().get("total")))
            ):
                self.discard()
                raise _Again("the server sent another part of the file than asked for", 0.0)
            self.resumed = True
            return start
        self.check_size(total)
        self.notes.write_text(json.dumps({"url": self.url, "total": total, "version": _version(answer)}))
        return 0

    def check_size(self, total: int | None) -> None:
        if total is None:
            return
        if self.size is not None and total != self.size:
            raise DownloadError(
                f"{self.url}: the server offers {total:,} bytes; the file has {self.size:,}. {self.advice()}"
            )
        free = shutil.disk_usage(self.target.parent).free
        if total > min(LIMIT, free):
            raise DownloadError(
                f"{self.url}: {total:,} bytes are offered; {min(LIMIT, free):,} can be kept in "
                f"{self.target.parent}. Set STYLEWIDGETS_CACHE to a folder with more room"
            )

    def receive(self, answer: Response, start: int) -> Job[None]:
        total = self.known().get("total")
        limit = total if total is not None else self.size or LIMIT
        with self.part.open("r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            for block in answer.iter_content(CHUNK):
                start += len(block)
                if start > limit:
                    raise DownloadError(f"{self.url}: the server sends more than {limit:,} bytes. {self.advice()}")
                file.write(block)
                yield Progress(start, total)
        if total is None:  # the server did not say: the end of the answer is the end of the file
            self.notes.write_text(json.dumps({**self.known(), "total": start}))
        elif start < total:
            raise _Again(f"the connection ended after {start:,} of {total:,} bytes")

    # -- the end -----------------------------------------------------------------------------------------------------
    def finish(self, attempts: int, wait: float) -> Job[Path]:
        """Check the complete part and move it into place."""
        with self.part.open("rb") as file:
            if file.read(512).lstrip().lower().startswith((b"<!doctype html", b"<html")):
                raise self.web_page()
        if self.size is not None and self.received != self.size:
            size = self.received
            self.discard()
            raise DownloadError(f"{self.url}: {size:,} bytes came; the file has {self.size:,}. {self.advice()}")
        yield self.at(indivisible=self.received / HASHED)
        found = sha256_of(self.part)
        if self.sha256 is not None and found != self.sha256.lower():
            self.discard()
            if self.resumed:  # perhaps two versions were joined: once more from the start
                self.resumed = False
                yield from self.run(attempts, wait)
                return (yield from self.finish(attempts, wait))
            raise DownloadError(
                f"{self.url}: the content is another one: sha256 {found}, known is {self.sha256}. {self.advice()}"
            )
        before = read_json(self.record).get("sha256")
        if self.sha256 is None and before not in (None, found):
            raise DownloadError(
                f"{self.url}: the content is another one than at the first download: sha256 {found}, then "
                f"{before}. If that is meant, delete {self.record} and load again"
            )
        self.record.write_text(
            json.dumps(
                {
                    "url": self.url,
                    "bytes": self.received,
                    "sha256": found,
                    "trust": "published sha256" if self.sha256 else "first download",
                },
                indent=1,
            )
        )
        os.replace(self.part, self.target)
        self.notes.unlink(missing_ok=True)
        return self.target

    def web_page(self) -> DownloadError:
        self.discard()
        return DownloadError(
            f"{self.url}: a web page came instead of the file (a login, a quota or a moved file). {self.advice()}"
        )

    def advice(self) -> str:
        return f"Download it by hand and put it to {self.target}"


def _version(answer: Response) -> str | None:
    """What If-Range takes: a strong ETag, else the date."""
    tag = str(answer.headers.get("ETag", ""))
    date = answer.headers.get("Last-Modified")
    return tag if tag.startswith('"') else None if date is None else str(date)


def _retry_after(answer: Response) -> float | None:
    seconds = answer.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else None


def _reason(error: Exception) -> str:
    """The innermost reason, in one line: requests wraps it in several."""
    while isinstance(inner := (error.__cause__ or error.__context__ or getattr(error, "reason", None)), Exception):
        error = inner
    return re.sub(r"\s+", " ", str(error)).strip()[:200] or type(error).__name__


def read_json(path: Path) -> dict[str, Any]:
    """The dictionary in a JSON file, {} where there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
