"""``hf://user/repo[@revision][/file]``: files of the Hugging Face Hub.

The usual variables hold: ``HF_TOKEN`` for what is not public, ``HF_HUB_OFFLINE=1`` for no network, ``HF_ENDPOINT`` for a
mirror. A file is kept in the cache folder under its revision, and fetched once.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from ...core.files import cache_folder
from ..candidates import SUFFIXES, only
from .download import TIMEOUT, DownloadError, Tell, with_bar

PREFIX = "hf://"
ENDPOINT = "https://huggingface.co"
ADDRESS = re.compile(
    r"hf://(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>refs/\w+/[\w.%-]+|[\w.%-]+))?(?:/(?P<file>[^@]+))?$"
)
ON = {"1", "true", "yes", "on"}


def find(text: str, *, progress: Tell | bool = True) -> Path:
    """The file behind an address, downloaded at the first time.

    Args:
        text: ``hf://user/repo/folder/file.pkl``; without a file, the only checkpoint of the repository is meant. A revision
            (branch, tag or commit; a / in it is written %2F) follows the repository: ``hf://user/repo@v1/file.pkl``.
        progress: True shows a bar, False nothing; or a function that is called with (bytes so far, bytes in all or None).

    Raises:
        ValueError: not such an address, or the repository has no checkpoint or several.
        DownloadError: it cannot be fetched, or is not in the cache in offline mode.
    """
    match = ADDRESS.match(text)
    if match is None or ".." in text:
        raise ValueError(
            f"an address of the Hub is hf://user/repo/file or hf://user/repo@revision/file; {text!r} was given"
        )
    repo, revision = match["repo"], unquote(match["revision"] or "main")
    folder = cache_folder() / "hub" / repo.replace("/", "--") / quote(revision, safe="")
    offline = os.environ.get("HF_HUB_OFFLINE", "").lower() in ON
    file = match["file"]
    if file is None:
        kept = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in SUFFIXES)
        file = only(kept if offline else _listed(repo, revision), text, lambda name: f"hf://{_at(match)}/{name}")
    target = folder / file
    if target.is_file():
        return target
    if offline:
        raise DownloadError(
            f"{text} is not in {folder}, and HF_HUB_OFFLINE forbids to fetch it. Put the file to {target}"
        )
    url = f"{_endpoint()}/{repo}/resolve/{quote(revision, safe='')}/{quote(file)}"
    try:
        return with_bar(url, target, progress, headers=_headers())
    except DownloadError as error:
        raise DownloadError(f"{error}{_hint(str(error))}") from error.__cause__


def _at(match: re.Match[str]) -> str:
    return match["repo"] + (f"@{match['revision']}" if match["revision"] else "")


def _endpoint() -> str:
    return (os.environ.get("HF_ENDPOINT") or ENDPOINT).rstrip("/")


def _headers() -> dict[str, str]:
    token = os.environ.get("HF_TOKEN", "").strip()
    return {"Authorization": f"Bearer {token}"} if token else {}


def _listed(repo: str, revision: str) -> list[str]:
    """Names of a repository's files."""
    import requests

    url = f"{_endpoint()}/api/models/{repo}/revision/{quote(revision, safe='')}"
    try:
        answer = requests.get(url, headers=_headers(), timeout=TIMEOUT)
        answer.raise_for_status()
        about: Any = answer.json()
    except (requests.exceptions.RequestException, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DownloadError(f"the files of {repo} cannot be listed: {reason}{_hint(reason)}") from error
    files = about.get("siblings") if isinstance(about, dict) else None
    if not isinstance(files, list):
        raise DownloadError(f"{url} did not answer with a list of files")
    return [str(file["rfilename"]) for file in files if isinstance(file, dict) and "rfilename" in file]


def _hint(reason: str) -> str:
    if re.search(r"\b40[13]\b", reason):
        return (
            ". It may not be public: accept its terms on its page, and put a token of yours into the variable HF_TOKEN"
        )
    return ". Is the name right?" if re.search(r"\b404\b", reason) else ""
