"""Downloads against a server on loopback that drops, truncates, redirects and lies."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stylewidgets.checkpoints.zoo.download import DownloadError, download

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `content` at every path. `script` holds one behaviour per request; the last one stays."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.script: list[Callable[[Handler], None]] = [Handler.whole]
        self.seen: list[dict[str, str]] = []
        self.etag = '"one"'

    def handle_error(self, *_: object) -> None:  # a client that hangs up is part of the play
        pass

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/folder/net.pkl"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.seen.append(dict(self.headers))
        script = self.server.script
        step = script.pop(0) if len(script) > 1 else script[0]
        step(self)

    def log_message(self, *_: object) -> None:
        pass

    def head(self, status: int, length: int | None, **more: str) -> None:
        self.send_response(status)
        if self.server.etag:
            self.send_header("ETag", self.server.etag)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def start(self) -> int:
        """Where the client wants to go on, if it may."""
        wanted = self.headers.get("Range")
        same = self.headers.get("If-Range") in (None, self.server.etag)
        return int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and same else 0

    def whole(self, end: int | None = None) -> None:
        start, content = self.start(), self.server.content
        if start:
            self.head(206, len(content) - start, Content_Range=f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.head(200, len(content))
        self.wfile.write(content[start:end])
        self.wfile.flush()
        self.connection.close()

    def half(self) -> None:
        self.whole(len(self.server.content) // 2)

    def no_ranges(self) -> None:
        self.head(200, len(self.server.content))
        self.wfile.write(self.server.content)

    def no_length(self) -> None:
        self.head(200, None)
        self.wfile.write(self.server.content)

    def nothing(self) -> None:
        self.connection.close()

    def wrong_part(self) -> None:
        self.head(206, 10, Content_Range=f"bytes 0-9/{len(self.server.content)}")
        self.wfile.write(self.server.content[:10])

    def moved(self) -> None:
        self.head(302, 0, Location="/elsewhere/net.pkl")

    def quota(self) -> None:
        self.head(200, 40, Content_Type="text/html; charset=utf-8")
        self.wfile.write(b"<!DOCTYPE html><html>quota</html>".ljust(40))

    def disguised_quota(self) -> None:
        self.head(200, 40, Content_Type="application/octet-stream")
        self.wfile.write(b"\n<!DOCTYPE html><html>quota</html>".ljust(40))

    def huge(self) -> None:
        self.head(200, 10**15)

    def not_there(self) -> None:
        self.head(404, 0)

    def busy(self) -> None:
        self.head(503, 0, Retry_After="0")

    def out_of_range(self) -> None:
        self.head(416, 0)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "net.pkl"


def fetch(server: Server, target: Path, **known: object) -> Path:
    return download(server.url, target, **{"wait": 0.0, "timeout": (5.0, 5.0), **known})


def ranges(server: Server) -> list[str | None]:
    return [headers.get("Range") for headers in server.seen]


def test_a_whole_file_arrives_with_its_record_and_leaves_no_part(server: Server, target: Path) -> None:
    steps: list[tuple[int, int | None]] = []
    assert fetch(server, target, sha256=SHA, size=len(CONTENT), callback=lambda *step: steps.append(step)) == target
    assert target.read_bytes() == CONTENT and steps[-1] == (len(CONTENT), len(CONTENT))
    record = json.loads(Path(f"{target}.json").read_text())
    assert record["sha256"] == SHA and record["trust"] == "published sha256" and record["url"] == server.url
    assert not list(target.parent.glob("*.part*"))


def test_a_file_that_is_there_is_not_asked_for_again(server: Server, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"mine")
    assert fetch(server, target).read_bytes() == b"mine" and not server.seen


def test_a_dropped_connection_goes_on_where_it_stopped(server: Server, target: Path) -> None:
    server.script = [Handler.half, Handler.whole]
    assert fetch(server, target, sha256=SHA).read_bytes() == CONTENT
    assert ranges(server) == [None, f"bytes={len(CONTENT) // 2}-"]
    assert server.seen[1]["If-Range"] == '"one"'


def test_a_later_call_goes_on_with_the_part_of_an_earlier_one(server: Server, target: Path) -> None:
    server.script = [Handler.half, Handler.nothing]
    with pytest.raises(DownloadError, match="by hand"):
        fetch(server, target)
    assert not target.exists() and Path(f"{target}.part").stat().st_size == len(CONTENT) // 2
    server.script = [Handler.whole]
    assert fetch(server, target).read_bytes() == CONTENT
    assert ranges(server)[-1] == f"bytes={len(CONTENT) // 2}-"


def test_an_interrupt_leaves_the_part_and_the_next_call_goes_on(server: Server, target: Path) -> None:
    server.content = CONTENT * 3

    def interrupt(done: int, total: int | None) -> None:
        if done >= len(CONTENT):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(server, target, callback=interrupt)
    kept = Path(f"{target}.part").stat().st_size
    assert 0 < kept < len(server.content) and not target.exists()
    assert fetch(server, target).read_bytes() == CONTENT * 3
    assert ranges(server)[-1] == f"bytes={kept}-"


def test_a_server_without_ranges_sends_all_again_and_nothing_is_doubled(server: Server, target: Path) -> None:
    server.script = [Handler.half, Handler.no_ranges]
    assert fetch(server, target, sha256=SHA).read_bytes() == CONTENT


def test_a_file_that_changed_in_between_is_not_joined_to_the_old_part(server: Server, target: Path) -> None:
    def change(handler: Handler) -> None:
        server.content, server.etag = CONTENT[::-1], '"two"'
        handler.whole()

    server.script = [Handler.half, change]
    assert fetch(server, target).read_bytes() == CONTENT[::-1]


def test_without_a_version_and_a_sha256_a_part_is_not_trusted(server: Server, target: Path) -> None:
    server.etag = ""
    server.script = [Handler.half, Handler.whole]
    assert fetch(server, target).read_bytes() == CONTENT
    assert ranges(server) == [None, None]


def test_the_wrong_part_of_the_file_is_not_taken(server: Server, target: Path) -> None:
    server.script = [Handler.half, Handler.wrong_part, Handler.whole]
    assert fetch(server, target, sha256=SHA).read_bytes() == CONTENT
    assert ranges(server) == [None, f"bytes={len(CONTENT) // 2}-", None]


def test_a_range_beyond_the_end_starts_again(server: Server, target: Path) -> None:
    server.script = [Handler.half, Handler.out_of_range, Handler.whole]
    assert fetch(server, target).read_bytes() == CONTENT


def test_an_answer_without_a_length_ends_where_it_ends(server: Server, target: Path) -> None:
    server.script = [Handler.no_length]
    assert fetch(server, target, sha256=SHA).read_bytes() == CONTENT


def test_a_redirect_is_followed(server: Server, target: Path) -> None:
    server.script = [Handler.moved, Handler.whole]
    assert fetch(server, target).read_bytes() == CONTENT


def test_a_redirect_in_a_circle_ends(server: Server, target: Path) -> None:
    server.script = [Handler.moved]
    with pytest.raises(DownloadError, match="redirect"):
        fetch(server, target)


def test_a_busy_server_is_asked_again(server: Server, target: Path) -> None:
    server.script = [Handler.busy, Handler.nothing, Handler.whole]
    assert fetch(server, target).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (Handler.not_there, "404"),
        (Handler.quota, "web page"),
        (Handler.disguised_quota, "web page"),
        (Handler.huge, "can be kept"),
        (Handler.busy, "503"),
        (Handler.nothing, "connection failed"),
    ],
)
def test_a_server_that_does_not_give_the_file_is_named_with_the_way_by_hand(
    server: Server, target: Path, behaviour: Callable[[Handler], None], words: str
) -> None:
    server.script = [behaviour]
    with pytest.raises(DownloadError) as caught:
        fetch(server, target)
    assert words in str(caught.value) and server.url in str(caught.value) and str(target.parent) in str(caught.value)
    assert not target.exists() and "\n" not in str(caught.value)


def test_an_unreachable_server_says_where_to_put_the_file(target: Path) -> None:
    with pytest.raises(DownloadError) as caught:
        download("http://127.0.0.1:9/net.pkl", target, attempts=2, wait=0.0)
    assert f"by hand and put it to {target}" in str(caught.value)


@pytest.mark.parametrize("url", ["net.pkl", "ftp://somewhere/net.pkl", "http://"])
def test_an_address_that_is_none_is_refused(url: str, target: Path) -> None:
    with pytest.raises(DownloadError):
        download(url, target, attempts=1)


def test_content_that_is_not_the_known_one_is_thrown_away(server: Server, target: Path) -> None:
    server.content = CONTENT[:-1] + b"!"
    with pytest.raises(DownloadError, match="sha256"):
        fetch(server, target, sha256=SHA)
    assert [path.name for path in target.parent.iterdir()] in ([], ["net.pkl.lock"])


def test_a_part_that_was_spoilt_is_fetched_anew_once(server: Server, target: Path) -> None:
    server.script = [Handler.half, Handler.nothing]
    with pytest.raises(DownloadError):
        fetch(server, target, attempts=1)
    part = Path(f"{target}.part")
    part.write_bytes(b"x" * part.stat().st_size)
    server.script = [Handler.whole]
    assert fetch(server, target, sha256=SHA).read_bytes() == CONTENT


def test_a_wrong_size_is_refused_before_the_download(server: Server, target: Path) -> None:
    with pytest.raises(DownloadError, match="offers 1,048,576 bytes"):
        fetch(server, target, size=5)


def test_the_first_download_is_remembered_and_another_content_is_refused(server: Server, target: Path) -> None:
    record = Path(f"{fetch(server, target)}.json")
    assert json.loads(record.read_text())["trust"] == "first download"
    target.unlink()
    server.content, server.etag = CONTENT[::-1], '"two"'
    with pytest.raises(DownloadError, match=r"another one than at the first download.*delete"):
        fetch(server, target)
    record.unlink()
    asked = len(server.seen)
    assert fetch(server, target).read_bytes() == CONTENT[::-1]
    assert len(server.seen) == asked  # what had come was kept


def test_two_downloads_at_a_time_ask_once(server: Server, target: Path) -> None:
    threads = [threading.Thread(target=fetch, args=(server, target)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() == CONTENT and len(server.seen) == 1
