"""Where a result of InversionViewer goes on: in an explorer, a mixing grid or a probe."""

from __future__ import annotations

from typing import Any

from ...session.session import GeneratorSession


class SendsResult:
    """Opens the shown result, `value` on `_shown_session()`, in another widget."""

    value: Any

    def _shown_session(self) -> GeneratorSession:
        raise NotImplementedError

    def explorer(self, **options: Any) -> Any:
        """A new `LatentExplorer` of the shown result, on a generator with its fitted noise and parameters."""
        from ..latent_explorer.explorer import LatentExplorer

        session = self._shown_session()
        named = list(session.directions.values())[:5]
        value = self.value
        for direction in named:
            value = value.with_edit(direction, 0.0, direction.layers)
        return LatentExplorer(session, value, **options)

    def grid(self, **options: Any) -> Any:
        """A new `StyleMixGrid` whose first row is the shown result."""
        from ..style_mix_grid.grid import StyleMixGrid

        return StyleMixGrid(self._shown_session(), **{"rows": [self.value, 1, 2], **options})

    def probe(self, **options: Any) -> Any:
        """A new `StyleSpaceProbe` of the shown result."""
        from ..style_space_probe.probe import StyleSpaceProbe

        return StyleSpaceProbe(self._shown_session(), value=self.value, **options)
