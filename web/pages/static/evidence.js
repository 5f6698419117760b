// Evidence checked in the browser: RFC 9162's tree, C2SP's signed notes, and the head of this ledger seen last.

export const able = Boolean(globalThis.crypto?.subtle);

// ── bytes ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const utf8 = (text) => new TextEncoder().encode(text);
export const hex = (bytes) => [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
export const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
export const same = (one, other) => Boolean(one && other) && hex(one) === hex(other);

/** Bytes from base64 that is written in the one way that the standard has, else null. */
function unbase64(text) {
  try {
    const raw = atob(text);
    return btoa(raw) === text ? Uint8Array.from(raw, (char) => char.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}

function joined(...pieces) {
  const all = new Uint8Array(pieces.reduce((sum, each) => sum + each.length, 0));
  let place = 0;
  for (const each of pieces) {
    all.set(each, place);
    place += each.length;
  }
  return all;
}

const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

// ── the tree: RFC 9162, section 2.1 ──────────────────────────────────────────────────────────────────────────────────

export const leafHash = (bytes) => sha256(joined([0], bytes));
const nodeHash = (left, right) => sha256(joined([1], left, right));
const half = (number) => Math.floor(number / 2); // sizes may be above 2^32, where >> ends

/** Up to where the hash beside is a sibling again: past the levels that the last node rises through alone. */
function upward(at, last) {
  while (at && at % 2 === 0) [at, last] = [half(at), half(last)];
  return [at, last];
}

/** The root that an audit path leads to, null where it is no path of that leaf: section 2.1.3.2. */
export async function rootOfInclusion(leaf, index, size, path) {
  let [node, at, last] = [leaf, index, size - 1];
  for (const each of path) {
    if (last === 0) return null;
    if (at % 2 || at === last) {
      node = await nodeHash(each, node);
      [at, last] = upward(at, last);
    } else node = await nodeHash(node, each);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && 0 <= index && index < size ? node : null;
}

/** The roots over the first `old` and all `size` leaves, null where the path is of no such sizes: section 2.1.4.2. */
export async function rootsOfConsistency(old, size, oldRoot, path) {
  const isPower = 2 ** Math.round(Math.log2(old)) === old;
  const nodes = isPower ? [oldRoot, ...path] : path;
  if (!nodes.length || !(0 < old && old < size)) return null;
  let [at, last] = [old - 1, size - 1];
  while (at % 2) [at, last] = [half(at), half(last)];
  let [oldNode, node] = [nodes[0], nodes[0]];
  for (const each of nodes.slice(1)) {
    if (last === 0) return null;
    if (at % 2 || at === last) {
      [oldNode, node] = [await nodeHash(each, oldNode), await nodeHash(each, node)];
      [at, last] = upward(at, last);
    } else node = await nodeHash(node, each);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 ? [oldNode, node] : null;
}

/** Whether the log of one head goes on from an earlier one. */
export async function goesOn(earlier, later, path) {
  if (!path) return false;
  if (earlier.size === later.size) return same(earlier.root, later.root) && !path.length;
  const roots = await rootsOfConsistency(earlier.size, later.size, earlier.root, path);
  return Boolean(roots) && same(roots[0], earlier.root) && same(roots[1], later.root);
}

/** The hashes of a proof's path, null where one is none. */
export function hashes(path) {
  const isHash = (each) => typeof each === "string" && /^sha256:[0-9a-f]{64}$/.test(each);
  const fits = Array.isArray(path) && path.length <= 64 && path.every(isHash);
  return fits ? path.map((each) => unhex(each.slice(7))) : null;
}

// ── signed notes and heads: C2SP's signed-note and tlog-checkpoint ───────────────────────────────────────────────────

const SIGNED = "— ";

/** The notes that follow each other in a text; null where it is none. */
export function notesIn(text) {
  if (typeof text !== "string" || /[\p{Surrogate}\0-\x09\x0b-\x1f]/u.test(text)) return null;
  const notes = [];
  let [body, signatures] = ["", []];
  const done = () => notes.push({ text: body, signatures, head: headOf(body) });
  for (const line of text.split("\n").filter(Boolean)) {
    if (line.startsWith(SIGNED) && body) {
      const [, name, written] = /^— (\S+) (\S+)$/.exec(line) ?? [];
      const raw = written && unbase64(written);
      if (!raw || raw.length < 5) return null;
      signatures.push({ name, id: hex(raw.slice(0, 4)), signature: raw.slice(4) });
      continue;
    }
    if (signatures.length) {
      done();
      [body, signatures] = ["", []];
    }
    body += `${line}\n`;
  }
  if (body) done();
  return notes.length && notes.every((each) => each.head) ? notes : null;
}

/** What a head says: its ledger, size, root and time; null where it is none. */
function headOf(text) {
  const [origin, size, written, ...more] = text.split("\n");
  const [, ledger] = /^lepton\/([0-9a-f-]{36})$/.exec(origin) ?? [];
  const root = unbase64(written ?? "");
  if (!ledger || !/^[1-9][0-9]{0,15}$/.test(size) || !Number.isSafeInteger(Number(size)) || root?.length !== 32) return null;
  const time = more.find((line) => line.startsWith("time "))?.slice(5) ?? null;
  if (time !== null && Number.isNaN(Date.parse(time))) return null;
  return { ledger, size: Number(size), root, time };
}

/** A verifier key, NAME+ID+BASE64; null where it is none. */
export async function verifierKey(text) {
  const [, name, id, written] = /^([^\s+]{1,200})\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
  const raw = written && unbase64(written);
  if (!raw || raw.length !== 33 || raw[0] !== 1) return null;
  const own = (await sha256(joined(utf8(`${name}\n`), raw))).slice(0, 4);
  return hex(own) === id ? { name, id, bytes: raw.slice(1) } : null;
}

/** Who says what of a note: "signed" by the key, "altered", signed by "others", or "unable" without Ed25519. */
export async function signedBy(key, note) {
  const line = note.signatures.find((each) => each.name === key.name && each.id === key.id);
  if (!line) return "others";
  try {
    const known = await crypto.subtle.importKey("raw", key.bytes, { name: "Ed25519" }, false, ["verify"]);
    const holds = await crypto.subtle.verify({ name: "Ed25519" }, known, line.signature, utf8(note.text));
    return holds ? "signed" : "altered";
  } catch (error) {
    return error.name === "NotSupportedError" ? "unable" : "altered";
  }
}

// ── proofs ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Check a proof with no server: the outcomes of its steps, each [word, whether it holds, parts of its sentence]. */
export async function checkedProof(text, vkey) {
  const steps = [];
  const say = (word, holds, parts = {}) => steps.push([word, holds, parts]) && holds;
  const proof = parsed(text);
  const path = hashes(proof?.path);
  const [note, more] = notesIn(proof?.head) ?? [];
  const is = (kind) => proof?.format === "lepton-proof/1" && proof.kind === kind && path && note && !more;
  if (is("inclusion")) await inclusion(proof, path, note, say);
  else if (is("consistency")) await consistency(proof, path, note, say);
  else say("none", false);
  if (note && steps.at(-1)[0] !== "none") for (const each of await signatures(proof, note, vkey)) say(...each);
  return steps;
}

/** What every event tells, as text. */
const REQUIRED = ["sequence", "source", "type", "subject", "recordedtime"];

async function inclusion(proof, path, { head }, say) {
  const { seq, event } = proof;
  const told = typeof event === "string" && !/\p{Surrogate}/u.test(event) ? parsed(event) : null;
  if (!told || REQUIRED.some((name) => typeof told[name] !== "string") || !Number.isSafeInteger(seq) || seq < 1 || seq > head.size) return say("none", false);
  const leaf = await leafHash(utf8(event));
  say("leaf", true, { hash: `sha256:${hex(leaf)}` });
  const root = await rootOfInclusion(leaf, seq - 1, head.size, path);
  if (!same(root, head.root)) return say("astray", false, { count: path.length });
  say("included", true, { count: path.length, seq, size: head.size });
  const own = told.sequence === String(seq).padStart(20, "0") && told.source === `/lepton/${head.ledger}`;
  say(own ? "named" : "misnamed", own, { seq, ledger: head.ledger });
  if (own) say(...said(told));
}

/** What an event says itself: what stood where, when, and under which pseudonym. */
function said({ type, subject, recordedtime: time, authid, data }) {
  const author = typeof authid === "string" ? authid : "–";
  const kind = type.split(".")[1];
  const [name, before, after] = [data?.[kind], data?.from_version, data?.to_version ?? data?.version];
  if (!["alias", "branch", "tag"].includes(kind) || typeof name !== "string" || !Number.isInteger(after ?? before))
    return ["says", true, { what: `${type} of ${subject}`, time, author }];
  const move = `${before ?? ""} → ${after ?? ""}`.trim();
  return ["says", true, { what: `${kind} ${name} of ${subject.replace(/^model\//, "")}: ${move}`, time, author }];
}

async function consistency(proof, path, { head }, say) {
  const [since, more] = notesIn(proof.since) ?? [];
  if (!since || more || since.head.ledger !== head.ledger || since.head.size > head.size) return say("none", false);
  const holds = await goesOn(since.head, head, path);
  return say(holds ? "grew" : "differs", holds, { old: since.head.size, size: head.size });
}

/** What is known of who signed the heads of a proof. */
export async function signatures(proof, note, vkey) {
  if (!vkey.trim()) return [["unchecked", null, {}]];
  const key = await verifierKey(vkey);
  if (!key) return [["keyless", false, {}]];
  const heads = [note, ...(notesIn(proof?.since) ?? [])];
  const outcomes = await Promise.all(heads.map((each) => signedBy(key, each)));
  const worst = ["altered", "others", "unable"].find((each) => outcomes.includes(each)) ?? "signed";
  return [[worst, worst === "unable" ? null : worst === "signed", { name: key.name }]];
}

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

// ── the head that this browser saw last, and whether the log goes on from it ─────────────────────────────────────────

const KEPT = "lepton-heads";

const store = () => ({ last: null, heads: {}, broken: null, ...parsed(localStorage.getItem(KEPT)) });
const keep = (told) => localStorage.setItem(KEPT, JSON.stringify(told));
const plain = (head) => ({ ...head, root: hex(head.root), seen: new Date().toISOString() });
const restored = (kept) => ({ ...kept, root: unhex(kept.root) });

/** Do it while no other tab does. */
const alone = (task) => (navigator.locks ? navigator.locks.request(KEPT, task) : task());

/** Where the server says that its log ends, or ended at `at`, and the path from an earlier size; null for what is none. */
export async function served(since = 0, at = null) {
  const address = `/head.json?since=${since}${at === null ? "" : `&at=${at}`}`;
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
  const told = parsed(await answer.text());
  const notes = notesIn(told?.head);
  return { head: notes?.length === 1 ? notes[0].head : null, path: hashes(told?.path) };
}

/** Hold the log against the head that was seen last: {why, kept, head, broken}, why null where it goes on from it, and
    broken what was found once and nobody accepted yet. */
export const look = () =>
  alone(async () => {
    const told = store();
    const kept = told.last && told.heads[told.last];
    const { head, path } = await served(kept?.size ?? 0);
    if (!kept && !head) throw new Error("the server told no head");
    const why = kept ? await whyNot(restored(kept), head, path) : null;
    if (why) told.broken ??= { why, kept, found: head && plain(head) };
    else {
      told.last = head.ledger;
      told.heads[head.ledger] = plain(head);
    }
    keep(told);
    return { why, kept, head, broken: told.broken };
  });

/** Why the log does not go on from a head; what the server cannot show counts as rewritten. */
async function whyNot(kept, head, path) {
  if (!head) return "rewritten";
  if (kept.ledger !== head.ledger) return "other";
  if (head.size < kept.size) return "short";
  return (await goesOn(kept, head, path)) ? null : "rewritten";
}

/** Somebody looked into it: from now on the log is to go on from where it ends now. */
export const accept = () =>
  alone(async () => {
    const { head } = await served();
    if (!head) throw new Error("the server told no head");
    keep({ last: head.ledger, heads: { ...store().heads, [head.ledger]: plain(head) }, broken: null });
  });

/** Show, or take away, what every page says where the log does not go on from the head that was seen last. */
export function banner() {
  const bar = document.getElementById("alarm");
  if (!bar) return;
  const { broken } = store();
  const words = broken && bar.querySelector(`[data-why=${broken.why}]`)?.dataset.words;
  document.body.classList.toggle("broken", Boolean(words));
  bar.hidden = !words;
  if (words) bar.setAttribute("role", "alert");
  if (words) bar.querySelector("p").textContent = filled(words, described(broken));
}

const minute = (time) => `${time.slice(0, 16).replace("T", " ")} UTC`;
const described = ({ kept, found }) => ({
  size: kept.size, end: found?.size, next: found?.size + 1, time: minute(kept.seen),
  root: `sha256:${kept.root}`, ledger: kept.ledger, other: found?.ledger,
});

/** A sentence with its parts put in, of which no character hides or reorders another. */
export const filled = (words, parts) => words.replace(/\{(\w+)\}/g, (whole, name) => seen(parts[name] ?? whole));
const seen = (part) => String(part).replace(/[\p{Cc}\p{Cf}]/gu, (char) => `\\u{${char.codePointAt(0).toString(16)}}`);
