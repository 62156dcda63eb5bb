"""A text encoder small enough to be understood: it sees colours and brightness, and knows their names."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

KNOWN = {
    "red": (1, 0, 0, 0),
    "green": (0, 1, 0, 0),
    "blue": (0, 0, 1, 0),
    "bright": (0.6, 0.6, 0.6, 0),
    "face": (0, 0, 0, 0),
}


class Colours:
    """Embeds a picture by the means of its colours and a constant, and a sentence by the colours that it names."""

    name, fingerprint, dim, side = "colours", "colours-1", 4, 8
    device = torch.device("cpu")

    def pictures(self, x: Tensor) -> Tensor:
        means = x.mean(dim=(2, 3)).double()
        ones = torch.ones(len(x), 1, dtype=torch.float64, device=x.device)
        return F.normalize(torch.cat([means, ones], dim=1), dim=1).float()

    def texts(self, sentences: list[str]) -> Tensor:
        rows = [[sum(KNOWN[word][i] for word in self.understood(text)) for i in range(4)] for text in sentences]
        made = torch.tensor(rows, dtype=torch.float64, device="cpu")
        made[:, 3] = 1
        return F.normalize(made, dim=1).float()

    def understood(self, sentence: str) -> tuple[str, ...]:
        return tuple(word for word in sentence.lower().replace(".", " ").split() if word in KNOWN)
