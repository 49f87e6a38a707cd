// Puts the parts together, and listens.

const at = (id) => document.getElementById(id);

const timeline = new Timeline(at("timeline"), at("gutter"));
const overview = new Overview(at("overview"), timeline);
const list = new List(at("list"), at("rows"), choose);
const details = new Details(at("details"), at("said"), choose);

/** Draws at most once a frame. */
let isDue = false;

function redraw() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    timeline.draw();
    overview.draw();
  });
}

/** Chooses a step, and shows it everywhere. */
function choose(number) {
  if (number === undefined || steps[number] === undefined) return;
  chosen.step = number;
  details.show();
  list.reveal(number);
  timeline.reveal(number);
  tellFound();
  redraw();
}

/** To the shown step that is so many further on. */
function stepBy(count) {
  const place = placeOf(shown, chosen.step);
  const isHidden = shown[place] !== chosen.step;
  const next = count > 0 && isHidden ? place + count - 1 : place + count;
  choose(shown[Math.min(Math.max(next, 0), shown.length - 1)]);
}

/** What is shown has changed. */
function showAgain() {
  lookAgain();
  timeline.layOut();
  list.layOut();
  list.reveal(chosen.step);
  tellFound();
  tellFilters();
  redraw();
}

function tellFound() {
  const place = placeOf(matches, chosen.step);
  const current = matches[place] === chosen.step ? `${place + 1} of ${matches.length}` : `${matches.length} found`;
  at("found").textContent = chosen.query.trim() === "" ? "" : matches.length === 0 ? "none" : current;
  at("earlier").disabled = matches.length === 0;
  at("later").disabled = matches.length === 0;
}

/** To the match after, or before, the chosen step; around the end. */
function nextMatch(way) {
  if (matches.length === 0) return;
  const place = placeOf(matches, way > 0 ? chosen.step + 1 : chosen.step);
  const next = way > 0 ? place : place - 1;
  choose(matches[(next + matches.length) % matches.length]);
}

/** How many steps there are of each kind, by lane. */
const kinds = new Map();
for (const step of steps) {
  const key = kindKey(step);
  const kind = kinds.get(key) ?? { key, lane: step.lane, name: step.kind, count: 0 };
  kind.count += 1;
  kinds.set(key, kind);
}

function kindsOf(lane) {
  return [...kinds.values()].filter((kind) => kind.lane === lane);
}

function setHidden(keys, isHidden) {
  for (const key of keys) {
    if (isHidden) chosen.hiddenKinds.add(key);
    else chosen.hiddenKinds.delete(key);
  }
  showAgain();
}

function makeFilters() {
  for (const lane of LANES) {
    const own = kindsOf(lane);
    if (own.length === 0) continue;
    const count = own.reduce((sum, kind) => sum + kind.count, 0);
    const keys = own.map((kind) => kind.key);
    const chip = make(
      "button",
      { type: "button", lane, title: `Show or hide events from ${LANE_NAMES[lane]}`, onclick: () => setHidden(keys, keys.some((key) => !chosen.hiddenKinds.has(key))) },
      make("span", { className: "dot" }),
      `${LANE_NAMES[lane]} `,
      make("span", { className: "dim" }, String(count)),
    );
    at("lanes").append(chip);
    at("kinds-list").append(make("h3", {}, LANE_NAMES[lane]));
    for (const kind of own.sort((one, other) => other.count - one.count)) {
      const box = make("input", { type: "checkbox", checked: true, onchange: () => setHidden([kind.key], !box.checked) });
      box.dataset.kind = kind.key;
      at("kinds-list").append(make("label", {}, box, make("span", { className: "mono" }, kind.name), make("span", { className: "dim" }, String(kind.count))));
    }
  }
}

function tellFilters() {
  for (const chip of at("lanes").children) {
    const isOn = kindsOf(chip.dataset.lane).some((kind) => !chosen.hiddenKinds.has(kind.key));
    chip.setAttribute("aria-pressed", isOn);
  }
  for (const box of at("kinds-list").querySelectorAll("input")) box.checked = !chosen.hiddenKinds.has(box.dataset.kind);
  at("kinds-hidden").textContent = chosen.hiddenKinds.size > 0 ? `${chosen.hiddenKinds.size} hidden` : "";
  at("steps-count").textContent = shown.length === steps.length ? `${steps.length}` : `${shown.length} of ${steps.length}`;
}

function makeHead() {
  document.title = `${page.name} · agw view`;
  at("name").textContent = page.name;
  const { outcome, header, notes } = page.view;
  const badge = at("outcome");
  badge.hidden = false;
  badge.textContent = outcome ? outcome[0].replaceAll("_", " ") : "no end";
  badge.title = outcome ? outcome[1] : "The recording stops before the end of the run";
  const isBad = ["failed", "start_failed", "auth_lost", "refresh_failed", "connection_lost", "protocol_violation", "start_unknown"];
  if (outcome) badge.classList.add(outcome[0] === "completed" ? "good" : isBad.includes(outcome[0]) ? "bad" : "other");
  const lasted = steps.length > 0 ? span(Math.max(0, steps.at(-1).at - start)) : "nothing";
  const facts = [`${steps.length} steps`, lasted];
  if (header) facts.push(`seed ${page.seed}`);
  at("facts").textContent = facts.join(" · ");
  at("notes").append(...notes.map((note) => make("p", {}, note)));
  at("timeline").setAttribute("aria-label", `${steps.length} steps on the lanes of caller, machine, gateway, API and timers. The list below has the same steps.`);
}

function isDark() {
  return document.documentElement.dataset.theme === "dark";
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  readPaint();
  redraw();
}

/** What the keys do; the list in the help is made from this. */
const SHORTCUTS = [
  [["ArrowRight", "ArrowDown", "j"], "→ ↓ j", "next step", () => stepBy(1)],
  [["ArrowLeft", "ArrowUp", "k"], "← ↑ k", "step before", () => stepBy(-1)],
  [["PageDown"], "Page Down", "a page on", () => stepBy(list.page)],
  [["PageUp"], "Page Up", "a page back", () => stepBy(-list.page)],
  [["Home"], "Home", "first step", () => choose(shown[0])],
  [["End"], "End", "last step", () => choose(shown.at(-1))],
  [["["], "[", "to what the event answers", () => choose(causes.get(chosen.step)?.cause.step)],
  [["]"], "]", "to what answers the first effect", () => choose(answers.get(chosen.step)?.[0].step)],
  [["/"], "/", "search; Enter and Shift+Enter go through what is found", () => at("query").select()],
  [["n"], "n", "next match", () => nextMatch(1)],
  [["N"], "N", "match before", () => nextMatch(-1)],
  [["+", "="], "+", "zoom in", () => zoom(1.5)],
  [["-"], "−", "zoom out", () => zoom(1 / 1.5)],
  [["0"], "0", "all of it", fit],
  [["c"], "c", "compress silence, or not", () => at("compress").click()],
  [["f"], "f", "filter by kind", openKinds],
  [["t"], "t", "light or dark", () => setTheme(isDark() ? "light" : "dark")],
  [["p"], "p", "print the steps that are shown", () => window.print()],
  [["?"], "?", "this list", () => at("shortcuts").showModal()],
];

function openKinds() {
  at("kinds").open = !at("kinds").open;
  at("kinds").querySelector("summary").focus();
}

function zoom(factor) {
  timeline.zoom(factor);
  redraw();
}

function fit() {
  timeline.fit();
  redraw();
}

function onKey(event) {
  const isTyping = event.target.matches("input[type=search]");
  if (event.key === "Escape" && isTyping) {
    at("query").value = "";
    search("");
    at("list").focus();
  }
  if (event.key === "Escape") at("kinds").open = false;
  if (isTyping && event.key === "Enter" && event.shiftKey) {
    event.preventDefault();
    nextMatch(-1);
  }
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || at("shortcuts").open) return;
  const shortcut = SHORTCUTS.find(([keys]) => keys.includes(event.key));
  if (shortcut) {
    event.preventDefault();
    shortcut[3]();
  }
}

function search(query) {
  chosen.query = query;
  showAgain();
  if (matches.length > 0 && isMatch[chosen.step] === 0) nextMatch(1);
}

/** Dragging a canvas: `move` gets where it is and how far it went, in CSS pixels. */
function onDrag(canvas, begin, move) {
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    begin(event.offsetX);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) move(event.offsetX, event.movementX);
  });
}

function listen() {
  document.addEventListener("keydown", onKey);
  at("query").addEventListener("input", (event) => search(event.target.value));
  at("search").addEventListener("submit", (event) => {
    event.preventDefault();
    nextMatch(1);
  });
  at("earlier").addEventListener("click", () => nextMatch(-1));
  at("only").addEventListener("change", (event) => {
    chosen.onlyMatches = event.target.checked;
    showAgain();
  });
  at("compress").addEventListener("change", (event) => {
    chosen.compressed = event.target.checked;
    timeline.layOut();
    timeline.fit();
    redraw();
  });
  at("zoom-in").addEventListener("click", () => zoom(1.5));
  at("zoom-out").addEventListener("click", () => zoom(1 / 1.5));
  at("zoom-fit").addEventListener("click", fit);
  at("theme").addEventListener("click", () => setTheme(isDark() ? "light" : "dark"));
  at("help").addEventListener("click", () => at("shortcuts").showModal());
  document.addEventListener("click", (event) => {
    if (!at("kinds").contains(event.target)) at("kinds").open = false;
  });
  window.addEventListener("beforeprint", () => preparePrint(at("printed")));
  window.addEventListener("afterprint", () => at("printed").replaceChildren());
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => setTheme(event.matches ? "dark" : "light"));
  new ResizeObserver(() => {
    timeline.scale = Math.max(timeline.scale, Math.min(timeline.fitScale(), timeline.mostScale()));
    timeline.moveTo(timeline.offset);
    list.draw();
    redraw();
  }).observe(at("timeline"));
  listenToPointer();
}

function listenToPointer() {
  const canvas = at("timeline");
  let went = 0;
  onDrag(
    canvas,
    () => {
      went = 0;
    },
    (_, by) => {
      went += Math.abs(by);
      timeline.moveTo(timeline.offset - by / timeline.scale);
      redraw();
    },
  );
  canvas.addEventListener("click", (event) => {
    if (went < 5) choose(timeline.nearest(event.offsetX));
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const isPan = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (isPan) timeline.moveTo(timeline.offset + (event.deltaX || event.deltaY) / timeline.scale);
      else timeline.zoom(Math.exp(-event.deltaY / 400), event.offsetX);
      redraw();
    },
    { passive: false },
  );
  canvas.addEventListener("pointermove", showTip);
  canvas.addEventListener("pointerleave", () => {
    at("tip").hidden = true;
  });
  const jump = (x) => {
    timeline.moveTo(overview.position(x) - (timeline.width - 90) / timeline.scale / 2);
    redraw();
  };
  onDrag(at("overview"), jump, jump);
}

function showTip(event) {
  const tip = at("tip");
  const number = timeline.nearest(event.offsetX);
  if (number === undefined || Math.abs(timeline.x(number) - event.offsetX) > 30) {
    tip.hidden = true;
    return;
  }
  const step = steps[number];
  tip.hidden = false;
  tip.replaceChildren(make("b", {}, `${number + 1} · ${moment(step.at)} s`), step.text, ...step.shown.slice(0, 6).flatMap((effect) => [make("br"), `→ ${effect.text}`]));
  const left = Math.min(at("timeline").offsetLeft + event.offsetX + 14, document.body.clientWidth - tip.offsetWidth - 10);
  tip.style.left = `${left}px`;
  tip.style.top = `${Math.max(event.offsetY - tip.offsetHeight - 10, 4)}px`;
}

at("shortcuts-list").append(...SHORTCUTS.map(([, keys, what]) => make("tr", {}, make("td", {}, make("kbd", {}, keys)), make("td", {}, what))));
document.documentElement.dataset.theme = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
readPaint();
makeHead();
makeFilters();
listen();
showAgain();
timeline.fit();
choose(0);
