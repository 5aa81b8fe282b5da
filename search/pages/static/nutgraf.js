// What makes the pages quicker to use. Every page says and does the same without it.
"use strict";

const TYPED_IN = "input, textarea, select, [contenteditable], dialog";

// ---------------------------------------------------------------- keys

/** Focus the hit that lies `by` places from the one in focus; without one the first or the last. */
function goToHit(by) {
  const hits = [...document.querySelectorAll(".hits .hit")];
  const here = hits.indexOf(document.activeElement.closest(".hit"));
  const wanted = here < 0 ? (by > 0 ? 0 : hits.length - 1) : here + by;
  hits[wanted]?.querySelector("h2 a").focus();
}

function goToPage(rel) {
  document.querySelector(`.pages a[rel="${rel}"]`)?.click();
}

function ask() {
  const box = document.getElementById("q");
  if (!box) { location.assign("/"); return; }
  box.focus();
  box.select();
}

const KEYS = {
  "/": ask,
  j: () => goToHit(1),
  k: () => goToHit(-1),
  n: () => goToPage("next"),
  p: () => goToPage("prev"),
  "?": () => document.getElementById("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest(TYPED_IN)) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

for (const hint of document.querySelectorAll(".keys-hint")) hint.hidden = false;
for (const button of document.querySelectorAll("[data-opens]")) {
  button.addEventListener("click", () => document.getElementById(button.dataset.opens).showModal());
}

// ---------------------------------------------------------------- menus

// One open menu at a time; a click elsewhere or Escape shuts it.
function shutMenus(except) {
  for (const menu of document.querySelectorAll(".menu[open]")) {
    if (menu !== except) menu.open = false;
  }
}

document.addEventListener("click", (event) => shutMenus(event.target.closest(".menu")));
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest(".menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// ---------------------------------------------------------------- the histogram

const dayInWords = new Intl.DateTimeFormat("en-GB",
  { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

/** Let several bars be chosen at once: by dragging over them, or by Shift and the arrow keys. */
function makeBrush(figure) {
  const drawing = figure.querySelector("svg");
  const bars = [...drawing.querySelectorAll("[data-first]")];
  const links = bars.filter((bar) => bar.localName === "a");
  const output = figure.querySelector("output");
  let from = -1;  // places in `bars`; -1: nothing is chosen
  let to = -1;
  let dragged = false;

  function choose(one, other) {
    from = one;
    to = other;
    const [first, last] = [Math.min(from, to), Math.max(from, to)];
    bars.forEach((bar, at) => bar.classList.toggle("chosen", first >= 0 && first <= at && at <= last));
    if (first < 0) { output.textContent = "Drag over bars to choose several."; return; }
    const chosen = bars.slice(first, last + 1);
    const hits = chosen.reduce((sum, bar) => sum + Number(bar.dataset.count), 0);
    const days = [chosen[0].dataset.first, chosen.at(-1).dataset.last]
      .map((day) => dayInWords.format(new Date(`${day}T00:00Z`)));
    output.textContent = `${days[0]} to ${days[1]}: ${hits.toLocaleString("en-GB")}`;
  }

  function narrow() {
    const [first, last] = [Math.min(from, to), Math.max(from, to)];
    const url = new URL(location.href);
    url.searchParams.delete("cursor");
    url.searchParams.set("from", bars[first].dataset.first);
    url.searchParams.set("to", bars[last].dataset.last);
    url.hash = "";
    location.assign(url);
  }

  function barAt(event) {
    const box = drawing.getBoundingClientRect();
    const at = Math.floor((event.clientX - box.left) / box.width * bars.length);
    return Math.min(Math.max(at, 0), bars.length - 1);
  }

  choose(-1, -1);

  // By mouse, pen or finger.
  let begun = -1;
  drawing.addEventListener("dragstart", (event) => event.preventDefault());
  drawing.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    begun = barAt(event);
    dragged = false;
  });
  drawing.addEventListener("pointermove", (event) => {
    if (begun < 0 || (!dragged && barAt(event) === begun)) return;
    if (!dragged) drawing.setPointerCapture(event.pointerId);
    dragged = true;
    choose(begun, barAt(event));
  });
  drawing.addEventListener("pointerup", () => {
    if (dragged) narrow();
    begun = -1;
  });
  drawing.addEventListener("pointercancel", () => { begun = -1; choose(-1, -1); });
  drawing.addEventListener("click", (event) => { if (dragged) event.preventDefault(); }, true);

  // By keyboard: one stop for the whole chart.
  function stopAt(link) {
    for (const other of links) other.setAttribute("tabindex", other === link ? "0" : "-1");
  }
  if (links.length) stopAt(links[0]);
  drawing.addEventListener("focusin", (event) => {
    const link = event.target.closest("a");
    if (link) stopAt(link);
  });
  drawing.addEventListener("keydown", (event) => {
    const here = links.indexOf(event.target.closest("a"));
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -links.length, End: links.length }[event.key];
    if (by) {
      event.preventDefault();
      const next = links[Math.min(Math.max(here + by, 0), links.length - 1)];
      if (event.shiftKey) choose(from < 0 ? bars.indexOf(links[here]) : from, bars.indexOf(next));
      else choose(-1, -1);
      next.focus();
    } else if (event.key === "Enter" && from >= 0) {
      event.preventDefault();
      narrow();
    } else if (event.key === "Escape") {
      choose(-1, -1);
    }
  });
}

for (const figure of document.querySelectorAll(".histogram")) makeBrush(figure);
