// The page of proofs: what is given to it is checked here, and never sent.

import { able, accept, banner, checkedProof, filled, goesOn, look, notesIn, served, signatures } from "./evidence.js";

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
  const run = async () => told(list, await check(text.value.trim(), key.value));
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
  let present;
  try {
    present = await served();
  } catch {
    return [["away", null, {}]];
  }
  const steps = await held(notes, present.head);
  banner();
  if (steps.some(([word, holds]) => holds === false && word !== "stranger")) document.body.classList.add("broken");
  const signed = await Promise.all(notes.map((note) => signatures(null, note, vkey)));
  return [...steps, (signed.find(([[, holds]]) => holds !== true) ?? signed[0])[0]];
}

/** Whether the log goes on from heads, the smallest first; where not, from which event on. */
async function held(notes, head) {
  const stranger = notes.find((note) => note.head.ledger !== head.ledger);
  if (stranger) return [["stranger", false, { ledger: stranger.head.ledger, other: head.ledger }]];
  const heads = notes.map((note) => note.head);
  const fits = heads.filter((each) => each.size <= head.size);
  let [first, last] = [0, fits.length]; // the heads before `first` agree, that at `last` does not, if there is one
  while (first < last) {
    const middle = Math.floor((first + last) / 2);
    const present = await served(heads[middle].size);
    if (await goesOn(heads[middle], present.head, present.path)) first = middle + 1;
    else last = middle;
  }
  const agreed = first ? heads[first - 1].size : 0;
  if (first < fits.length) {
    const size = heads[first].size;
    return [[size === agreed + 1 ? "event" : "among", false, { first: agreed + 1, last: size }]];
  }
  if (first < heads.length) return [["missing", false, { size: heads[first].size, end: head.size, next: head.size + 1 }]];
  return [["same", true, { size: agreed, more: head.size - agreed }]];
}

// ── the head that this browser saw last ──────────────────────────────────────────────────────────────────────────────

async function lookAt(list) {
  try {
    const { why, kept, head } = await look();
    const parts = { size: kept?.size ?? head.size, end: head.size, time: `${(kept?.seen ?? "").slice(0, 16).replace("T", " ")} UTC` };
    told(list, [[why ? "parted" : kept ? "goes-on" : "first-seen", !why, parts]]);
    byId("accept").hidden = !why;
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
    await accept();
    await lookAt(list);
  });
  lookAt(list);
} else byId("unable").hidden = false;
