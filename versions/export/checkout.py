"""A checkout: a version in a folder that is read without Lepton, and such a folder read again."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from ...errors import Damaged, Malformed, Refused
from ...results import Version, VersionRecord, VersionRef

if TYPE_CHECKING:
    from ...domain.model.state import ModelState
    from ...tensors.graph import Graph
    from ...tensors.vault import Vault
    from ..workspace import Workspace

WEIGHTS: Final = "model.safetensors"
RECIPE: Final = "recipe.json"
README: Final = "README.md"
FILES: Final = "files"
FORMAT: Final = "lepton.checkout.v1"
_MADE: Final = ("architecture", "hyperparameters", "settings", "data", "derivation")
"""What a version's digest is made of, beside its tensors and parents."""
_PROVENANCE: Final = ("time", "message", "description", "tags", "metrics", "rows", "annotations", "run")
_LARGEST: Final = 64 << 20
_PAGE: Final = """# {model}, version {version}

`{weights}` holds its tensors, `{recipe}` what it is and how it was made; its digest is `{digest}`.

```python
import json
from pathlib import Path

from safetensors.torch import load_file  # or safetensors.numpy, for arrays

tensors, recipe = load_file("{weights}"), json.loads(Path("{recipe}").read_text(encoding="utf-8"))
```

With Lepton, where its ledger is:

```python
from lepton_ai import ModelManager

model = ModelManager().{load}("{model}@{version}")
```

Into any other ledger: `lepton save FOLDER`.
"""


class CheckoutFolder(NamedTuple):
    """What such a folder holds, as `ModelManager.save_version` takes it."""

    model: str
    tensors: dict[str, Any]
    made: dict[str, Any]
    files: dict[str, Path]


@dataclass(frozen=True)
class StoredVersion:
    """A version whose digest was proved, and how its bytes are had."""

    version: Version
    tensors: str
    """Digest of their manifest."""
    vault: Vault
    graph: Graph
    record: Callable[[], VersionRecord]
    parents: Callable[[], Sequence[Mapping[str, Any]]]
    """Each with its digest, of which its child's is made."""
    files: Callable[[], Mapping[str, bytes]]


def of_ledger(workspace: Workspace, model: ModelState, number: int) -> StoredVersion:
    """A version of a ledger that is opened here. Raises `Damaged`."""
    from ..deltas import graph_of
    from ..overview.history import show
    from ..restore import files, verified_event

    event, version = verified_event(workspace, model, number), workspace.version(model, number)
    return StoredVersion(
        version,
        event.tensors,
        workspace.vault,
        graph_of(model, event.tensors),
        record=lambda: show(workspace, model, number),
        parents=lambda: [_parent(workspace, model, each) for each in version.to_dict()["parents"]],
        files=lambda: files(workspace, model, number),
    )


def checkout(source: StoredVersion, folder: Path, force: bool) -> Version:
    """Write a version to a folder, once its digest was proved over the bytes that were written.

    A new folder appears whole or not at all; in one that is there the recipe is put in its place last, and first taken
    away where one is. Raises `Refused` where the folder holds anything, unless `force`; `Damaged`.
    """
    try:
        there = folder.exists()
        if there and not force and any(folder.iterdir()):
            raise Refused(
                f"{folder} holds something already",
                python="name another folder, or replace a checkout in it with force=True",
                cli="name another folder, or replace a checkout in it with --force",
            )
        around = folder if there else folder.parent
        part = around / f".{folder.name[:64]}.{secrets.token_hex(8)}.part"
        part.mkdir()
        try:
            _write(source, part)
            if there:
                _move(part, folder)
            else:
                part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise Refused(f"{folder} cannot be written ({error.strerror or error}); name another folder") from error
    return source.version


def export(source: StoredVersion, path: Path) -> Version:
    """Write a version's tensors to a safetensors file, whole or not at all, in the place of one that is there."""
    if not path.name:
        raise Refused(f"{path} is no file; name one")
    part = path.with_name(f".{path.name[:64]}.{secrets.token_hex(8)}.part")
    try:
        if path.exists() and not path.is_file():
            raise Refused(f"{path} is no file; name one")
        _write_weights(source, part)
        part.replace(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror or error}); name another place") from error
    finally:
        part.unlink(missing_ok=True)
    return source.version


def read(folder: Path) -> CheckoutFolder:
    """What a checkout holds, its tensors as torch has them, of its files those that the recipe lists.

    Raises `Malformed` where it is none, `Refused` where a file is a link or is not as the recipe has it.
    """
    from ...models.tensor_file import read_tensors
    from ...permissions import read_file

    try:
        recipe: Any = json.loads(read_file(folder / RECIPE, _LARGEST, follow=True))
        if not isinstance(recipe, dict) or cast("dict[str, Any]", recipe).get("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        told = cast("dict[str, Any]", recipe)
        made = {name: told[name] for name in ("architecture", "hyperparameters", "settings", "data")}
        model, tied, listed = told["model"], told["tied"], told.get("files")
        if not isinstance(model, str) or not isinstance(tied, dict) or not isinstance(listed, dict | None):
            raise TypeError("model, tied or files is of another kind")
    except FileNotFoundError:
        raise Malformed(f"{folder} has no {RECIPE}, so it is no checkout; name a safetensors file in it") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Malformed(f"{folder / RECIPE} cannot be read ({error}); check the version out anew") from None
    tensors = _tie(read_tensors(folder / WEIGHTS), cast("dict[str, Any]", tied), folder)
    return CheckoutFolder(model, tensors, made, _beside(folder, cast("dict[str, Any] | None", listed)))


def _tie(tensors: dict[str, Any], tied: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The tensors, those that are tied as one object. Raises `Refused` where the file has other bytes for one."""
    import torch

    for name, owner in tied.items():
        if name not in tensors or owner not in tensors:
            continue
        one, other = tensors[name], tensors[owner]
        if (one.dtype, one.shape) != (other.dtype, other.shape) or not torch.equal(_bits(one), _bits(other)):
            raise Refused(
                f"{name!r} is tied to {owner!r} in {folder / RECIPE}, and differs from it in {WEIGHTS}; give both the "
                f"same values, or take {name!r} out of `tied`"
            )
        tensors[name] = other
    return tensors


def _bits(tensor: Any) -> Any:
    import torch

    return tensor.contiguous().reshape(-1).view(torch.uint8)


def _beside(folder: Path, listed: Mapping[str, Any] | None) -> dict[str, Path]:
    """The files of a checkout by name, proved where the recipe lists them; an older recipe lists none."""
    kept = folder / FILES
    _check_links(folder, kept)
    there = {path.relative_to(kept).as_posix(): path for path in sorted(kept.rglob("*")) if path.is_file()}
    for name, told in (listed or {}).items():
        if name not in there:
            raise Refused(f"{kept} has no {name!r}, which {RECIPE} lists; check the version out anew")
        if not _is(there[name], told):
            raise Refused(f"{kept} has another {name!r} than {RECIPE} lists; check the version out anew")
    return there if listed is None else {name: there[name] for name in listed}


def _is(path: Path, told: Any) -> bool:
    """Whether a file has the size and digest that a recipe tells of it."""
    from ...permissions import read_file
    from ...tensors.digest import digest_of

    try:
        size = path.stat().st_size
        return told == {"bytes": size, "digest": digest_of(read_file(path, size))}
    except (OSError, ValueError) as error:
        raise Refused(f"{path} cannot be read ({error}); check the version out anew") from error


def _check_links(folder: Path, kept: Path) -> None:
    """Refuse a checkout whose files, or the folder that they lie in, are links to what lies elsewhere."""
    link = next((path for path in (kept, *kept.rglob("*")) if path.is_symlink()), None)
    if link is not None:
        raise Refused(f"{link.relative_to(folder)} in {folder} is a link, and Lepton follows none there; remove it")


def _write(source: StoredVersion, folder: Path) -> None:
    record, version = source.record().to_dict(), source.version
    tied = _write_weights(source, folder / WEIGHTS)
    told = {"format": FORMAT, "model": version.model, "version": int(version), "digest": version.digest}
    told |= {"tensors": source.tensors, "tied": tied} | {name: record[name] for name in _MADE}
    told |= {"files": {each["name"]: {"digest": each["digest"], "bytes": each["bytes"]} for each in record["files"]}}
    told |= {"parents": [*source.parents()]}
    told |= {name: record[name] for name in ("environment", "code")}
    told |= {"provenance": {"branch": version.branch} | {name: record[name] for name in _PROVENANCE}}
    _put(folder / RECIPE, json.dumps(told, ensure_ascii=False, allow_nan=False, indent=2).encode() + b"\n")
    rebuilt = isinstance(record["architecture"].get("config"), Mapping)
    load = "load_version" if rebuilt else "load_tensors"
    names = {"model": version.model, "version": int(version), "digest": version.digest, "load": load}
    _put(folder / README, _PAGE.format(weights=WEIGHTS, recipe=RECIPE, **names).encode())
    for name, content in source.files().items():
        path = folder / FILES / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _put(path, content)


def _write_weights(source: StoredVersion, path: Path) -> dict[str, str]:
    """Write the tensors, in bounded memory, and prove them as they stand in the file; by name those that are tied."""
    from ...tensors.manifest import describe
    from ...tensors.safetensors_file import lay_out, tensors_in

    version, manifest = source.version, source.vault.manifest(source.tensors)
    metadata = {"model": version.model, "version": str(int(version)), "digest": version.digest, "format": "pt"}
    arrays, body = lay_out(path, manifest.tensors, metadata)
    fresh = {entry.name: arrays[entry.name] for entry in manifest.owners}
    source.vault.fill(source.tensors, source.graph, fresh)
    tied = {entry.name: entry.same_as for entry in manifest.tensors if entry.same_as is not None}
    for name, owner in tied.items():  # a file of this format holds each for itself
        arrays[name].write(0, arrays[owner].raw())
    if hasattr(body, "flush"):
        cast("Any", body).flush()
    written = tensors_in(str(path))
    for name, owner in tied.items():
        written[name] = written[owner]
    if (proved := describe(written).digest) != source.tensors:
        raise Damaged(f"{WEIGHTS} as it was written", expected=source.tensors, found=proved)
    return tied


def _parent(workspace: Workspace, model: ModelState, parent: dict[str, Any]) -> dict[str, Any]:
    """A parent with its digest, of which its child's is made."""
    ref = VersionRef(parent["model"], parent["version"])
    state = model if ref.model == model.name else workspace.model(ref.model)
    return parent | {"digest": state.version(ref.number).event.digest}


def _put(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _move(part: Path, folder: Path) -> None:
    """Put the files of a folder into another, the recipe last: without it that is no checkout."""
    _check_links(folder, folder / FILES)
    (folder / RECIPE).unlink(missing_ok=True)
    written = sorted(path for path in part.rglob("*") if path.is_file())
    for path in sorted(written, key=lambda path: path == part / RECIPE):
        place = folder / path.relative_to(part)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)
