"""What tells weights from others, whatever file they came from."""

from __future__ import annotations

import hashlib

import numpy as np
from torch import nn

from .protocol import Generator


def fingerprint(module: nn.Module | Generator) -> str:
    """16 hexadecimal digits that identify the parameters of a torch module, equal for its fp16 and fp32 copies."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        array = value.detach().cpu()
        array = array.half().numpy() if array.is_floating_point() else array.numpy()
        digest.update(f"{name}{list(array.shape)}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def w_fingerprint(mapping: nn.Module) -> str:
    """What tells a w space: a digest of the mapping network's weights, rounded as files of 16 bits have them."""
    digest = hashlib.sha256()
    for name, value in sorted(mapping.state_dict().items()):
        digest.update(name.encode() + value.detach().cpu().half().numpy().tobytes())
    return digest.hexdigest()[:16]
