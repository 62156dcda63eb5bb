"""``stylewidgets bench --remote``: one server and many clients, on loopback, in loops of bounded count and time."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import requests

from ...core.options import Options
from ...core.values import rounded
from ..report import table
from . import clients
from .served import FRAME

DESCRIPTION = (
    "Measure how many people one machine serves at a time, and how fairly: clients that drag at 60 values a second against "
    "a server on loopback, with a synthetic renderer of a fixed time and with the model itself. Ratios within a run count."
)
MOST_CLIENTS = 200


def _counts(text: str) -> list[int]:
    found = [int(part) for part in text.split(",") if part.strip().isdecimal()]
    if not found or len(found) != len(text.split(",")) or not all(1 <= count <= MOST_CLIENTS for count in found):
        raise argparse.ArgumentTypeError(
            f"{text!r} are no numbers of clients, such as 1,10,30 (at most {MOST_CLIENTS})"
        )
    return found


OPTIONS: Options = {
    "generator": {"nargs": "?", "help": "a bundled name or a checkpoint (default: the bundled one)"},
    "--clients": {"type": _counts, "default": [1, 10, 30], "metavar": "N,N", "help": "at a time (default: 1,10,30)"},
    "--greedy": {"type": int, "default": 1, "help": "of them that flood, in a run of its own (default: 1)"},
    "--seconds": {"type": float, "default": 4.0, "help": "of each run, at most 60 (default: 4)"},
    "--null": {"action": "store_true", "help": "only what a server adds to a frame that takes no time"},
    "--synthetic": {"action": "store_true", "help": "leave out the model itself"},
    "--json": {"type": Path, "metavar": "FILE", "help": "write all figures there, too"},
}


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    seconds = min(max(args.seconds, 0.5), 60.0)
    figures: dict[str, Any] = {"null": null(args.generator or "")}
    print(
        f"A frame that takes no time is back after {figures['null']:.2f} ms (median over a live socket).\n", flush=True
    )
    for kind in () if args.null else ("fixed",) if args.synthetic else ("fixed", "real"):
        rows = figures[kind] = measured(kind, args.generator or "", args.clients, args.greedy, seconds)
        print(told(kind, rows), flush=True)
    if args.json is not None:
        args.json.write_text(json.dumps(rounded(figures, 4), indent=1) + "\n", encoding="utf-8")
    return 0


def null(model: str) -> float:
    """Milliseconds that a live socket adds, the median of 400 round trips."""
    with serving("null", "", model) as there:
        return median(clients.round_trips(there.address, there.about, 400))


def measured(kind: str, model: str, counts: list[int], greedy: int, seconds: float) -> list[dict[str, Any]]:
    """Every number of clients with and without batches, in turns, and the largest of about ten with flooders among them."""
    rows: list[dict[str, Any]] = []
    batches = "8,4,2" if kind == "fixed" else "measured"
    with serving(kind, "", model) as one, serving(kind, batches, model) as other:
        ways = {"one by one": one, f"batches of {other.sizes}": other}
        for count in counts:
            for words, there in ways.items():
                seen = clients.run(there.address, there.about, count, 0, seconds)
                rows.append({"clients": str(count), "drawn": words, **_figures(seen), "seen": asdict(seen)})
        among = min((count for count in counts if count > greedy), key=lambda count: abs(count - 10), default=0)
        for words, there in ways.items() if greedy and among else ():
            seen = clients.run(there.address, there.about, among - greedy, greedy, seconds)
            before = next(row for row in rows if row["clients"] == str(among) and row["drawn"] == words)
            kept = (sum(seen.rates) / len(seen.rates)) / before["mean"]
            flood = {"greedy": sum(seen.greedy) / greedy, "kept": kept}
            name = f"{among - greedy} + {greedy} flooding"
            rows.append({"clients": name, "drawn": words, **_figures(seen), **flood, "seen": asdict(seen)})
    return rows


def _figures(seen: clients.Seen) -> dict[str, float]:
    total = sum(seen.rates) + sum(seen.greedy)
    mean = sum(seen.rates) / len(seen.rates)
    return {
        "least": min(seen.rates), "mean": mean, "most": max(seen.rates), "total": total, "jain": seen.jain,
        "age": seen.age, "late": seen.late,
    }  # fmt: skip


def told(kind: str, rows: list[dict[str, Any]]) -> str:
    """The table of one renderer, and the ratios that count."""
    title = f"A renderer of {FRAME * 1000:.0f} ms" if kind == "fixed" else "The model itself"
    head = ("clients", "drawn", "frames/s each", "in all", "Jain", "age, ms", "p95")
    lines = [
        (
            row["clients"],
            row["drawn"],
            f"{row['least']:.1f}/{row['mean']:.1f}/{row['most']:.1f}",
            f"{row['total']:.0f}",
            f"{row['jain']:.3f}",
            f"{row['age']:.0f}",
            f"{row['late']:.0f}",
        )
        for row in rows
    ]
    words = []
    for row in rows:
        if "kept" in row:
            words.append(
                f"Beside {row['clients']}, {row['drawn']}: the others keep {row['kept']:.2f} of their rate; "
                f"a flooder has {row['greedy'] / max(row['mean'], 1e-9):.2f} times theirs."
            )
    for count in dict.fromkeys(row["clients"] for row in rows if "kept" not in row):
        pair = [row for row in rows if row["clients"] == count]
        words.append(
            f"{count} clients: batches draw {pair[1]['total'] / max(pair[0]['total'], 1e-9):.2f} times the frames."
        )
    return table(title, head, lines) + "".join(f"  {line}\n" for line in words)


class There(NamedTuple):
    """A server that is measured.

    Attributes:
        about: num_ws and w_dim of its model.
        sizes: of its batches, in words.
    """

    address: str
    about: tuple[int, int]
    sizes: str
    pid: int

    def memory(self) -> int:
        """Bytes that it has now, where the system says so."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()


@contextmanager
def serving(kind: str, sizes: str, model: str) -> Iterator[There]:
    """A server in a process of its own."""
    command = [sys.executable, "-m", "stylewidgets.bench.remote.served", kind, sizes, model]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        said = process.stdout.readline().split()
        if len(said) != 2:
            raise OSError("the server of the measurement did not start; its error stands above")
        address = f"127.0.0.1:{said[0]}"
        about = requests.get(f"http://{address}/v1/models/measured", timeout=30).json()
        yield There(address, (about["num_ws"], about["w_dim"]), said[1], process.pid)
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
