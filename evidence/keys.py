"""Keys that sign heads: in a file outside the home, or with a command that signs and never shows its key."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from ..errors import Malformed, Refused, Unavailable
from ..permissions import denied
from ..settings import Settings, file_named
from .head import KnownHead, TreeHead, contents
from .note import ED25519, Signature, SignedNote, VerifierKey, checked_key_name, decoded, parts_of_key

PRIVATE: Final = "PRIVATE+KEY+"
"""What the text of a signing key begins with, as Go's sumdb/note writes it; its name, id and seed follow."""
_LONGEST: Final = 4096
_SIGNATURE: Final = 64
_PATIENCE: Final = 60.0
"""Seconds for a command to sign: a hardware key may wait for a finger."""


class Signing(NamedTuple):
    """Who signs and who is believed where there is no home: as settings have it, by their names."""

    signing_key: Path | None
    signing_command: str | None
    verifier_key: str | None
    home: Path
    """A folder in which no key lies."""

    @classmethod
    def named(cls, home: Path, env: Mapping[str, str] = os.environ) -> Signing:
        """As the environment says."""
        command, key = env.get("LEPTON_SIGNING_COMMAND") or None, env.get("LEPTON_VERIFIER_KEY") or None
        return cls(file_named(env, "LEPTON_SIGNING_KEY"), command, key, home)


class Signer(NamedTuple):
    """Who signs heads: the key that verifies them, and what makes the signature of a text."""

    key: VerifierKey
    sign: Callable[[bytes], bytes]

    def signed(self, head: TreeHead) -> KnownHead:
        """A head with its signature, which is verified before anybody sees it. Raises `Refused`, `Unavailable`."""
        signature = self.sign(head.text.encode())
        if not self.key.holds(head.text, signature):
            raise Refused(
                f"what was signed does not verify by {self.key}; give the verifier key of the key that signs, "
                "which is Ed25519 over the text as it is"
            )
        return KnownHead(head, SignedNote(head.text, (Signature(self.key.name, self.key.id, signature),)), self.key)


def make_key(file: Path, name: str) -> VerifierKey:
    """Write a new signing key to a file that only its owner may read: the key that verifies its signatures.

    Raises `Refused` where there is such a file already.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    key = VerifierKey(checked_key_name(name), private.public_key().public_bytes_raw())
    written = b64encode(ED25519 + private.private_bytes_raw()).decode()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            os.fchmod(descriptor, 0o600)
            out.write(f"{PRIVATE}{key.name}+{key.id.hex()}+{written}\n")
            out.flush()
            os.fsync(descriptor)
    except FileExistsError:
        raise Refused(f"{file} is there already, and a key is never written over; name another file") from None
    except FileNotFoundError:
        raise Refused(f"there is no folder {file.parent}; make it, or name another place") from None
    except OSError as error:
        raise denied(error, file, "written") from error
    return key


def signer(settings: Settings | Signing, file: Path | None, command: str | None, verifier: str | None) -> Signer:
    """Who signs: as it is asked for, else as the settings have it. Raises `Refused` where nobody does."""
    if file is None and command is None:
        file, command = settings.signing_key, settings.signing_command
    if file is not None and command is not None:
        raise Refused("a key in a file and a command that signs are given; give one of the two")
    if file is not None:
        return _in_file(file, settings.home)
    if command is None:
        raise Refused(
            "no key is given to sign with; `lepton sign-head --make-key FILE` makes one",
            python="key_file= or LEPTON_SIGNING_KEY names its file, LEPTON_SIGNING_COMMAND a command that signs",
            cli="--key or LEPTON_SIGNING_KEY names its file, LEPTON_SIGNING_COMMAND a command that signs",
        )
    if (verifier := verifier or settings.verifier_key) is None:
        raise Refused(
            "a command signs, and which key it signs with is not said",
            python="verifier= or LEPTON_VERIFIER_KEY gives the verifier key",
            cli="--verifier or LEPTON_VERIFIER_KEY gives the verifier key",
        )
    return Signer(VerifierKey.parsed(verifier), partial(_by_command, command))


def has_signer(settings: Settings | Signing) -> bool:
    """Whether the settings say who signs."""
    return settings.signing_key is not None or settings.signing_command is not None


def _in_file(file: Path, home: Path) -> Signer:
    """The key in a file. Raises `Refused` where others may read it, or it lies in the home."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    raw = contents(file, _LONGEST, "the file of a signing key")
    if home.resolve() in file.resolve().parents:
        raise Refused(f"{file} lies in the ledger's home, with which it would be copied; keep the key elsewhere")
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise Refused(f"{file} may be read by others, who could sign with it; `chmod 600 {file}` closes it")
    what = f"a signing key ({file})"
    text = raw.decode("utf-8", "replace").strip()
    if not text.startswith(PRIVATE):
        raise Malformed(f"this is not {what}; `lepton sign-head --make-key FILE` makes one")
    name, id, seed = parts_of_key(text.removeprefix(PRIVATE), what)
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key = VerifierKey(name, private.public_key().public_bytes_raw())
    if key.id.hex() != id:
        raise Malformed(f"the key in {file} has another id than its bytes; restore it from a copy")
    return Signer(key, private.sign)


def _by_command(command: str, text: bytes) -> bytes:
    """The signature that a command makes of a text on its stdin: 64 bytes, or these in base64."""
    try:
        done = subprocess.run(shlex.split(command), input=text, capture_output=True, timeout=_PATIENCE, check=False)
    except (OSError, ValueError) as error:
        raise Refused(f"the command that signs cannot be run ({error}); look at LEPTON_SIGNING_COMMAND") from error
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the command that signs did not answer in {_PATIENCE:g} s; try again") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0][:200]
        raise Unavailable(
            f"the command that signs ended with {done.returncode} ({said or 'it said nothing'}); try again"
        )
    if len(done.stdout) == _SIGNATURE:
        return done.stdout
    signature = decoded(done.stdout.decode("ascii", "replace").strip())
    if signature is None or len(signature) != _SIGNATURE:
        raise Refused(
            "the command that signs gave no Ed25519 signature; it gets the text on stdin and prints 64 bytes, or base64"
        )
    return signature
