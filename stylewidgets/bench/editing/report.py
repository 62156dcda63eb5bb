"""The figures as tables in Markdown, for the page and the terminal, and what they decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...core import files
from .score import Score
from .summary import Mean, against, cost, mean

REACHED = 0.8
"""An editor that does less than this share of what is wanted did not get there: its figures stand in brackets."""
FLOW, BOUNDARY, BASELINE = "StyleFlow", "InterFaceGAN boundary", "linear shift"
RIG, CONDITIONED = "StyleRig", "conditioned boundary"
Rows = Mapping[str, Any]
"""Editor → {"attributes": attribute → {"strength", "score", "paths", "order"}, "time"}."""


def write_into(page: Path, name: str, text: str) -> None:
    """Put a text between the marks ``<!-- NAME -->`` and ``<!-- /NAME -->`` of a page. ValueError where they are not."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    whole = page.read_text(encoding="utf-8")
    if whole.count(begin) != 1 or whole.count(end) != 1 or whole.index(begin) > whole.index(end):
        raise ValueError(f"{page} needs the lines {begin} and {end}, once each and in this order")
    head, rest = whole.split(begin)
    files.write(page, f"{head}{begin}\n{text.rstrip()}\n{end}{rest.split(end)[1]}")


def overview(found: Mapping[str, Any]) -> str:
    """One line for each editor: means over the attributes that it can change."""
    head = [
        "editor",
        "attributes",
        "raw",
        "done",
        "others",
        "cost",
        "identity",
        "realism",
        "truth",
        "path",
        "order",
        "time",
    ]
    lines = [_line(name, row) for name, row in found["rows"].items()]
    floor, ideal = found["floor"], {name: Score.of(each) for name, each in found["ideal"].items()}
    costs = [cost(score, name).value for name, score in ideal.items()]
    lines += [
        ["*exact re-render*", str(len(ideal)), "–", _of(ideal, "done"), _of(ideal, "others"), f"{np.mean(costs):.3f}"]
        + [_of(ideal, "identity"), "–", "0", "–", "–", "–"],
        ["*unedited*", "–", "–", "0", "0", "–", "1", f"{floor['realism']:.2f}", f"{floor['truth']:.1f}", "–", "–", "1"],
    ]
    return markdown(head, lines)


def _line(name: str, row: Mapping[str, Any]) -> list[str]:
    scores = {key: Score.of(each["score"]) for key, each in row["attributes"].items()}
    if not scores:
        return [name, "0", *["–"] * 10]
    raws = [each["strength"]["raw"] for each in row["attributes"].values()]
    costs = [cost(score, key).value for key, score in scores.items()]
    return [
        name,
        str(len(scores)),
        f"{np.median(raws):.2f}",
        _of(scores, "done"),
        _of(scores, "others"),
        f"{np.mean(costs):.3f}",
        _of(scores, "identity"),
        _of(scores, "realism"),
        _of(scores, "truth", 1),
        _joined(row, "paths"),
        _joined(row, "order"),
        "–" if row.get("time") is None else f"{row['time']:.1f}",
    ]


def by_attribute(found: Mapping[str, Any], figure: Callable[[Mapping[str, Any], str], str]) -> str:
    """A line for each attribute, a column for each editor."""
    rows = found["rows"]
    attributes = list(dict.fromkeys(key for row in rows.values() for key in row["attributes"]))
    lines = [
        [name] + [figure(row["attributes"][name], name) if name in row["attributes"] else "–" for row in rows.values()]
        for name in attributes
    ]
    head = ["", *rows]
    if figure is cost_cell:  # what even an exact edit costs, as this judge reads it
        head.append("*exact re-render*")
        for line in lines:
            line.append(f"{cost(Score.of(found['ideal'][line[0]]), line[0]).value:.2f}")
    return markdown(head, lines)


def cost_cell(each: Mapping[str, Any], attribute: str) -> str:
    """The cost, in brackets where the editor did not get there."""
    score = Score.of(each["score"])
    words = f"{cost(score, attribute).value:.2f}"
    return words if float(score.done.mean()) >= REACHED else f"({words})"


def path_cell(each: Mapping[str, Any], attribute: str) -> str:
    """How far the reading after {b, a} is from that after {a}."""
    return f"{np.mean(list(each['paths'].values())):.2f}" if each["paths"] else "–"


def verdicts(found: Mapping[str, Any], editor: str = FLOW, others: Sequence[str] = (BOUNDARY, BASELINE)) -> str:
    """An editor against others, attribute by attribute, with intervals; and for how many it is better."""
    rows = found["rows"]
    parts = []
    for other in others:
        if editor not in rows or other not in rows:
            continue
        mine, theirs = (rows[one]["attributes"] for one in (editor, other))
        shared = [name for name in mine if name in theirs]
        ratios = {n: against(Score.of(mine[n]["score"]), Score.of(theirs[n]["score"])) for n in shared}
        paths = {name: _path_ratio(rows, editor, other, name) for name in shared}
        lines = [[name, str(ratios[name]), "–" if paths[name] is None else f"{paths[name]:.2f}"] for name in shared]
        parts.append(markdown([f"{editor} / {other}", "change of others per σ done", "path"], lines))
        parts.append(
            f"{editor} changes the others less than {other} for {_count(ratios.values())} of {len(shared)} attributes "
            f"(the whole interval below 1: {sum(r.high < 1 for r in ratios.values())}; above 1: "
            f"{sum(r.low > 1 for r in ratios.values())}), and keeps the path better for "
            f"{sum(p is not None and p < 1 for p in paths.values())} of {sum(p is not None for p in paths.values())}."
        )
    return "\n\n".join(parts) or "Not measured yet."


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table."""
    rule = "|".join(["---"] + ["---:"] * (len(head) - 1))
    return "\n".join([f"| {' | '.join(head)} |", f"|{rule}|", *(f"| {' | '.join(line)} |" for line in lines)])


def _count(ratios: Sequence[Mean] | Any) -> int:
    return sum(ratio.value < 1 for ratio in ratios)


def _path_ratio(rows: Rows, editor: str, other: str, attribute: str) -> float | None:
    """Of the means over the partners that both were measured with."""
    a, b = (rows[one]["attributes"][attribute]["paths"] or {} for one in (editor, other))
    shared = [name for name in a if name in b]
    if not shared:
        return None
    return float(np.mean([a[name] for name in shared]) / max(np.mean([b[name] for name in shared]), 1e-9))


def _of(scores: Mapping[str, Score], figure: str, places: int = 2) -> str:
    return f"{np.mean([mean(getattr(score, figure)).value for score in scores.values()]):.{places}f}"


def _joined(row: Mapping[str, Any], figure: str) -> str:
    cells = [each[figure] for each in row["attributes"].values() if each[figure]]
    values = [np.mean(list(cell.values()) if isinstance(cell, dict) else cell) for cell in cells]
    return f"{np.mean(values):.2f}" if values else "–"
