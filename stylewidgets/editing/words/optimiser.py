"""The latent optimiser: a code is moved until its picture shows the sentence (Patashnik et al. 2021, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ... import domain
from ...inversion import spaces
from ...inversion.losses.losses import IDENTITIES, Embed
from ...inversion.methods.descent import Descent
from ...inversion.target import Target
from ...latent.latent import Latent
from ...session.session import GeneratorSession
from ...settings import Method, Setting, Value
from ...stylespace.channel import is_torgb
from .losses import learning_rate, same_loss, stay_loss, words_loss

if TYPE_CHECKING:
    from .encoder import Encoder

MODES = ("edit", "free")


class WordsOptimiser(Descent):
    """A run like any inversion; its target is the picture that it starts from.

    Args:
        session: the generator.
        target: the pictures to start from. Generated ones start from their own codes.
        encoder: of texts and pictures.
        initial: codes to start from in place of the target's.

    Raises:
        ValueError: a picture that was not generated and no `initial`; an empty sentence.
    """

    def __init__(
        self,
        session: GeneratorSession,
        target: Target,
        *,
        encoder: Encoder,
        initial: spaces.Codes | None = None,
        **settings: Value,
    ) -> None:
        values = METHOD.checked(settings)
        if not str(values["sentence"]).strip():
            raise ValueError(
                "an empty sentence was given; write what the picture is to show, such as 'a face with red hair'"
            )
        space = str(values["space"])
        if initial is None:
            mean = values["mode"] == "free"
            initial = (
                spaces.initial(session, space, "mean", len(target), 0) if mean else start_codes(session, target, space)
            )
        super().__init__(session, target, method=METHOD.name, settings=values, initial=initial)
        self._encoder = encoder
        self._embed: Embed | None = None
        self.uses = {"words": encoder.name}

    def _begin(self) -> None:
        super()._begin()
        self._from = self._code.detach().clone()
        if self.space == "s":  # as published: the layers that only make colours stay
            self._free = torch.from_numpy(~is_torgb(self.session.layers)).to(self._code.device)
        with torch.no_grad():
            self._text = self._encoder.texts([str(self.settings["sentence"])]).to(self._code.device).clone()
            if self.settings["mode"] == "edit" and self.settings["identity"]:
                self._embed = identity_of(self.session)
            if self._embed is not None:
                self._who = self._embed(self._images)

    def _objective(self) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        values = self.settings
        drawn = self._draw(self._code)
        terms = {"words": words_loss(self._encoder.pictures(drawn), self._text)}
        loss = terms["words"]
        if values["mode"] == "edit":
            terms["stay"] = stay_loss(self._code, self._from)
            loss = loss + float(values["l2"]) * terms["stay"]
            if self._embed is not None:
                terms["identity"] = same_loss(self._embed(drawn), self._who)
                loss = loss + float(values["identity"]) * terms["identity"]
        return loss, terms, drawn

    def _draw(self, code: Tensor) -> Tensor:
        """Pictures [N, 3, H, W] of codes; differentiable."""
        if self.space == "s":
            code = torch.where(self._free, code, self._from)
        return spaces.draw(self.session, code, self.space)

    def _rate(self) -> float:
        return learning_rate(self.step, self.total, float(self.settings["rate"]))


def start_codes(session: GeneratorSession, target: Target, space: str) -> Tensor:
    """The codes of generated pictures with all their edits, [N, ...] in "w", "w+" or "s".

    Raises:
        ValueError: one was not generated.
    """
    found = []
    for latent, name in zip(target.latents, target.names, strict=True):
        if latent is None:
            raise ValueError(
                f"{name!r} is a picture without a code; invert it first, and give result.latent(). Or give mode='free', "
                "which starts from the average picture"
            )
        if space != "s" and latent.in_s:
            raise ValueError(f"{name!r} has a code or edits in s, of which {space} knows nothing; give space='s'")
        found.append(session.flat_styles(latent) if space == "s" else session.map(latent))
    codes = torch.cat(found)
    return codes.mean(dim=1) if space == "w" else codes


def identity_of(session: GeneratorSession) -> Embed | None:
    """The identity network that stands for the domain: one that somebody registered under its name, else its last feature map.
    None for a domain that has neither."""
    known = domain.of(session)
    if known is None:
        return None
    if known.name in IDENTITIES:
        return IDENTITIES[known.name](session.device)
    if known.features is None:
        return None
    maps = known.features(session.device)
    return lambda pictures: maps(pictures)[-1].mean(dim=(2, 3))


def begin(
    session: GeneratorSession, encoder: Encoder, latent: Latent, sentence: str, **settings: Any
) -> WordsOptimiser:
    """A run of it from a latent, of which nothing is done yet."""
    settings.setdefault("space", "s" if latent.in_s else "w+")
    with torch.inference_mode(False):
        return WordsOptimiser(session, Target.of(latent, session), encoder=encoder, sentence=sentence, **settings)


METHOD = Method(
    "words",
    "Words (StyleCLIP optimiser)",
    "Moves the code of a generated picture until a sentence fits it; slow, and good for what no direction finds.",
    "Patashnik et al., StyleCLIP, 2021",
    WordsOptimiser,
    (
        Setting("sentence", "a smiling face", "what the picture is to show"),
        Setting("steps", 40, "steps; 40 as the authors' notebook, 300 as their script", 1, 10_000),
        Setting("space", "w+", "what is moved", choices=("w+", "s", "w")),
        Setting("l2", 0.008, "λ_L2, how much it holds to the code it starts from", 0.0, 1e3, log=False),
        Setting("identity", 0.005, "λ_ID, how much it holds to who it is", 0.0, 1e3),
        Setting("rate", 0.1, "largest learning rate", 1e-5, 10.0, log=True, advanced=True),
        Setting("mode", "edit", "edit, or free generation from the average picture", choices=MODES, advanced=True),
        Setting("seed", 0, "of what is drawn at random", 0, 2**32 - 1, advanced=True),
    ),
)
