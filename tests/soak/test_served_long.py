"""Five minutes of a server with thirty clients, one of them flooding: its memory does not grow."""

from __future__ import annotations

from pathlib import Path

import pytest

from stylewidgets.bench.remote import clients
from stylewidgets.bench.remote.command import serving

ROUNDS, SECONDS = 10, 30.0


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_memory_of_a_server_does_not_grow() -> None:
    grown = []
    with serving("real", "measured", "avatar-64") as there:
        for _ in range(ROUNDS):  # who connects anew leaves nothing of the connection before
            seen = clients.run(there.address, there.about, 29, 1, SECONDS)
            assert min(seen.rates) > 0
            grown.append(there.memory() >> 20)
    print("MB after each half minute:", grown)
    assert max(grown[2:]) - grown[1] < 24
