// All about the chosen step.

class Details {
  constructor(element, said, choose) {
    this.element = element;
    this.said = said;
    this.choose = choose;
  }

  show() {
    const number = chosen.step;
    const step = steps[number];
    if (step === undefined) {
      this.element.replaceChildren(make("p", { className: "empty" }, "There is no step in this recording."));
      return;
    }
    this.element.replaceChildren(
      this.head(step, number),
      make("p", { className: "line" }, ...named(step.text, step.kind)),
      ...this.cause(number),
      ...this.effects(step, number),
      ...this.today(step),
      ...this.rules(step),
      ...this.changes(step),
      this.json("Event as JSON", { at: step.at, kind: step.event }),
      this.json("Effects as JSON", step.effects ?? []),
    );
    this.element.scrollTop = 0;
    this.said.textContent = `Step ${number + 1} of ${steps.length}, ${LANE_NAMES[step.lane]}: ${step.text}. ${step.shown.length} effects.`;
  }

  head(step, number) {
    const since = number > 0 ? `+${span(Math.max(0, step.at - steps[number - 1].at))}` : "the first";
    const state = [step.phase, step.status].filter(Boolean).join(", ");
    return make(
      "h2",
      {},
      `Step ${number + 1}`,
      make("span", { className: "tag", lane: step.lane }, `${LANE_NAMES[step.lane]} → Machine`),
      make("span", { className: "dim" }, `${moment(step.at)} s, ${since}`),
      state ? make("span", { className: "dim" }, `then ${state}`) : null,
    );
  }

  /** A button that goes to another step. */
  way(number, text) {
    return make("button", { type: "button", className: "link", onclick: () => this.choose(number) }, text);
  }

  cause(number) {
    const link = causes.get(number);
    if (link === undefined) return [];
    const { cause } = link;
    const after = span(steps[number].at - steps[cause.step].at);
    const effect = steps[cause.step].shown[cause.effect];
    const tie = make(
      "p",
      { className: "tie" },
      TIES[link.tie],
      " ",
      this.way(cause.step, `step ${cause.step + 1}`),
      `, ${effect.kind}, ${after} before`,
    );
    return [tie];
  }

  effects(step, number) {
    const title = make("h3", {}, step.shown.length === 0 ? "No effects" : "Effects, in order");
    if (step.shown.length === 0) return [title];
    const answered = answers.get(number) ?? [];
    const list = make("ol");
    step.shown.forEach((effect, index) => {
      const ties = answered.filter((link) => link.cause.effect === index);
      list.append(
        make(
          "li",
          {},
          make("span", { className: "tag", lane: effect.lane }, `→ ${LANE_NAMES[effect.lane]}`),
          make(
            "div",
            { lane: effect.lane },
            make("span", { className: "mono" }, effect.text),
            ...ties.map(({ step: to }) =>
              make(
                "p",
                { className: "tie" },
                "answered by ",
                this.way(to, `step ${to + 1}`),
                `, ${steps[to].kind}, ${span(steps[to].at - step.at)} later`,
              ),
            ),
          ),
        ),
      );
    });
    return [title, list];
  }

  today(step) {
    if (step.today === undefined) return [];
    const lines = step.today.map((effect) => make("li", {}, make("span", { className: "tag", lane: effect.lane }, `→ ${LANE_NAMES[effect.lane]}`), make("span", { className: "mono" }, effect.text)));
    const answer = lines.length === 0 ? make("p", {}, "No effects.") : make("ol", {}, ...lines);
    return [make("section", { className: "differs" }, make("h3", {}, "Today's machine answers differently"), answer)];
  }

  rules(step) {
    if (!step.rules || step.rules.length === 0) return [];
    const list = make("dl");
    for (const id of step.rules) list.append(make("dt", {}, id), make("dd", {}, ...marked(page.rules[id] ?? "")));
    return [make("h3", {}, "Rules"), list];
  }

  changes(step) {
    if (!step.phase) return [];
    if (!step.changes) return [make("h3", {}, "The state did not change")];
    const rows = step.changes.map(([path, before, after]) =>
      make(
        "tr",
        {},
        make("th", { scope: "row" }, path),
        make("td", {}, before ? make("del", {}, before) : make("span", { className: "dim" }, "nothing"), " → ", after ? make("ins", {}, after) : make("span", { className: "dim" }, "nothing")),
      ),
    );
    return [make("h3", {}, "What changed in the state"), make("table", {}, make("tbody", {}, ...rows))];
  }

  /** Written out only when it is opened. */
  json(title, value) {
    const body = make("pre");
    const details = make("details", {}, make("summary", {}, title), body);
    details.addEventListener("toggle", () => {
      body.textContent = JSON.stringify(value, null, 2);
    });
    return details;
  }
}

const TIES = {
  dial: "Came of the dial in",
  close: "We closed the socket in",
  frame: "Answers the frame sent in",
  reply: "Answers the request of",
  alarm: "The alarm was set in",
  answer: "Answers what was asked in",
};

/** A rule's text as the contract has it: `code`, *stress*, and links by their names. */
function marked(text) {
  return text.split(/(`[^`]+`|\*[^*]+\*|\[[^\]]+\]\([^)]+\))/).map((part, index) => {
    if (index % 2 === 0) return part;
    if (part.startsWith("[")) return part.slice(1, part.indexOf("]"));
    return make(part.startsWith("`") ? "code" : "em", {}, part.slice(1, -1));
  });
}
