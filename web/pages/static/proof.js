// The page of proofs: what is given to it is checked here, and never sent.

import { able, accept, banner, checkedProof, filled, goesOn, look, notesIn, same, served, signatures } from "./evidence.js";

const byId = (id) => document.getElementById(id);
const words = (name) => byId("words").querySelector(`[data-word=${name}]`).textContent;

const MARKS = new Map([[true, "✓"], [false, "✗"], [null, "–"]]);

/** Say outcomes in a list that is read out. */
function told(list, steps) {
  list.replaceChildren(
    ...steps.map(([word, holds, parts]) => {
      const item = document.createElement("li");
      item.className = holds ? "green" : holds === false ? "red" : "dim";
      item.textContent = `${MARKS.get(holds)} ${filled(words(word), parts)}`;
      return item;
    }),
  );
}

/** A form whose text is checked here; `check` gives the outcomes. */
function checkedHere(form, check) {
  const [text, key, file] = ["textarea", "[name=key]", "input[type=file]"].map((each) => form.querySelector(each));
  const list = form.querySelector("ol");
  let turn = 0;
  const run = async () => {
    const own = ++turn;
    list.replaceChildren();
    const steps = await check(text.value.trim(), key.value).catch(() => [["failed", false, {}]]);
    if (own === turn) told(list, steps);
  };
  form.querySelectorAll("[hidden]").forEach((each) => each.removeAttribute("hidden"));
  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    text.value = await file.files[0].text();
    await run();
  });
  form.addEventListener("submit", (event) => {
    if (event.submitter?.hasAttribute("data-server")) return;
    event.preventDefault();
    run();
  });
  return run;
}

// ── a head that was kept ─────────────────────────────────────────────────────────────────────────────────────────────

async function checkedHead(text, vkey) {
  const notes = notesIn(text)?.sort((one, other) => one.head.size - other.head.size);
  if (!notes) return [["headless", false, {}]];
  let steps = forked(notes);
  if (!steps) {
    try {
      steps = await held(notes);
    } catch {
      return [["away", null, {}]];
    }
  }
  banner();
  if (steps.some(([word, holds]) => holds === false && word !== "stranger")) document.body.classList.add("broken");
  const signed = (await Promise.all(notes.map((note) => signatures(null, note, vkey)))).flat();
  return [...steps, [false, null, true].flatMap((worst) => signed.filter(([, holds]) => holds === worst))[0]];
}

/** What is wrong with heads of themselves: two of one size with two roots; else null. */
function forked(notes) {
  const first = new Map();
  for (const { head } of notes) {
    const place = `${head.ledger} ${head.size}`;
    if (!first.has(place)) first.set(place, head);
    else if (!same(first.get(place).root, head.root)) return [["forked", false, { size: head.size }]];
  }
  return null;
}

/** Whether the log, by the head that the server shows first, goes on from each of some heads, the smallest first; where
    not, from which event on. */
async function held(notes) {
  const { head: end } = await served();
  if (!end) return [["headless-server", false, {}]];
  const stranger = notes.find((note) => note.head.ledger !== end.ledger);
  if (stranger) return [["stranger", false, { ledger: stranger.head.ledger, other: end.ledger }]];
  let agreed = 0;
  for (const head of new Map(notes.map((note) => [note.head.size, note.head])).values()) {
    const { size } = head;
    if (size > end.size) return [["missing", false, { size, end: end.size, next: end.size + 1 }]];
    const shown = await served(size, end.size);
    if (!isSame(shown.head, end) || !(await goesOn(head, end, shown.path)))
      return [[size === agreed + 1 ? "event" : "among", false, { first: agreed + 1, last: size }]];
    agreed = size;
  }
  const now = await served(end.size);
  if (now.head?.ledger !== end.ledger || now.head.size < end.size || !(await goesOn(end, now.head, now.path)))
    return [["differs", false, { old: end.size, size: now.head?.size ?? "?" }]];
  return [["same", true, { size: agreed, more: end.size - agreed }]];
}

const isSame = (one, other) => one?.ledger === other.ledger && one.size === other.size && same(one.root, other.root);

// ── the head that this browser saw last ──────────────────────────────────────────────────────────────────────────────

async function lookAt(list) {
  try {
    const { why, kept, head, broken } = await look();
    const parts = { size: kept?.size ?? head.size, end: head?.size ?? "?", time: `${(kept?.seen ?? "").slice(0, 16).replace("T", " ")} UTC` };
    told(list, [[why ? "parted" : kept ? "goes-on" : "first-seen", !why, parts]]);
    byId("accept").hidden = !broken;
  } catch {
    told(list, [["away", null, {}]]);
  }
  banner();
}

if (able) {
  const check = checkedHere(byId("check"), checkedProof);
  if (byId("check").querySelector("textarea").value && !byId("checked")) check();
  checkedHere(byId("hold"), checkedHead);
  byId("seen").hidden = false;
  const list = byId("seen").querySelector("ol");
  byId("accept").querySelector("button").addEventListener("click", async () => {
    await accept().catch(() => {}); // the look says that the server is away
    await lookAt(list);
  });
  lookAt(list);
} else byId("unable").hidden = false;
