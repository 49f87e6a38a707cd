// The session as `agw view` wrote it, and what is looked at of it.

const LANES = ["caller", "machine", "gateway", "api", "timers"];
const LANE_NAMES = { caller: "Caller", machine: "Machine", gateway: "Gateway", api: "API", timers: "Timers" };

const page = JSON.parse(document.getElementById("data").textContent);
const { steps, links, spans } = page.view;
const start = steps.length > 0 ? steps[0].at : 0;

/** Links by the step they lead to, and by the step they come from. */
const causes = new Map();
const answers = new Map();
for (const link of links) {
  causes.set(link.step, link);
  const list = answers.get(link.cause.step) ?? [];
  list.push(link);
  answers.set(link.cause.step, list);
}

/** What the person looking has chosen. Whoever shows something is told of every change. */
const chosen = {
  step: 0,
  hiddenKinds: new Set(),
  query: "",
  onlyMatches: false,
  compressed: true,
};

/** The numbers of the steps that are shown, in order, and of those that match the search. */
let shown = [];
let matches = [];
let isMatch = new Uint8Array(steps.length);

/** A step's kind, told apart from one of the same name of another lane. */
function kindKey(step) {
  return `${step.lane}/${step.kind}`;
}

/** All that a search looks at, by step; made when it is first needed. */
let haystacks = null;

function haystack(step, number) {
  const effects = step.shown.map((effect) => effect.text).join("\n");
  const changes = (step.changes ?? []).map((change) => change.join(" ")).join("\n");
  const json = JSON.stringify(step.event);
  return `#${number + 1} ${step.kind} ${step.text}\n${effects}\n${(step.rules ?? []).join(" ")}\n${changes}\n${json}`.toLowerCase();
}

/** A word of a query is looked for anywhere; `rule:C5` asks for a rule by its id. */
function fits(number, words) {
  return words.every((word) => {
    const rule = word.startsWith("rule:") ? word.slice(5) : null;
    return rule === null
      ? haystacks[number].includes(word)
      : (steps[number].rules ?? []).some((id) => id.toLowerCase() === rule);
  });
}

/** Works out anew what matches and what is shown. */
function lookAgain() {
  const words = chosen.query.toLowerCase().split(/\s+/).filter(Boolean);
  matches = [];
  isMatch = new Uint8Array(steps.length);
  if (words.length > 0) {
    haystacks ??= steps.map(haystack);
    for (let number = 0; number < steps.length; number += 1) {
      isMatch[number] = fits(number, words) ? 1 : 0;
    }
  }
  const isShown = (step, number) =>
    !chosen.hiddenKinds.has(kindKey(step)) && (!chosen.onlyMatches || words.length === 0 || isMatch[number] === 1);
  shown = [];
  steps.forEach((step, number) => {
    if (isShown(step, number)) {
      shown.push(number);
      if (isMatch[number] === 1) matches.push(number);
    }
  });
}

/** The place in `list`, which is sorted, of the first number that is not below `number`. */
function placeOf(list, number) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isIgnored(step) {
  return step.shown.some((effect) => effect.kind === "ignored");
}

/** A span of ms for a person. */
function span(ms) {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = Math.round((ms % 60_000) / 1000);
  return minutes < 60 ? `${minutes} min ${String(seconds).padStart(2, "0")} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A moment, since the first step, in seconds. */
function moment(at) {
  return ((at - start) / 1000).toFixed(3);
}

/** An element with properties and children; text stays text, whatever is in it. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "lane") element.dataset.lane = value;
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}
