"""Encoders as inversion runs: pSp and e4e answer in one step, ReStyle corrects itself for some."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ... import weights
from ...checkpoints.detect import detect
from ...core.files import as_path
from ...session.session import GeneratorSession
from ..catalogue import BUNDLED
from ..run import Run
from ..spaces import coloured
from ..target import Target
from . import public, small


def bundled(kind: str) -> Path:
    """The file of the encoder that ships."""
    return weights.FOLDER / f"avatar.{kind}.safetensors"


class EncoderRun(Run):
    """w+ from a network. Starts from the mean of w; `steps` passes for ReStyle (Alaluf et al., ICCV 2021), else one."""

    space = "w+"

    def __init__(
        self,
        session: GeneratorSession,
        target: Target,
        method: str,
        settings: dict[str, Any],
        net: small.SmallEncoder | public.PublicEncoder,
    ) -> None:
        super().__init__(session, target, method, settings, int(settings.get("steps", 1)))
        self._net = net
        self.uses = {"encoder": settings["encoder"]}
        self._code = self._mean()

    def _mean(self) -> Tensor:
        net = self._net
        assert net.centre is not None
        return net.centre.expand(len(self.target), net.shape.rows, net.shape.w_dim).clone()

    def _advance(self) -> dict[str, float]:
        images, mask = self.target.on(self.session.device)
        with torch.no_grad():
            if self._net.shape.kind == "restyle":
                drawn = self._drawn if self._drawn is not None else self._draw(self._code)
                self._code = self._net(images, drawn, self._code)
            else:
                self._code = self._net(images)
            self._drawn = self._draw(self._code)
            error = (self._drawn - images).square()
            if mask is not None:
                error = error * mask / mask.mean(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6)
            return dict.fromkeys(("loss", "pixels"), float(error.mean()))

    def _draw(self, code: Tensor) -> Tensor:
        return coloured(self.session.synthesize(code[:, : self.session.num_ws]))

    def code(self) -> Tensor:
        return self._code[:, : self.session.num_ws].detach()

    def _state(self) -> dict[str, Any]:
        return {"code": self._code.clone()}

    def _restore(self, state: dict[str, Any]) -> None:
        self._code = state["code"].to(self.session.device)
        self._drawn = self._draw(self._code) if self.step or bool((self._code != self._mean()).any()) else None


def _start(kind: str, session: GeneratorSession, target: Target, **settings: Any) -> Run:
    return EncoderRun(session, target, kind, settings, _opened(kind, settings["encoder"], session))


def _opened(kind: str, given: str, session: GeneratorSession) -> small.SmallEncoder | public.PublicEncoder:
    """The encoder that ships, a file of `stylewidgets train encoders`, or a checkpoint of the public releases."""
    path = bundled(kind) if given == BUNDLED else as_path(given)
    if path.is_file() and detect(path).format in ("torch zip", "torch legacy"):
        released = public.load_encoder(path, {"psp": False, "e4e": True}.get(kind))
        _same_kind(kind, released.shape.kind, given)
        if reason := released.unfit(session):
            raise ValueError(f"{given!r} cannot be used here: {reason}")
        return released.for_session(session)
    net, about = small.load(path, session.device)
    _same_kind(kind, net.shape.kind, given)
    if not small.fits(net.shape, about, session):
        raise ValueError(_other(about, session))
    return net


def _same_kind(kind: str, found: str, given: str) -> None:
    if found != kind:
        raise ValueError(f"{given!r} is a {found} encoder; method {found!r} takes it, {kind!r} does not")


start_psp, start_e4e, start_restyle = (partial(_start, kind) for kind in small.KINDS)


def _other(about: dict[str, Any], session: GeneratorSession) -> str:
    return (
        f"this encoder was trained for {about.get('generator', 'another generator')} and those with the same mapping "
        f"network; {session.name or 'this generator'} has another. `stylewidgets train encoders KIND --generator FILE` makes "
        "one for it"
    )


def unfit(kind: str, session: GeneratorSession) -> str:
    """Why the encoder that ships cannot be used on a generator; "" if it can."""
    if not bundled(kind).is_file():
        return f"the encoder {bundled(kind).name} is not installed; `stylewidgets train encoders {kind}` makes it"
    shape, about = small.header(bundled(kind))
    return "" if small.fits(shape, about, session) else _other(about, session)
