// The steps as a list, of which only the rows in view exist.

const ROW = 26;

class List {
  constructor(element, rows, choose) {
    this.element = element;
    this.rows = rows;
    this.made = new Map();
    element.addEventListener("scroll", () => this.draw());
    rows.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) choose(Number(row.dataset.number));
    });
  }

  /** What is shown has changed: every row is made anew. */
  layOut() {
    this.rows.replaceChildren();
    this.made.clear();
    this.rows.style.height = `${shown.length * ROW}px`;
    if (shown.length === 0) this.rows.append(make("p", { className: "empty" }, "No step is shown."));
    this.draw();
  }

  /** Rows in one page. */
  get page() {
    return Math.max(1, Math.floor(this.element.clientHeight / ROW) - 1);
  }

  reveal(number) {
    const top = placeOf(shown, number) * ROW;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top - ROW;
    else if (top + ROW > scrollTop + clientHeight) this.element.scrollTop = top - clientHeight + 2 * ROW;
    this.draw();
  }

  draw() {
    const { scrollTop, clientHeight } = this.element;
    const from = Math.max(Math.floor(scrollTop / ROW) - 4, 0);
    const to = Math.min(Math.ceil((scrollTop + clientHeight) / ROW) + 4, shown.length);
    for (const [place, row] of this.made) {
      if (place < from || place >= to) {
        row.remove();
        this.made.delete(place);
      }
    }
    for (let place = from; place < to; place += 1) {
      let row = this.made.get(place);
      if (row === undefined) {
        row = this.row(place);
        this.made.set(place, row);
        this.rows.append(row);
      }
      row.setAttribute("aria-selected", shown[place] === chosen.step);
    }
    const selected = this.made.get(placeOf(shown, chosen.step));
    if (selected) this.element.setAttribute("aria-activedescendant", selected.id);
    else this.element.removeAttribute("aria-activedescendant");
    this.element.dataset.drawn = this.made.size;
  }

  row(place) {
    const number = shown[place];
    const step = steps[number];
    const row = make(
      "div",
      { className: isMatch[number] === 1 ? "row match" : "row", id: `step-${number + 1}`, lane: step.lane, role: "option" },
      make("span", { className: "number" }, String(number + 1)),
      make("span", { className: "when" }, moment(step.at)),
      make("span", { className: "what" }, ...named(step.text, step.kind)),
      this.signs(step),
    );
    row.dataset.number = number;
    row.setAttribute("aria-posinset", place + 1);
    row.setAttribute("aria-setsize", shown.length);
    row.style.top = `${place * ROW}px`;
    return row;
  }

  /** Where the effects go, the rules, and what is odd. */
  signs(step) {
    const signs = make("span", { className: "signs" });
    if (step.today) signs.append(make("em", {}, "differs"));
    if (isIgnored(step)) signs.append(make("em", {}, "ignored"));
    signs.append((step.rules ?? []).slice(0, 4).join(" "));
    for (const effect of step.shown.slice(0, 8)) {
      if (effect.kind !== "ignored") signs.append(make("i", { lane: effect.lane, title: effect.text }));
    }
    return signs;
  }
}

/** A line with the name of what it is about made to stand out. */
function named(text, kind) {
  const at = text.indexOf(kind);
  return at < 0 ? [text] : [text.slice(0, at), make("b", {}, kind), text.slice(at + kind.length)];
}
