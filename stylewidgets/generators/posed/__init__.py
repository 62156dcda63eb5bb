"""Pose with Style: a person in another pose."""

from __future__ import annotations

from .atlas import Atlas
from .config import PosedConfig, infer_config
from .generator import Posed, Source
from .person import Dressed, Person, read_iuv
from .reposing import Garment, Reposing
from .surface import GARMENTS, read_table

__all__ = [
    "GARMENTS",
    "Atlas",
    "Dressed",
    "Garment",
    "Person",
    "Posed",
    "PosedConfig",
    "Reposing",
    "Source",
    "infer_config",
    "read_iuv",
    "read_table",
]
