// What makes working with an article quicker. Every page says and does the same without it.
"use strict";

document.documentElement.classList.add("scripted");

// ---------------------------------------------------------------- hits before and behind

// p and n, unless a field is being typed in or the browser is meant.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
  const rel = { p: "prev", n: "next" }[event.key];
  const link = rel && document.querySelector(`.hitbar a[rel="${rel}"]`);
  if (link) link.click();
});

// ---------------------------------------------------------------- a passage that is gone

// Only the browser knows the passage that a link names behind "#".
function tellOfGonePassage() {
  const notice = document.querySelector(".changed");
  if (!notice) return;
  const named = location.hash.slice(1);
  // What a passage's id ends in; the page's headings have names, too.
  notice.hidden = !/-[0-9a-f]{12}$/.test(named) || document.getElementById(named) !== null;
  const link = notice.querySelector("a");
  link.href = `${link.pathname}?passage=${named}`;
}

addEventListener("hashchange", tellOfGonePassage);
tellOfGonePassage();

// ---------------------------------------------------------------- copying

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  button.label ??= [...button.childNodes];
  button.replaceChildren((await copied(source)) ? "Copied" : "Press Ctrl+C");
  setTimeout(() => button.replaceChildren(...button.label), 2000);
});

async function copied(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    // No clipboard without HTTPS, or it was refused: what is selected can be copied by hand.
    source.closest("details")?.setAttribute("open", "");
    getSelection().selectAllChildren(source);
    return false;
  }
}

// ---------------------------------------------------------------- citing what is selected

const selectionLink = document.querySelector(".selection");

// Spans count code points, as the archive does; strings of JavaScript count UTF-16 units.
const codePoints = (text) => Array.from(text).length;

/** The place in the article's text of a point in one of its passages. */
function placeInText(passage, node, offset) {
  const before = document.createRange();
  before.setStart(passage, 0);
  before.setEnd(node, offset);
  return Number(passage.dataset.start) + codePoints(before.toString());
}

/** The span of a selection in the article's text; null: nothing of it is selected. */
function spanOf(selection) {
  if (selection.isCollapsed || !selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  const passages = [...document.querySelectorAll(".passage .text")].filter((passage) =>
    range.intersectsNode(passage));
  if (!passages.length) return null;
  const first = passages[0];
  const last = passages.at(-1);
  // A selection may begin or end outside the text, as that of a whole paragraph does.
  const start = first.contains(range.startContainer)
    ? placeInText(first, range.startContainer, range.startOffset)
    : Number(first.dataset.start);
  const end = last.contains(range.endContainer)
    ? placeInText(last, range.endContainer, range.endOffset)
    : Number(last.dataset.start) + codePoints(last.textContent);
  return start < end ? { start, end } : null;
}

if (selectionLink) {
  const page = document.querySelector("[data-cite]").dataset.cite;
  document.addEventListener("selectionchange", () => {
    const span = spanOf(getSelection());
    selectionLink.hidden = !span;
    if (span) selectionLink.href = `${page}?start=${span.start}&end=${span.end}`;
  });
}
