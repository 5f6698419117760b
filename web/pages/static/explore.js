// A chart that answers the pointer, in place of the server's drawing, once somebody asks for it.

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("button.explore");
  if (button) void (button.getAttribute("aria-pressed") === "true" ? putBack(button) : explore(button));
});

/** Show the chart by Vega. What this page's policy forbids it does without: expressions are read, not run. */
async function explore(button) {
  const figure = button.closest("figure");
  const failed = figure.querySelector(".failed");
  const place = document.createElement("div");
  place.className = "explored";
  press(button, true);
  figure.dataset.keep = ""; // what is explored is not drawn anew meanwhile
  failed.hidden = true;
  try {
    const [spec] = await Promise.all([asked(button.dataset.spec), import(button.dataset.program)]);
    figure.querySelector("[data-drawn]").after(place);
    spec.autosize = { type: "fit-x", contains: "padding" };
    spec.width = Math.min(spec.width + 120, place.clientWidth);
    const options = { mode: "vega-lite", renderer: "svg", ast: true, actions: false, defaultStyle: false, tooltip: false };
    figure.shown = await window.vegaEmbed(place, spec, options);
    figure.querySelector("[data-drawn]").hidden = true;
  } catch {
    putBack(button);
    failed.hidden = false;
  }
}

function putBack(button) {
  const figure = button.closest("figure");
  figure.shown?.finalize();
  figure.querySelector(".explored")?.remove();
  figure.querySelector("[data-drawn]").hidden = false;
  delete figure.shown;
  delete figure.dataset.keep;
  press(button, false);
}

async function asked(place) {
  const answer = await fetch(place);
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.json();
}

const press = (button, is) => button.setAttribute("aria-pressed", String(is));
