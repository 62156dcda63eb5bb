"""Words: a generator and a text encoder, and the three methods of StyleCLIP that join them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from numpy.typing import NDArray

from ... import text
from ... import weights as bundled
from ...core import files
from ...jobs import Job, Run, Work, part
from ...latent.direction import Direction
from ...latent.latent import Latent
from ...session.session import GeneratorSession
from . import measuring, published, relevance, scaling, templates
from .find import Found
from .find import find as search
from .relevance import Relevance
from .table import ChannelTable

if TYPE_CHECKING:
    from ...inversion.run import Run as Optimisation
    from .encoder import Encoder
    from .mapper import Mapper

PREPARE = "stylewidgets train words-table"
_LATEST: WeakKeyDictionary[GeneratorSession, ref[Words]] = WeakKeyDictionary()


class Words:
    """Edits a generator's pictures by sentences (StyleCLIP, Patashnik et al., ICCV 2021).

    Args:
        session: the generator.
        encoder: that puts texts and pictures into one space; see `text.load`.
        table: of the style channels, for `direction`; None while there is none.

    Attributes:
        templates: the sentences that texts are put into, such as "a photo of a {}".

    Raises:
        ValueError: the table is of another generator or encoder.
    """

    def __init__(self, session: GeneratorSession, encoder: Encoder, table: ChannelTable | None = None) -> None:
        self.session, self.encoder = session, encoder
        _LATEST[session] = ref(self)
        self.templates: Sequence[str] = templates.choose(encoder.name)
        self._table: ChannelTable | None = None
        self._kept: dict[tuple[str, str], Relevance] = {}
        if table is not None:
            self.table = table

    @classmethod
    def load(
        cls,
        session: GeneratorSession,
        encoder: Encoder | str | os.PathLike[str] | None = None,
        table: ChannelTable | str | os.PathLike[str] | None = None,
    ) -> Words:
        """Words for a generator.

        Args:
            encoder: what `text.load` takes, or an encoder; None for the bundled one.
            table: a file of `ChannelTable.save`, or a folder of published global directions. None: the one that ships for
                this generator and encoder, else the one that `prepare` kept; where there is neither, `direction` says so.
        """
        if encoder is None or isinstance(encoder, (str, os.PathLike)):
            encoder = text.load(encoder).to(session.device)
        if isinstance(table, (str, os.PathLike)):
            path = files.as_path(table)
            ours = path.suffix.lower() in (".safetensors", ".npz")
            table = ChannelTable.load(path) if ours else published.read_table(path, session)
        return cls(session, encoder, table if table is not None else _known(session, encoder))

    @staticmethod
    def of(session: GeneratorSession) -> Words | None:
        """The words that were made last for a session, as long as somebody keeps them."""
        found = _LATEST.get(session)
        return None if found is None else found()

    # -- the table of channels -----------------------------------------------------------------------------------------
    @property
    def table(self) -> ChannelTable | None:
        """Where each style channel takes pictures; None until `prepare` has run."""
        return self._table

    @table.setter
    def table(self, table: ChannelTable) -> None:
        reason = table.fits(self.session, self.encoder.fingerprint, self.encoder.dim, self.encoder.name)
        if reason is not None:
            raise ValueError(reason)
        self._table = table
        self._kept.clear()

    def cost(self, **settings: Any) -> measuring.Cost:
        """Pictures and seconds that `prepare` with these settings takes; it draws three batches to know."""
        return measuring.cost(self.session, self.encoder, **settings)

    def prepare(self, **settings: Any) -> Run[ChannelTable]:
        """A run that measures the table; keywords are those of `measuring.measure`. Its `result` so far is usable at once.

        Stopped and started again, in another process too, it goes on where it was.
        """

        def making() -> Job[ChannelTable]:
            made = yield from measuring.measure.steps(self.session, self.encoder, **settings)
            self.table = made
            return made

        return Run(making(), again=making)

    # -- global directions ---------------------------------------------------------------------------------------------
    def relevance(self, neutral: str, target: str) -> Relevance:
        """How much each style channel has to do with going from one text to the other.

        Raises:
            ValueError: an empty text, one of which the encoder knows nothing, texts that mean the same, or no table yet.
        """
        key = (neutral.strip(), target.strip())
        if key not in self._kept:
            if self._table is None:
                raise ValueError(
                    f"there is no table of channels for this generator and {self.encoder.name!r} yet: `Words.prepare()` "
                    f"measures one, and so does `{PREPARE}`"
                )
            change = relevance.text_direction(*(self._embeddings(each) for each in key))
            values = self._table.directions.astype(np.float64) @ change
            self._kept[key] = Relevance(np.where(self._table.known, values, 0.0), change, *key)
        return self._kept[key]

    @Work
    def direction(
        self, neutral: str, target: str, beta: float | None = None, *, name: str = "", measured: bool | None = None
    ) -> Job[Direction]:
        """A direction in s from one text to another: StyleCLIP's global direction (section 6).

        The strongest channel moves by one σ for each unit of α, the others by their part of it; channels below β stay. α for a
        strength of 1 is found so that the pictures come nearer to the words by `scaling.EFFECT` standard deviations.

        Args:
            neutral: what pictures are as a rule, such as "a face".
            target: what they are to become, such as "a smiling face".
            beta: channels with |relevance| below it stay; more of them move for smaller ones. None: the largest that leaves
                more than 20; where so few do less than the usual effect, the shortest step of that and of 80
                and 240 channels that does as much, by drawing.
            name: of the direction; the target when empty.
            measured: whether a few faces are drawn to find the scale, or the table must do; None: where they are quick.

        Raises:
            ValueError: (NothingRelevant) no channel passes β, with the largest relevance; or as of `relevance`.
        """
        found = self.relevance(neutral, target)
        table = self._table
        assert table is not None
        drawn = measured or (measured is None and measuring.side_of(self.session) < measuring.LEAST_SIDE)
        tried: list[tuple[scaling.Scale, float, NDArray[np.float64]]] = []
        betas = (float(beta),) if beta is not None else (found.beta, *(found.wider if drawn else ()))
        for chosen in betas:
            share = relevance.weights(found.values, chosen)
            scale = scaling.predicted(table, share, found.values, found.change)
            if drawn:
                job = scaling.measured(self.session, self.encoder, table, share, found.change, scale.alpha)
                scale = yield from part(job)
            tried.append((scale, chosen, share))
            if scale.reached > scaling.ENOUGH:
                break
        most = scaling.ALMOST * max(each[0].reached for each in tried)
        fitting = (each for each in tried if each[0].reached >= most)
        scale, chosen, share = min(fitting, key=lambda each: each[0].alpha * float(np.linalg.norm(each[2])))
        count = int((share != 0).sum())
        less = "" if scale.reached > scaling.ENOUGH else f"; reaches {scale.reached:.0%} of the usual effect"
        return Direction(
            name or found.target,
            (share * table.sigma).astype(np.float32),
            scale.alpha,
            "s",
            unit="×",
            source=f"words: from {found.neutral!r} to {found.target!r}, beta {chosen:.2f}, {count} channels{less}",
        )

    # -- the other methods ---------------------------------------------------------------------------------------------
    def optimise(self, latent: Latent, sentence: str, **settings: Any) -> Optimisation:
        """An optimisation of one picture's code towards a sentence (section 4): a run like any inversion.

        Args:
            latent: where it starts.
            sentence: what the picture is to show.
            settings: space "w+" or "s", steps, rate, l2, identity, mode "edit" or "free"; see `optimiser.METHOD`.
        """
        from .optimiser import begin

        self.check(sentence)
        return begin(self.session, self.encoder, latent, sentence, **settings)

    def mapper(self, name: str | os.PathLike[str]) -> Mapper:
        """A trained mapper, made known to the session: one that ships for this generator, or a file (a published one too).

        Raises:
            FileNotFoundError, ValueError: there is none of that name, or it is of another generator.
        """
        from .mapper import Mapper

        found = Mapper.find(name, self.session)
        self.session.editors.add(Mapper.kind, found)
        return found

    def mappers(self) -> tuple[str, ...]:
        """Names of the mappers that ship for this generator."""
        from .mapper import names

        return names(self.session)

    def fit_mapper(self, sentence: str, **settings: Any) -> Run[Mapper]:
        """A run that trains a mapper for a sentence (section 5) on codes of this generator; see `mapper_training.train`."""
        from .mapper_training import train

        self.check(sentence)

        def making() -> Job[Mapper]:
            made = yield from train.steps(self.session, self.encoder, sentence, **settings)
            self.session.editors.add(made.kind, made)
            return made

        return Run(making())

    # -- texts on pictures ---------------------------------------------------------------------------------------------
    @Work
    def find(self, sentence: str, latents: Sequence[Latent]) -> Job[list[Found]]:
        """Latents with how well a sentence fits each of their pictures, the best first."""
        wanted = self._embeddings(sentence).mean(axis=0)
        return (yield from search(self.session, self.encoder, wanted / np.linalg.norm(wanted), latents))

    def check(self, sentence: str) -> tuple[str, ...]:
        """What the encoder knows of a sentence.

        Raises:
            ValueError: it is empty, or holds nothing that the encoder knows.
        """
        templates.filled(sentence, ("{}",))
        known = tuple(self.encoder.understood(sentence))
        if not known:
            raise ValueError(f"{self.encoder.name!r} knows no word of {sentence.strip()!r:.80}; say it in other words")
        return known

    def _embeddings(self, sentence: str) -> NDArray[np.float64]:
        """[m, d] of a sentence in every template."""
        self.check(sentence)
        found: NDArray[np.float64] = (
            self.encoder.texts(templates.filled(sentence, self.templates)).double().cpu().numpy()
        )
        return found


def _known(session: GeneratorSession, encoder: Encoder) -> ChannelTable | None:
    """The table that ships for them, else the one that a finished `prepare` with the usual settings left on disk."""
    for path in sorted(bundled.FOLDER.glob("*.words.safetensors")):
        table = ChannelTable.load(path)
        if table.fits(session, encoder.fingerprint, encoder.dim, encoder.name) is None:
            return table
    return measuring.kept(session, encoder)
