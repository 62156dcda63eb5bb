"""A cluster of Ray, on lo alone. Without Ray, or outside of a network namespace of its own, its tests are skipped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[1] / "unit"
PORT = 6379


def why_not() -> str:
    """Why no cluster may be started here; "" where one may."""
    if find_spec("ray") is None:
        return "Ray is not installed: pip install 'stylewidgets[cluster]'"
    found = [name for _, name in socket.if_nameindex()]
    if found != ["lo"]:
        return (
            f"Ray listens on the network, and here is one ({', '.join(found)}); tests/cluster/alone.sh runs it without"
        )
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = why_not()
    for item in items:
        if reason and item.get_closest_marker("ray"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a cluster with two places for work, which finds the makers of the unit tests. It is ended by its process id."""
    folder = tmp_path_factory.mktemp("ray", numbered=False)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(UNIT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [
        str(Path(sys.executable).with_name("ray")),
        "start",
        "--head",
        "--block",
        f"--port={PORT}",
        "--node-ip-address=127.0.0.1",
        "--include-dashboard=false",
        "--num-cpus=2",
        "--object-store-memory=200000000",
        "--temp-dir=/tmp/ray-alone",  # the paths of its sockets must be short
    ]
    log = folder / "head.log"
    for _ in range(4):  # Ray gives itself half a minute to start, which a busy machine may miss
        with open(log, "w") as said:
            head = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        while head.poll() is None and "Ray runtime started" not in log.read_text():
            time.sleep(0.2)
        if head.poll() is None:
            break
    assert head.poll() is None, log.read_text()
    try:
        yield f"127.0.0.1:{PORT}"
    finally:
        head.terminate()
        head.wait(60)
