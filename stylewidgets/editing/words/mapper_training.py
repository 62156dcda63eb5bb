"""Training of a mapper on codes of one generator (Patashnik et al. 2021, section 5)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from ...core.checks import check_finite, check_int, unknown_name
from ...inversion import spaces
from ...jobs import Job, Progress, Work
from ...latent.mapped import LEVELS
from ...session.session import GeneratorSession
from .losses import learning_rate, same_loss, words_loss
from .mapper import Mapper
from .mapper_net import Layers, change_w, drawn, rows_of
from .optimiser import identity_of

if TYPE_CHECKING:
    from .encoder import Encoder


@Work
def train(
    session: GeneratorSession,
    encoder: Encoder,
    sentence: str,
    *,
    name: str = "",
    levels: Sequence[str] = LEVELS,
    steps: int = 160,
    batch: int = 4,
    rate: float = 1.5,
    l2: float = 0.5,
    identity: float = 0.1,
    psi: float = 0.7,
    seed: int = 0,
) -> Job[Mapper]:
    """A mapper for a sentence. Stopped, it is the one trained so far.

    It minimises ``1 − cos(E(G(ŵ)), E(text)) + l2 · mean (ŵ − w)² + identity · (1 − cos of who it is)`` with ŵ = w + 0.1 M(w) over
    random codes. The paper trains with Ranger for 50,000 steps of 2; here it is Adam with a rise and a fall of the rate, and
    a small generator needs some hundred steps, at a larger rate and a smaller l2.

    Args:
        sentence: what pictures are to show.
        name: of its edits; the sentence when empty.
        levels: those that get a network. Without "fine" colours stay, without "coarse" the pose.
        steps: of training.
        batch: codes a step.
        rate: largest learning rate; parameters are 1 / 0.01 times what they do.
        l2: weight of the mean square of the change, λ_L2. In the paper 0.8; 2 and no identity for another person.
        identity: weight of the identity term, λ_ID; without effect where the domain has no identity network.
        psi: truncation of the codes.
        seed: of first weights and codes.

    Raises:
        ValueError: an unknown level, none at all, or numbers out of range.
    """
    chosen = tuple(level for level in LEVELS if level in levels)
    for level in levels:
        if level not in LEVELS:
            raise unknown_name("level of a mapper", level, LEVELS)
    spans = rows_of(session.num_ws)
    chosen = tuple(level for level in chosen if spans[level].stop > spans[level].start)
    if not chosen:
        raise ValueError(f"a mapper has at least one of the levels {', '.join(LEVELS)}")
    check_int("steps", steps, 1)
    check_int("batch", batch, 1)
    for word, value in (("rate", rate), ("l2", l2), ("identity", identity)):
        check_finite(word, value, 0.0)

    yield Progress(0, steps, "loading what it measures with", indivisible=2.0)
    source = torch.Generator().manual_seed(seed)
    device = session.device
    with torch.inference_mode(False):
        nets: dict[str, Layers] = {level: drawn(session.w_dim, source, device) for level in chosen}
        moving = [tensor.requires_grad_() for layers in nets.values() for pair in layers for tensor in pair]
        optimizer = torch.optim.Adam(moving, lr=0.0, betas=(0.9, 0.99))
        text = encoder.texts([sentence]).to(device).clone()
    who = identity_of(session) if identity else None
    began = time.perf_counter()

    def made() -> Mapper:
        kept = {
            n: [(w.detach().half().float().cpu(), b.detach().half().float().cpu()) for w, b in ls]
            for n, ls in nets.items()
        }
        about = {
            "sentence": sentence,
            "encoder_name": encoder.name,
            "encoder": encoder.fingerprint,
            "steps": at,
            "batch": batch,
            "l2": l2,
            "identity": identity if who is not None else 0.0,
            "psi": psi,
            "seed": seed,
            "seconds": round(time.perf_counter() - began, 1),
        }
        return Mapper(name or sentence, kept, "w+", (session.w_dim,), session.fingerprint("w"), None, about)

    at = 0
    for at in range(1, steps + 1):
        with session.lock, torch.inference_mode(False), torch.enable_grad():
            w = session.sample_w(batch, seed * steps + at, psi).clone()[:, None].expand(-1, session.num_ws, -1)
            change = change_w(nets, w, chosen)
            pictures = spaces.draw(session, w + change, "w+")
            terms = {
                "words": words_loss(encoder.pictures(pictures), text).mean(),
                "stay": change.square().mean(),
            }
            loss = terms["words"] + l2 * terms["stay"]
            if who is not None:
                with torch.no_grad():
                    before = who(spaces.draw(session, w, "w+"))
                terms["identity"] = same_loss(who(pictures), before).mean()
                loss = loss + identity * terms["identity"]
            if not bool(torch.isfinite(loss)):
                raise FloatingPointError("the loss is not finite any more; a lower rate may help")
            for variable, slope in zip(moving, torch.autograd.grad(loss, moving), strict=True):
                variable.grad = slope
            optimizer.param_groups[0]["lr"] = learning_rate(at, steps + 1, rate, rise=0.1, fall=0.7)
            optimizer.step()
        told = {"loss": float(loss.detach()), **{key: float(term.detach()) for key, term in terms.items()}}
        yield Progress(at, steps, "training", terms=told, partial=made)
    return made()
