"""What skops writes of an estimator, as a schema whose arrays stand elsewhere; and its file made of that again.

skops' file is a zip of `schema.json` and of arrays. Its ids of objects are memory addresses, which differ each time:
here an object has one, counted from 1, only where it stands in several places.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias, cast
from zipfile import ZipFile

import numpy as np

from ...errors import Malformed
from .arrays import Arrays, KeptArrays, Path

Node: TypeAlias = "dict[str, Any]"
SCHEMA: Final = "schema.json"
_SINGLE: Final = frozenset({"JsonNode", "TypeNode", "FunctionNode"})
"""Nodes of values that cannot change, so that it is the same whether they are one object or several."""
_STUB: Final = "CachedNode"
"""skops' own word for a node that stands for one that came before."""
_MOST_NODES: Final = 20_000_000
_THROUGH: Final = frozenset({"content", "__reduce__", "attrs"})
"""Parts of a node that hold what it is, and so are no part of a path."""


def members(dumped: bytes) -> tuple[Node, dict[str, bytes]]:
    """The schema of a file of skops, and its other members by name."""
    with ZipFile(io.BytesIO(dumped)) as file:
        held = {name: file.read(name) for name in file.namelist()}
    schema = json.loads(held.pop(SCHEMA))
    schema.pop("_skops_version", None)
    return schema, held


def file_of(schema: Node, held: dict[str, bytes]) -> bytes:
    """A file of skops."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as file:
        for name, content in held.items():
            file.writestr(name, content)
        file.writestr(SCHEMA, json.dumps(schema))
    return buffer.getvalue()


def nodes(value: Any, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every node of a schema with the attributes and places that lead to it, those above first."""
    if isinstance(value, list):
        for place, each in enumerate(cast("list[Any]", value)):
            yield from nodes(each, (*path, _called(each, place)))
    elif isinstance(value, dict):
        node = cast("Node", value)
        pair = _pair(node)
        if "__loader__" in node:
            yield path, node
        for key, each in node.items():
            if pair and key == "content":  # named by its first item, the second stands for it
                for place, item in enumerate(each):
                    yield from nodes(item, path if place == 1 else (*path, place))
            elif key == "content" and _is_table(node):
                for name, item in each.items():
                    yield from nodes(item, path if name in _THROUGH else (*path, name))
            else:
                yield from nodes(each, path if key in _THROUGH else (*path, key))


def tell_once(schema: Node) -> None:
    """Tell each object once: further places have a stub with its id, and objects in one place have no id."""
    found = [node for _, node in nodes(schema)]
    counts = Counter(node.get("__id__") for node in found if node["__loader__"] not in _SINGLE)
    numbers: dict[Any, int] = {}
    for node in found:
        own = node.pop("__id__", None)
        if own is not None and node["__loader__"] not in _SINGLE and counts[own] > 1:
            node["__id__"] = numbers.setdefault(own, len(numbers) + 1)
    told: set[int] = set()
    for _, node in nodes(schema):
        own = node.get("__id__")
        if own in told:
            kind = {name: node[name] for name in ("__class__", "__module__")}
            node.clear()
            node.update({"__loader__": _STUB, "__id__": own, **kind})
        elif own is not None:
            told.add(own)


def tell_everywhere(schema: Node) -> None:
    """Put what it stands for in the place of each stub. Raises `Malformed` where it stands for nothing, or for what it
    is a part of."""
    told: dict[Any, Node] = {}
    sizes: dict[int, int] = {}

    def size(value: Any) -> int:
        if isinstance(value, list):
            return sum(map(size, cast("list[Any]", value)))
        if not isinstance(value, dict):
            return 0
        node = cast("Node", value)
        own = node.get("__id__")
        if node.get("__loader__") == _STUB:
            if own not in told or id(told[own]) not in sizes:
                raise Malformed("a part of this estimator stands for one that is not there; nothing was built")
            node.clear()
            node.update(told[own])
            return sizes[id(told[own])]
        if own is not None and told.setdefault(own, node) is not node:
            raise Malformed("two parts of this estimator claim to be one; nothing was built")
        held = {**node, "content": [*node["content"].values()]} if _is_table(node) else node
        count = 1 + sum(map(size, list(held.values())))
        if count > _MOST_NODES:
            raise Malformed(f"this estimator has more than {_MOST_NODES:,} parts; nothing was built")
        sizes[id(node)] = count
        return count

    size(schema)


def take_arrays(schema: Node, held: dict[str, bytes], arrays: Arrays) -> None:
    """Put references to arrays in the place of the members that hold them."""
    refs: dict[str, Any] = {}
    for path, node in nodes(schema):
        name = node.get("file")
        if isinstance(name, str):
            if name not in refs:
                refs[name] = arrays.add(path, _array(name, held[name]))
            node["file"] = refs[name]


def give_arrays(schema: Node, kept: KeptArrays, made: Callable[[Node], bytes | None]) -> dict[str, bytes]:
    """Put members in the place of references, and give them; `made` has those of nodes that are kept otherwise."""
    held: dict[str, bytes] = {}
    for _, node in nodes(schema):
        if "file" in node and not isinstance(node["file"], str):
            ending = _ENDINGS.get(str(node["__loader__"]), "bin")
            content = made(node)
            if content is None:
                array = kept.at(node["file"])
                content = _npy(array) if ending == "npy" else array.tobytes()
            node["file"] = f"{len(held)}.{ending}"
            held[node["file"]] = content
    return held


_ENDINGS: Final = {"NdArrayNode": "npy", "SparseMatrixNode": "npz"}


def value_of(node: Any) -> Any:
    """The value of a node that holds JSON. Raises `Malformed` where it is another node."""
    match node:
        case {"__loader__": "JsonNode", "content": str(text)}:
            return json.loads(text)
        case _:
            raise Malformed("a part of the estimator is not the plain value that it must be; nothing was built")


def plain_node(value: Any) -> Node:
    """A node of a value that is JSON."""
    kind = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode"}
    return {**kind, "content": json.dumps(value), "is_json": True}


def parts_of(node: Any) -> dict[str, Any]:
    """The attributes that a node of an object holds, by name; none where it holds no such."""
    match node:
        case {"content": {"__loader__": "DictNode", "content": dict()}}:
            return cast("dict[str, Any]", node["content"]["content"])
        case _:
            return {}


def leave_out(node: Node, name: str) -> None:
    """Take an attribute, where there is one, out of an object's node, with the type of its key."""
    held = parts_of(node)
    if name in held:
        del node["content"]["key_types"]["content"][[*held].index(name)]
        del held[name]


def tell_false(schema: Node) -> None:
    """Have keys that are false read as such: skops writes their word, and reads every word as true."""
    for _, node in nodes(schema):
        match node:
            case {"__loader__": "DictNode", "content": dict(), "key_types": {"content": list()}}:
                held = cast("dict[str, Any]", node["content"])
                # a stranger's may lack some
                kinds = dict(zip(held, map(class_of, node["key_types"]["content"]), strict=False))
                node["content"] = {"" if _is_false(key, kinds.get(key)) else key: each for key, each in held.items()}
            case _:
                pass


def class_of(node: Node) -> str:
    """The class that a node says its object is of."""
    return f"{node.get('__module__')}.{node.get('__class__')}"


def _is_table(node: Node) -> bool:
    """Whether its content is of names that a user chose, none of which is skops' own word."""
    return node.get("__loader__") == "DictNode" and isinstance(node.get("content"), dict)


def _is_false(key: str, kind: str | None) -> bool:
    return kind in ("builtins.bool", "numpy.bool", "numpy.bool_") and key.lower() == "false"


def _pair(node: Node) -> str | None:
    """The name of a step: the first of two or three that stand together in a pipeline, an ensemble or a table."""
    match node:
        case {"__loader__": "TupleNode", "content": [{"__loader__": "JsonNode", "content": str(text)}, _, *rest]} if (
            len(rest) < 2 and text.startswith('"')
        ):
            return str(json.loads(text))
        case _:
            return None


def _called(node: Any, place: int) -> str | int:
    name = _pair(cast("Node", node)) if isinstance(node, dict) else None
    return place if name is None else name


def _array(name: str, content: bytes) -> Any:
    if name.endswith(".npy"):
        return np.load(io.BytesIO(content), allow_pickle=False)
    return np.frombuffer(content, np.uint8)


def _npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
