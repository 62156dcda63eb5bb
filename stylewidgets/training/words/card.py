"""The model card of the small text encoder, from the record in its file."""

from __future__ import annotations

from typing import Any

from ...text.bag import BagPair
from .facts import KNOWN


def model_card(pair: BagPair, record: dict[str, Any]) -> str:
    """The model card in Markdown."""
    t, measured = record, record["measured"]
    names = list(measured)
    phrases = sum(len(fact.phrases) for fact in KNOWN)
    return f"""# text-avatars

Puts sentences about a face and pictures of avatars into one space of {pair.dim} numbers: what CLIP (Radford et al. 2021) does for
everything, for avatars alone. `stylewidgets.text.load()` gives it.

* Sentences: the sum of a vector for each word and for each known pair of words that stand together, both with a second
  one for negated words ("no glasses"), then a perceptron. {len(pair.vocabulary.stems)} words without their endings,
  {len(pair.vocabulary.together):,} pairs. Misspelled words are corrected, unknown ones are left out and said to be.
* Pictures: a perceptron on the last hidden units of the shipped factor network, which stays as it is. So a judge that is this
  network is not independent of it.
* {t["parameters"]:,} parameters without the factor network's, fp16.
* Trained on {t["renders"]:,} renders, {t["generated"]:,} pictures of avatar-128 and {t["generated"] * 2 // 5:,} of avatar-64,
  with {t["sentences"]} sentences each, {t["steps"]:,} steps, {t["seconds"] / 60:.0f} minutes, threads: {t["threads"]}. Every
  sentence of a batch that is true of a picture counts as right.
* Sentences come from a grammar of {len(KNOWN)} facts and their negations in {phrases:,} phrases.
* Command: `{_command(t)}`
* Measured by: `stylewidgets train words --measure-only --held-out {t["held_out"]}`
* Licence: MIT, as the project; made from the project's own renders only.

## Measured

On {t["held_out"]:,} pictures of each kind that it has not seen, in the shipped precision. The sentences of the first two rows
are those of `stylewidgets/text/unseen.json`, written down before the grammar and before any training, by the same hand as
the grammar.

| | {" | ".join(names)} |
|---|{"---|" * len(names)}
{_row("two sentences that exclude each other, 40 pairs: balanced accuracy (chance 0.5)", "wordings", measured)}
{_row("of 100 pictures the nearest satisfies all three facts of a sentence, 40 sentences", "triples", measured)}
{_row("the same for sentences of the grammar, three facts by chance", "grammar triples", measured)}
{_row("one fact in a short sentence of the grammar: area under the curve, mean of all facts", "facts", measured)}

What is read worst of the unseen pairs ({names[0]}): {_worst(measured[names[0]]["of each"]["wordings"])}.

What is found worst of the unseen sentences of three facts ({names[0]}): {_worst(measured[names[0]]["of each"]["triples"])}.
"""


def _row(words: str, key: str, measured: dict[str, Any]) -> str:
    return f"| {words} | " + " | ".join(f"{figures[key]:.3f}" for figures in measured.values()) + " |"


def _worst(of_each: dict[str, float], n: int = 5) -> str:
    found = sorted((value, name) for name, value in of_each.items() if value == value)[:n]
    return ", ".join(f"“{name}” {value:.2f}" for value, name in found)


def _command(t: dict[str, Any]) -> str:
    keys = {
        "renders": "renders",
        "generated": "generated",
        "sentences": "sentences",
        "seed": "seed",
        "threads": "threads",
    }
    words = [f"--{option} {t[key]}" for key, option in keys.items()]
    words += [f"--minutes {t['minutes']:g}"] if t.get("minutes") else [f"--steps {t['steps']}"]
    return "stylewidgets train words " + " ".join(words)
