"""Saved torch modules, as passive records, flattened to a state_dict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import CheckpointError
from .records import Persistent, Stub, TensorRecord

MAX_DEPTH, MAX_MODULES = 32, 20_000
PLAIN_TORCH = "torch.nn."  # modules of torch itself: their parameters are what their names say


@dataclass
class Module:
    """One module of a tree.

    Attributes:
        class_name: such as ``SynthesisLayer``, or the dotted name of a class that was not saved with its source.
        attributes: its ``__dict__``.
        foreign: whether it is of a class that is neither saved with its source nor torch's own.
    """

    class_name: str
    attributes: dict[object, Any]
    foreign: bool


@dataclass
class Tree:
    """A saved module with everything below it.

    Attributes:
        modules: by name, the root first.
        tensors: parameters and buffers by dotted name.
        hashes: sha256 of the source texts that came along.
        foreign: class names of foreign modules that hold tensors.
        classes: every class name, also of saved objects that are no modules.
    """

    modules: dict[str, Module] = field(default_factory=dict)
    tensors: dict[str, TensorRecord] = field(default_factory=dict)
    hashes: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)

    def attribute(self, name: str, *wanted: str) -> Any:
        """The first of the attributes `wanted` that module `name` has, else None."""
        module = self.modules.get(name)
        return next((module.attributes[key] for key in wanted if module and key in module.attributes), None)


def is_module(value: object) -> bool:
    """Whether a record can be walked as a module."""
    if isinstance(value, Stub):
        return isinstance(value.state, dict) and "_modules" in value.state
    return isinstance(value, Persistent)


def flatten(root: object) -> Tree:
    """Walk a saved module.

    Raises:
        CheckpointError: it is nested too deeply, contains itself, or holds something else where tensors belong.
    """
    tree = Tree()
    sources: dict[int, str] = {}
    todo: list[tuple[str, Any, int]] = [("", root, 0)]
    while todo:
        name, record, depth = todo.pop()
        if depth > MAX_DEPTH or len(tree.modules) > MAX_MODULES:
            raise CheckpointError("its modules are nested without end. The file is damaged or hostile")
        module = _module(name, record)
        tree.modules[name] = module
        tree.classes.add(module.class_name)
        tree.classes.update(_classes(module.attributes))
        if isinstance(record, Persistent) and record.source:
            if id(record.source) not in sources:
                sources[id(record.source)] = record.fingerprint()
            tree.hashes.add(sources[id(record.source)])
        before = len(tree.tensors)
        tree.tensors.update(_tensors(name, module.attributes))
        if module.foreign and len(tree.tensors) > before:
            tree.foreign.add(module.class_name)
        children = reversed(_section(module.attributes, "_modules"))
        todo.extend((_join(name, key), child, depth + 1) for key, child in children)
    return tree


def _module(name: str, record: object) -> Module:
    if isinstance(record, Persistent):
        return Module(record.class_name, record.state, foreign=False)
    if isinstance(record, Stub):
        state = record.state if isinstance(record.state, dict) else {}
        return Module(record.name, state, foreign=not record.name.startswith(PLAIN_TORCH))
    raise CheckpointError(f"{name or 'the generator'} is a {type(record).__name__}, not a module. The file is damaged")


def _classes(attributes: dict[object, Any]) -> Iterator[str]:
    """Classes of saved objects that are attributes, not submodules."""
    for value in attributes.values():
        if isinstance(value, Persistent):
            yield value.class_name
        elif isinstance(value, Stub):
            yield value.name


def _section(attributes: dict[object, Any], key: str) -> list[tuple[str, Any]]:
    section = attributes.get(key)
    if section is None:
        return []
    if not isinstance(section, dict) or not all(isinstance(name, str) for name in section):
        raise CheckpointError(f"a module's {key} are not a dictionary of names. The file is damaged")
    return [(name, value) for name, value in section.items() if value is not None]


def _tensors(name: str, attributes: dict[object, Any]) -> Iterator[tuple[str, TensorRecord]]:
    for key, value in _section(attributes, "_parameters") + _section(attributes, "_buffers"):
        if not isinstance(value, TensorRecord):
            raise CheckpointError(f"{_join(name, key)} is a {type(value).__name__}, not a tensor. The file is damaged")
        yield _join(name, key), value


def _join(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key
