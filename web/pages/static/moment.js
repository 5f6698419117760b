// The slider beside the field of the moment: while it moves it tells the moment, let go it leads there.

const slider = document.getElementById("moment");
const PAUSE = 120;

if (slider) slide();

function slide() {
  const field = document.getElementById("at");
  const shown = document.getElementById("moment-at");
  const now = document.body.dataset.seq;
  let last = Number(slider.max);
  let asking = 0;
  let held = false;

  /** What is told of an event: its number, and its time once that is known. */
  function tell(seq, time) {
    const at = seq >= last && !time ? shown.dataset.now : shown.dataset.event.replace("{seq}", seq.toLocaleString());
    shown.textContent = time ? `${at} · ${time}` : at;
    slider.setAttribute("aria-valuetext", shown.textContent);
  }

  async function ask(seq) {
    const answer = await fetch(`/moment?seq=${seq}`, { headers: { Accept: "application/json" } });
    if (answer.ok && !answer.redirected) return answer.json();
    return null;
  }

  slider.addEventListener("input", () => {
    const seq = Number(slider.value);
    const isNow = seq >= last;
    field.value = isNow ? "" : seq;
    tell(seq);
    clearTimeout(asking);
    if (isNow) return;
    asking = setTimeout(async () => {
      const moment = await ask(seq).catch(() => null);
      if (moment && Number(slider.value) === seq) tell(seq, moment.shown);
    }, PAUSE);
  });

  // keys change the value at each press: with them Enter leads there, with a pointer letting go
  slider.addEventListener("pointerdown", () => (held = true));
  slider.addEventListener("keydown", (event) => {
    held = false;
    if (event.key === "Enter") {
      event.preventDefault();
      slider.form.requestSubmit();
    }
  });
  slider.addEventListener("change", () => held && slider.form.requestSubmit());

  /** The last event there is by now; whoever stands on it stays there. */
  function reach(seq) {
    const atEnd = slider.value === slider.max && now;
    last = Math.max(last, seq);
    slider.max = last;
    if (atEnd && document.activeElement !== slider) slider.value = last;
  }

  document.addEventListener("lepton:renewed", () => reach(Number(document.body.dataset.seq)));
  if (now) tell(last);
  else
    ask(slider.value)
      .then((moment) => {
        if (!moment) return;
        reach(moment.last);
        tell(moment.seq, moment.shown);
      })
      .catch(() => null);
  document.getElementById("slide").hidden = last < 2 && Boolean(now);
}
