"""Where a pretrained encoder is had from: a folder, an installed package that ships one, or the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any, Final, NamedTuple

from ...errors import Refused, Unavailable
from ..extra import built_with

_WEIGHTS: Final = "model.safetensors"
_FILES: Final = ("config.json", _WEIGHTS, "tokenizer.json")
_FETCHED: Final = ("*.json", "*.safetensors", "*.txt", "*.model")
"""What is fetched of a model on the hub: no code, and no weights that could hold some."""


class Pretrained(NamedTuple):
    """An encoder as it was published."""

    transformer: Any
    """A `transformers` model in evaluation mode, its weights read from safetensors alone."""
    tokenizer: bytes
    """The file of its tokenizer: JSON, as the package `tokenizers` reads it."""


def pretrained(name: str, revision: str | None = None) -> Pretrained:
    """The encoder in a folder, in the installed package of that name, or of that name on the hub.

    What is on the hub is kept in Hugging Face's cache, and read from there where there is no network. No code that
    comes with a model is run. Raises `Refused` where there is none or it may not be had, or where it has no safetensors
    or fast tokenizer, `Unavailable` where the hub is away.
    """
    transformers = built_with("transformers")
    folder = _folder(name) or _fetched(name, revision)
    try:
        with _quietly(transformers.utils.logging):
            transformer = transformers.AutoModel.from_pretrained(
                folder, use_safetensors=True, trust_remote_code=False, local_files_only=True
            )
            reader = transformers.AutoTokenizer.from_pretrained(
                folder, use_fast=True, trust_remote_code=False, local_files_only=True
            )
        tokenizer = reader.backend_tokenizer.to_str()
    except (OSError, ValueError, AttributeError, KeyError, ImportError) as error:
        lacking = [each for each in _FILES if not (folder / each).is_file()]
        what = f"it lacks {', '.join(lacking)}" if lacking else str(error).splitlines()[0][:200]
        raise Refused(f"{name} holds no encoder ({what}); name one that was saved with save_pretrained") from error
    return Pretrained(transformer.float().eval(), tokenizer.encode())


def _folder(name: str) -> Path | None:
    """The folder that is meant here: one of that path, or of an installed package."""
    if (path := Path(name).expanduser()).is_dir():
        return path
    try:
        shipped = files(name)
    except (PackageNotFoundError, ValueError):
        return None
    return next((Path(str(each.locate())).parent for each in shipped or () if each.name == _WEIGHTS), None)


def _fetched(name: str, revision: str | None) -> Path:
    """The folder of the cache that holds what the hub has under a name."""
    hub = built_with("huggingface_hub")
    try:
        return Path(hub.snapshot_download(name, revision=revision, allow_patterns=[*_FETCHED]))
    except hub.errors.GatedRepoError as error:
        raise Refused(
            f"the encoder {name!r} is gated: accept its terms on huggingface.co/{name}, and log in with `hf auth login`"
        ) from error
    except (
        hub.errors.RepositoryNotFoundError,
        hub.errors.RevisionNotFoundError,
        hub.errors.HFValidationError,
    ) as error:
        at = "" if revision is None else f" at {revision!r}"
        raise Refused(
            f"there is no encoder {name!r}{at}: no folder or package here, and nothing on the hub; name another"
        ) from error
    except (hub.errors.HfHubHTTPError, hub.errors.LocalEntryNotFoundError, OSError) as error:
        raise Unavailable(
            f"the encoder {name!r} is no folder or package here and was never fetched, and the hub cannot be reached; "
            "connect, or give a folder that has it"
        ) from error


@contextmanager
def _quietly(logging: Any) -> Generator[None]:
    """Without a bar for each file, and without remarks on layers that no encoder needs."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
