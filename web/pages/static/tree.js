// The keys of a history: between rows, to parents and children. They act only while its table has the focus.

const history = document.getElementById("history");
const keys = document.getElementById("keys");

const rows = () => [...history.querySelectorAll("tbody tr")];

/** What of a row has the focus: the link to its version, else to its event. */
const link = (row) => row?.querySelector("th a, a.seq");

const focused = () => document.activeElement?.closest("#history tbody tr");

function step(by) {
  const all = rows();
  const place = all.indexOf(focused());
  const next = all[place < 0 ? 0 : place + by];
  if (!next) return;
  link(next)?.focus();
  next.scrollIntoView({ block: "nearest" });
}

/** To the row of an event, which may be on another page of the history. */
function go(seq) {
  if (!seq) return;
  const row = document.getElementById(`e${seq}`);
  if (row) {
    link(row)?.focus();
    row.scrollIntoView({ block: "nearest" });
    return;
  }
  const place = new URL(location.href);
  place.searchParams.set("before", Number(seq) + 1);
  place.hash = `row-${seq}`; // no id: a browser that finds one there takes the focus away
  location.assign(place);
}

const acts = {
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  j: () => step(1),
  k: () => step(-1),
  p: () => go(focused()?.dataset.parent),
  c: () => go(focused()?.dataset.child),
  "?": () => keys.showModal(),
};

history.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  if (!Object.hasOwn(acts, event.key)) return;
  event.preventDefault();
  acts[event.key]();
});

document.getElementById("keys-open").addEventListener("click", () => keys.showModal());
document.getElementById("keys-note").hidden = false;

const arrived = /^#row-(\d+)$/.exec(location.hash);
if (arrived) link(document.getElementById(`e${arrived[1]}`))?.focus();
