"""Values that machines of edits made are drawn by a server that has these machines, with the bits of a local session."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import stylewidgets as sw
from stylewidgets.core import pictures
from stylewidgets.editing.flow.machine import Flow
from stylewidgets.editing.rig.machine import Rig
from stylewidgets.editing.words.mapper import Mapper
from stylewidgets.remote.messages import RemoteError
from stylewidgets.render.ladder import STILL
from stylewidgets.server.serving import Serving

pytestmark = pytest.mark.slow


def test_edits_of_a_flow_a_rig_and_a_mapper_are_drawn_there_and_their_machines_stay_there(
    serve: Callable[[Serving], str],
) -> None:
    here, there = (sw.load("avatar-128", device="cpu") for _ in range(2))
    remote = sw.connect(serve(Serving({"avatar-128": there}, batches=False)), deadline=120.0)
    start = here.latent(seed=3)
    flow, rig = Flow.load(here), Rig.load(here)
    edited = [
        flow.edit(start, smile=1.0),
        rig.edit(start, yaw=20.0),
        start.with_edit(Mapper.load(here).edit()),
    ]
    live = remote.live()
    for latent in edited:
        wanted = here.image(latent)
        assert not np.array_equal(wanted, here.image(start)), latent
        assert np.array_equal(remote.image(latent), wanted)
        picture = live.begin(latent, STILL)()
        assert picture is not None
        assert np.array_equal(np.asarray(pictures.read(picture.data)), wanted)
    live.close()
    for kind in ("flow", "rig", "mapper"):
        with pytest.raises(RemoteError, match="needs the generator, which is on"):
            remote.editors.of(kind)
    remote.close()
