// What the page does beyond HTML: it is complete without this.

const page = document.body;

/** The sections that events change; each names their streams: "model/credit job/*". */
const live = () => [...document.querySelectorAll("[data-live]")];

const concerns = (section, stream) =>
  section.dataset.live.split(" ").some((each) =>
    each.endsWith("*") ? stream.startsWith(each.slice(0, -1)) : stream === each,
  );

if (page.dataset.seq && live().length) {
  if (navigator.locks && window.BroadcastChannel && window.EventSource) follow();
  else document.getElementById("still")?.removeAttribute("hidden");
}

// ── one stream of events for all tabs of a browser ──────────────────────────────────────────────────────────────────

function follow() {
  const name = `lepton ${page.dataset.reader}`;
  const tabs = new BroadcastChannel(name);
  let heard = Number(page.dataset.seq);
  let leads = false;

  const hear = ({ seq, stream }) => {
    heard = Math.max(heard, seq);
    if (seq > Number(page.dataset.seq) && live().some((section) => concerns(section, stream))) {
      changes++;
      refresh();
    }
  };

  /** Some tab has heard of all up to an event: what this one shows may be older, for it was opened in between. */
  const catchUp = (seq) => {
    heard = Math.max(heard, seq);
    if (seq > Number(page.dataset.seq)) refresh();
  };

  tabs.onmessage = ({ data }) => {
    if (data.stream) hear(data);
    else if (data.upTo) catchUp(data.upTo);
    else if (leads) tabs.postMessage({ upTo: heard });
  };

  function lead() {
    leads = true;
    tabs.postMessage({ upTo: heard });
    let pause = 1000;
    const open = () => {
      const events = new EventSource(`/live?after=${heard}`);
      events.onopen = () => (pause = 1000);
      events.onmessage = ({ lastEventId, data }) => {
        const event = { seq: Number(lastEventId), stream: data };
        tabs.postMessage(event);
        hear(event);
      };
      events.onerror = () => {
        if (events.readyState !== EventSource.CLOSED) return; // it comes back by itself, with Last-Event-ID
        setTimeout(open, pause);
        pause = Math.min(2 * pause, 60_000);
      };
    };
    open();
  }

  // the lock is held as long as the tab is open; then the next tab in line leads
  navigator.locks.request(name, () => new Promise(lead));
  tabs.postMessage({ hello: true });
  addEventListener("pageshow", ({ persisted }) => persisted && tabs.postMessage({ hello: true }));
}

// ── the page as it is now, put in place of what changed ─────────────────────────────────────────────────────────────

let due = false;
let busy = false;
/** Events that concern this page and were not announced yet. */
let changes = 0;
document.addEventListener("visibilitychange", () => due && refresh());

/** Show the page as it is by now: at once, then at most twice a second; where nobody looks, once somebody does. */
async function refresh() {
  due = true;
  if (busy || document.visibilityState === "hidden") return;
  busy = true;
  while (due && document.visibilityState !== "hidden") {
    due = false;
    const pause = (await renewed()) ? 500 : 5000;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  busy = false;
}

/** Whether the server answered; where it could not, it is to be asked again. */
async function renewed() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.status >= 500) throw new Error(answer.statusText);
    if (!answer.ok || answer.redirected) return true; // logged out, or not there any more: what was shown stays
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const section of [...live(), ...late()]) {
      const next = fresh.getElementById(section.id);
      if (next) renew(section, next);
    }
    document.title = fresh.title;
    page.dataset.seq = fresh.body.dataset.seq;
    document.dispatchEvent(new Event("lepton:renewed"));
    announce();
    return true;
  } catch {
    due = true;
    return false;
  }
}

/** The figures whose charts were not drawn yet. */
const late = () => [...document.querySelectorAll("[data-late]")].map((each) => each.closest("figure"));

let announcing = 0;

/** Have readers of screens hear how much changed: one sentence, at most each few seconds. */
function announce() {
  if (!changes || announcing) return;
  const news = document.getElementById("news");
  news.textContent = changes === 1 ? news.dataset.one : news.dataset.many.replace("{count}", changes);
  changes = 0;
  announcing = setTimeout(() => {
    announcing = 0;
    news.textContent = "";
    announce();
  }, 5000);
}

/** Make an element what it is by now. What stays the same element keeps its focus, its scrolling, what was typed. */
function renew(old, next) {
  if (old.isEqualNode(next) || "keep" in (old.dataset ?? {})) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = next.nodeValue;
    return;
  }
  if (old === document.activeElement && old.matches("input:not([type=hidden]), select, textarea")) return;
  renewAttributes(old, next);
  renewChildren(old, next);
}

function renewAttributes(old, next) {
  const own = (name) => name !== "open"; // what is open, or closed, is so because somebody wanted it
  for (const { name, value } of next.attributes)
    if (own(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (own(name) && !next.hasAttribute(name)) old.removeAttribute(name);
}

function renewChildren(old, next) {
  const olds = [...old.childNodes];
  const nexts = [...next.childNodes];
  const stays = common(olds.map(signature), nexts.map(signature));
  const staying = new Set(stays.values());
  // a row that has the focus stays, though it is not of this page any more
  olds.forEach((node, place) => staying.has(place) || node.contains(document.activeElement) || node.remove());
  let before = old.firstChild;
  nexts.forEach((node, place) => {
    if (stays.has(place)) {
      const kept = olds[stays.get(place)];
      before = kept.nextSibling;
      renew(kept, node);
    } else old.insertBefore(document.importNode(node, true), before);
  });
}

/** What makes two nodes the same one, before and after. */
const signature = (node) => `${node.nodeName} ${node.id || node.dataset?.key || ""}`;

/** The longest common subsequence of two lists: by each place in the second the place in the first. */
function common(first, second) {
  const pairs = new Map();
  let start = 0;
  let [end, secondEnd] = [first.length, second.length];
  for (; start < Math.min(end, secondEnd) && first[start] === second[start]; start++) pairs.set(start, start);
  while (end > start && secondEnd > start && first[end - 1] === second[secondEnd - 1]) pairs.set(--secondEnd, --end);

  const [rows, columns] = [end - start, secondEnd - start];
  if (rows * columns > 4_000_000) return pairs;
  const lengths = Array.from({ length: rows + 1 }, () => new Uint16Array(columns + 1));
  for (let row = rows - 1; row >= 0; row--)
    for (let column = columns - 1; column >= 0; column--)
      lengths[row][column] =
        first[start + row] === second[start + column]
          ? lengths[row + 1][column + 1] + 1
          : Math.max(lengths[row + 1][column], lengths[row][column + 1]);
  for (let row = 0, column = 0; row < rows && column < columns; ) {
    if (first[start + row] === second[start + column]) pairs.set(start + column++, start + row++);
    else if (lengths[row + 1][column] >= lengths[row][column + 1]) row++;
    else column++;
  }
  return pairs;
}

// ── what takes a while says so, and times grow older ────────────────────────────────────────────────────────────────

document.addEventListener("submit", ({ submitter, defaultPrevented }) => {
  if (!submitter?.dataset.busy || defaultPrevented) return;
  submitter.dataset.idle = submitter.textContent;
  submitter.textContent = submitter.dataset.busy;
  submitter.setAttribute("aria-busy", "true");
  setTimeout(() => (submitter.disabled = true)); // behind the sending, of which it is part
});

// who comes back to the page finds its buttons as they were
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[aria-busy]")) {
    button.textContent = button.dataset.idle;
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
});

const AGES = [[86400, "d", "天"], [3600, "h", "小时"], [60, "min", "分钟"]];

/** Say anew how long ago a time was; those of the past's pages, and those to come, stay. */
function age(shown) {
  const seconds = (Date.now() - Date.parse(shown.previousElementSibling?.dateTime)) / 1000;
  const [size, unit, word] = AGES.find(([each]) => seconds >= each) ?? [];
  if (!size || seconds > 30 * 86400) return;
  const count = Math.floor(seconds / size);
  shown.textContent = document.documentElement.lang === "en" ? `${count} ${unit} ago` : `${count} ${word}前`;
}

if (page.dataset.seq) setInterval(() => document.querySelectorAll("time + .ago").forEach(age), 60_000);

// ── the head that this browser saw last ──────────────────────────────────────────────────────────────────────────────

/** Look at it once a session of a tab, when nothing else is to be done, and always on /status; /proof does by itself. */
if (location.pathname !== "/proof") {
  const isDue = page.dataset.reader && (location.pathname === "/status" || !sessionStorage.getItem("lepton-looked"));
  const isBroken = localStorage.getItem("lepton-heads")?.includes('"why"');
  const soon = window.requestIdleCallback ?? setTimeout; // a page that is not shown is never idle
  if (isDue || isBroken) soon(() => lookBack(isDue), { timeout: 2000 });
}

async function lookBack(isDue) {
  const { able, banner, look } = await import("./evidence.js");
  banner();
  if (!able || !isDue) return;
  try {
    await look();
    sessionStorage.setItem("lepton-looked", "1");
  } catch {
    return; // a server that is away tells nothing, and is asked again at the next page
  }
  banner();
}

// ── charts that were not drawn in time ───────────────────────────────────────────────────────────────────────────────

/** Look for them after some seconds, a few times, each after a longer pause. */
function lookForCharts([seconds, ...more]) {
  if (!seconds || !late().length) return;
  setTimeout(async () => {
    await refresh();
    lookForCharts(more);
  }, 1000 * seconds);
}

lookForCharts([2, 5, 15, 30]);
