#!/usr/bin/env python3
"""Verify a proof that `lepton prove` wrote, without Lepton: python verify_proof.py PROOF [VKEY ...]

It needs Python 3.9 or newer and the package `cryptography`, and reads nothing but the file. A VKEY is the verifier
key of the ledger, as `lepton sign-head --make-key` printed it; get it from the ledger's owner by another way than the
proof. Exit status: 0 proved and signed by one of the keys, 1 not proved, 2 wrong usage, 3 the hashes agree but no key
was given, so that the signature was not looked at.

What it checks (https://www.rfc-editor.org/rfc/rfc9162 section 2.1, https://c2sp.org/tlog-checkpoint):
  inclusion    the event's bytes and the path give the root of the head; the head is signed by the key
  consistency  the path gives the roots of both heads, so that the later log begins with the earlier one; both signed
"""

import base64
import hashlib
import json
import re
import sys

FORMAT = "lepton-proof/1"
ED25519 = b"\x01"


class NotProved(Exception):
    """The proof does not hold; the sentence says why."""


def check(condition, sentence):
    if not condition:
        raise NotProved(sentence)


# ── RFC 9162, section 2.1: the tree ─────────────────────────────────────────────────────────────────────────────────


def leaf_hash(data):
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of_inclusion(leaf, index, size, path):
    """The root to which an audit path leads (2.1.3.2)."""
    check(0 <= index < size, "the event lies behind the end of the head")
    node, at, last = leaf, index, size - 1
    for each in path:
        check(last > 0, "the path is too long")
        if at % 2 == 1 or at == last:
            node = node_hash(each, node)
            while at % 2 == 0 and at != 0:
                at, last = at // 2, last // 2
        else:
            node = node_hash(node, each)
        at, last = at // 2, last // 2
    check(last == 0, "the path is too short")
    return node


def check_consistency(old, size, old_root, root, path):
    """Raise unless the tree of `size` leaves begins with the tree of `old` leaves (2.1.4.2)."""
    check(0 < old <= size, "the earlier head has more events than the later one, or none")
    if old == size:
        check(not path and old_root == root, "two heads of one size have two roots: there are two histories")
        return
    nodes = ([old_root] if old & (old - 1) == 0 else []) + path
    check(nodes, "the path is too short")
    at, last = old - 1, size - 1
    while at % 2 == 1:
        at, last = at // 2, last // 2
    first = second = nodes[0]
    for each in nodes[1:]:
        check(last > 0, "the path is too long")
        if at % 2 == 1 or at == last:
            first, second = node_hash(each, first), node_hash(each, second)
            while at % 2 == 0 and at != 0:
                at, last = at // 2, last // 2
        else:
            second = node_hash(second, each)
        at, last = at // 2, last // 2
    check(last == 0, "the path is too short")
    check(first == old_root, "the path does not lead to the root of the earlier head")
    check(second == root, "the path does not lead to the root of the later head")


# ── C2SP: signed notes and checkpoints ──────────────────────────────────────────────────────────────────────────────


def key_of(vkey):
    """The name, the id and the bytes of a verifier key, NAME+ID+BASE64."""
    name, _, rest = vkey.partition("+")
    id, _, written = rest.partition("+")
    raw = base64.b64decode(written, validate=True)
    expected = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if raw[:1] != ED25519 or len(raw) != 33 or expected.hex() != id:
        raise ValueError("no verifier key")
    return name, expected, raw[1:]


def head_of(note, keys):
    """The ledger, size, root and time of a signed head; one of the keys must have signed it, where there are any."""
    text, blank, lines = note.rpartition("\n\n")
    check(blank, "the head is no signed note")
    text += "\n"
    check(not keys or signed(text, lines, keys), "the head is not signed by the key that was given")
    origin, size, root, *more = text.split("\n")
    check(origin.startswith("lepton/"), "the head is of no ledger of Lepton's")
    check(re.fullmatch("[1-9][0-9]{0,18}", size), "the head has no size")
    root = base64.b64decode(root, validate=True)
    check(len(root) == 32, "the head has no root")
    time = next((line[5:] for line in more if line.startswith("time ")), "a time that it does not say")
    return origin[len("lepton/") :], int(size), root, time


def signed(text, lines, keys):
    """Whether one of the keys signed a text; a signature of one that does not hold is an error."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    found = False
    for line in lines.splitlines():
        dash, name, written = line.split(" ")
        check(dash == "—", "a line below the head is no signature")
        signature = base64.b64decode(written, validate=True)
        for known, id, public in keys:
            if (known, id) == (name, signature[:4]):
                try:
                    Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], text.encode())
                except InvalidSignature:
                    raise NotProved(f"the signature of {name} is of another text: the head was altered") from None
                found = True
    return found


# ── the proof ───────────────────────────────────────────────────────────────────────────────────────────────────────


def said(event):
    """What stood where by the proven bytes, and the pseudonym of who put it there. Names stand in no event."""
    kind, what = (event["type"] + "..").split(".")[1], f"{event['type']} of {event['subject']}"
    data = event.get("data") or {}
    if kind in ("alias", "branch", "tag") and kind in data:
        before, after = data.get("from_version"), data.get("to_version", data.get("version"))
        what = f"{kind} {data[kind]} of {event['subject'][6:]}: " + f"{before or ''} → {after or ''}".strip()
    return f"{what}, by pseudonym {event.get('authid')}"


def proved(proof, keys):
    """What a proof proves, in words. Raises `NotProved`."""
    check(proof["format"] == FORMAT, f"this is no proof of the form {FORMAT}")
    path = [bytes.fromhex(each[len("sha256:") :]) for each in proof["path"] if each.startswith("sha256:")]
    check(len(path) == len(proof["path"]) and all(len(each) == 32 for each in path), "the path is no list of hashes")
    ledger, size, root, time = head_of(proof["head"], keys)
    where = f"the log of ledger {ledger}, of {size} events at {time}, root sha256:{root.hex()}"
    if proof["kind"] == "inclusion":
        seq, raw = proof["seq"], proof["event"].encode()
        check(root_of_inclusion(leaf_hash(raw), seq - 1, size, path) == root, "the event does not lead to the root")
        event = json.loads(raw)
        check(event["source"] == f"/lepton/{ledger}", "the event is of another ledger")
        check(event["sequence"] == f"{seq:020d}", "the event says that it stands elsewhere")
        return f"event {seq} ({said(event)}, {event['recordedtime']}) is in {where}"
    check(proof["kind"] == "consistency", "this is a proof of no kind that is known here")
    of, old, old_root, _ = head_of(proof["since"], keys)
    check(of == ledger, "the heads are of two ledgers")
    check_consistency(old, size, old_root, root, path)
    return f"the {old} events with root sha256:{old_root.hex()} are the beginning of {where}"


def main(arguments):
    if not arguments or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        keys = [key_of(vkey) for vkey in arguments[1:]]
    except ValueError:
        print("this is no verifier key: NAME+ID+BASE64, in quotes", file=sys.stderr)
        return 2
    try:
        with open(arguments[0], encoding="utf-8") as file:
            sentence = proved(json.load(file), keys)
    except NotProved as error:
        print(f"NOT PROVED: {repr(str(error))[1:-1]}", file=sys.stderr)
        return 1
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        print(f"NOT PROVED: this is no proof ({type(error).__name__}: {repr(str(error))[1:-1]})", file=sys.stderr)
        return 1
    print(f"proved: {repr(sentence)[1:-1]}")
    if not keys:
        print("the signature was NOT looked at: give the verifier key")
        return 3
    print(f"signed by {' or '.join(name for name, _, _ in keys)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
