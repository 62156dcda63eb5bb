"""Descent: the runs that follow a gradient. Subclasses say what is drawn, what it costs, and at which rate to learn."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ...session.session import GeneratorSession
from ..run import Run
from ..spaces import check_code, check_space
from ..target import Target


class Descent(Run):
    """Base of the optimisations with Adam.

    A step that is interrupted, or fails, leaves everything as it was before it.

    Args:
        session, target, method, settings, total: as of `Run`.
        space: of the code.
        initial: codes to start from, in that space; None for the method's own start.

    Attributes:
        losses: what was minimised in the last step, [N]; None before the first.
    """

    def __init__(
        self,
        session: GeneratorSession,
        target: Target,
        *,
        method: str,
        settings: Mapping[str, Any],
        total: int,
        space: str,
        initial: Any = None,
    ) -> None:
        super().__init__(session, target, method=method, settings=settings, total=total)
        self.space = check_space(space)
        self._given = None if initial is None else check_code(session, initial, space, len(target))
        self._source = torch.Generator()  # on the CPU, so that seeds mean the same on every device
        self._optimizer: torch.optim.Adam | None = None
        self.losses: Tensor | None = None

    # -- to implement --------------------------------------------------------------------------------------------------
    @abstractmethod
    def _begin(self) -> None:
        """Make variables and losses; called once, in the first step."""

    @abstractmethod
    def _groups(self) -> list[dict[str, Any]]:
        """What Adam moves, as parameter groups; their tensors are leaves that require a gradient."""

    @abstractmethod
    def _objective(self) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        """Loss [N], its terms [N] by name, and the pictures drawn, at the variables as they are."""

    @abstractmethod
    def _rates(self) -> Sequence[float]:
        """Learning rate of each group in this step, the (step + 1)-th."""

    def _after(self) -> None:
        """Whatever must hold for the variables after a step."""

    def _more_state(self) -> dict[str, Any]:
        """State beyond variables, optimiser and random source."""
        return {}

    def _restore_more(self, state: dict[str, Any]) -> None:
        """The inverse of `_more_state`."""

    # -- Run -----------------------------------------------------------------------------------------------------------
    def _advance(self) -> dict[str, float]:
        self._prepare()
        before = self._state()
        try:
            loss, terms, drawn = self._objective()
            total = loss.sum()  # pictures are independent: the gradient of the sum is that of each
            if not math.isfinite(float(total.detach())):
                raise FloatingPointError("the loss is not finite any more; a lower learning rate may help")
            optimizer = self._optimizer
            assert optimizer is not None
            optimizer.zero_grad(set_to_none=True)
            variables = [v for group in optimizer.param_groups for v in group["params"]]
            for variable, slope in zip(
                variables, torch.autograd.grad(total, variables, allow_unused=True), strict=True
            ):
                variable.grad = slope
            for group, rate in zip(optimizer.param_groups, self._rates(), strict=True):
                group["lr"] = rate
            optimizer.step()
            self._after()
        except BaseException:
            self._restore(before)
            raise
        self._drawn, self.losses = drawn.detach(), loss.detach()
        return {"loss": float(self.losses.mean())} | {name: float(term.detach().mean()) for name, term in terms.items()}

    def _lacks(self) -> bool:
        return self._optimizer is None

    def _prepare(self) -> None:
        """Begin, unless that is done. With ordinary tensors even where the caller is in inference mode."""
        if self._optimizer is None:
            with torch.inference_mode(False), self.session.lock:
                self._begin()
                self._make_optimizer()

    def _make_optimizer(self) -> None:
        groups = [{**group, "params": [v.requires_grad_() for v in group["params"]]} for group in self._groups()]
        self._optimizer = torch.optim.Adam(groups, lr=0.0, betas=(0.9, 0.999), eps=1e-8)

    def _variables(self) -> list[Tensor]:
        assert self._optimizer is not None
        return [v for group in self._optimizer.param_groups for v in group["params"]]

    def _state(self) -> dict[str, Any]:
        self._prepare()
        assert self._optimizer is not None
        moments = self._optimizer.state
        variables = self._variables()
        return {
            "variables": [v.detach().clone() for v in variables],
            "moments": [
                {name: t.detach().clone() for name, t in moments[v].items()} if v in moments else None
                for v in variables
            ],
            "random": self._source.get_state(),
            "more": self._more_state(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self._prepare()
        self._restore_more(state["more"])  # may choose other variables
        assert self._optimizer is not None
        variables = self._variables()
        if [v.shape for v in variables] != [v.shape for v in state["variables"]]:
            raise ValueError(
                f"the state has variables {[list(v.shape) for v in state['variables']]}; "
                f"this run has {[list(v.shape) for v in variables]}: it is of another generator or target"
            )
        with torch.no_grad():
            for variable, old in zip(variables, state["variables"], strict=True):
                variable.copy_(old)
        self._optimizer.state.clear()
        for variable, old in zip(variables, state["moments"], strict=True):
            if old is not None:
                self._optimizer.state[variable] = {
                    name: t.clone() if name == "step" else t.to(variable.device).clone() for name, t in old.items()
                }
        self._source.set_state(state["random"].cpu())
