// The lanes on their time axis.

/** More steps than this in view are drawn as how many there are, not one by one. */
const MOST_STEPS = 260;

/** From the lane's top to its rows of events, of effects, and of what lasts. */
const EVENTS = 15;
const EFFECTS = 34;
const SPANS = 54;
const SPAN_ROW = 17;
const AXIS = 24;

class Timeline {
  constructor(canvas, gutter) {
    this.canvas = canvas;
    this.axis = new Axis(chosen.compressed);
    this.offset = 0;
    this.scale = 1;
    this.layLanes(gutter);
  }

  /** Lanes from top to bottom, each as high as its rows. */
  layLanes(gutter) {
    const rows = Object.fromEntries(LANES.map((lane) => [lane, 0]));
    for (const { lane, row } of spans) rows[lane] = Math.min(Math.max(rows[lane], row + 1), 4);
    let top = AXIS;
    this.lanes = {};
    for (const lane of LANES) {
      const height = (lane === "machine" ? 46 : SPANS - 8) + rows[lane] * SPAN_ROW + (rows[lane] > 0 ? 5 : 0);
      this.lanes[lane] = { top, height };
      gutter.append(make("div", { lane }, LANE_NAMES[lane]));
      gutter.lastChild.style.top = `${top}px`;
      gutter.lastChild.style.height = `${height}px`;
      top += height;
    }
    this.height = top;
    this.spine = this.lanes.machine.top + 23;
    this.canvas.style.height = `${top}px`;
  }

  /** The steps or the axis have changed; what was in the middle stays there, as far as it can. */
  layOut() {
    this.axis = new Axis(chosen.compressed);
    this.scale = Math.max(this.scale, this.fitScale());
    this.reveal(chosen.step);
  }

  get width() {
    return this.canvas.clientWidth;
  }

  fitScale() {
    return Math.max(this.width - 90, 50) / this.axis.length;
  }

  x(number) {
    return (this.axis.positions[number] - this.offset) * this.scale + 24;
  }

  position(x) {
    return (x - 24) / this.scale + this.offset;
  }

  fit() {
    this.scale = Math.min(this.fitScale(), this.mostScale());
    this.offset = 0;
  }

  /** At most so much that a step takes a third of the width. */
  mostScale() {
    return chosen.compressed ? 8 : Math.max(40, this.fitScale());
  }

  /** Zooms by a factor, with what is at `x` staying there. */
  zoom(factor, x = this.x(chosen.step)) {
    const around = this.position(x);
    this.scale = Math.min(Math.max(this.scale * factor, this.fitScale()), this.mostScale());
    this.moveTo(around - (x - 24) / this.scale);
  }

  moveTo(offset) {
    const room = (this.width - 90) / this.scale;
    this.offset = Math.min(Math.max(offset, 0), Math.max(this.axis.length - room, 0));
  }

  /** Moves as little as is needed to have a step in view. */
  reveal(number) {
    const x = this.x(number);
    if (x < 60 || x > this.width - 120) {
      this.moveTo(this.axis.positions[number] - this.width / 2 / this.scale);
    } else {
      this.moveTo(this.offset);
    }
  }

  /** The shown step nearest to `x`; undefined if there is none. */
  nearest(x) {
    const position = this.position(x);
    const [place] = this.axis.range(position, position);
    const [before, after] = [shown[place - 1], shown[place]];
    if (before === undefined || after === undefined) return after ?? before;
    return Math.abs(this.x(before) - x) <= Math.abs(this.x(after) - x) ? before : after;
  }

  draw() {
    const width = this.width;
    const context = sharpContext(this.canvas, width, this.height);
    this.context = context;
    this.drawn = 0;
    const [from, to] = this.axis.range(this.position(-60), this.position(width + 60));
    this.inView = { from, to };
    this.isDense = to - from > MOST_STEPS;
    this.drawGround(width);
    this.drawTicks(width);
    this.drawSpans(width);
    if (this.isDense) this.drawCounts(width);
    else this.drawSteps();
    this.drawChosen();
    this.canvas.dataset.drawn = this.drawn;
    this.canvas.dataset.dense = this.isDense;
  }

  line(x1, y1, x2, y2, colour, thick = 1) {
    const { context } = this;
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
    this.drawn += 1;
  }

  box(x, y, width, height, colour, alpha = 1, round = 0) {
    const { context } = this;
    context.globalAlpha = alpha;
    context.fillStyle = colour;
    context.beginPath();
    context.roundRect(x, y, width, height, round);
    context.fill();
    context.globalAlpha = 1;
    this.drawn += 1;
  }

  text(text, x, y, colour, room = Infinity) {
    const { context } = this;
    const cut = room === Infinity ? text : fitted(context, text, room);
    if (cut === "") return;
    context.fillStyle = colour;
    context.fillText(cut, x, y);
    this.drawn += 1;
  }

  /** A name that what lies below it does not disturb. */
  label(text, x, y, room) {
    const { context } = this;
    const cut = fitted(context, text, room);
    if (cut === "") return;
    context.strokeStyle = paint.panel;
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.strokeText(cut, x, y);
    context.fillStyle = paint.text;
    context.fillText(cut, x, y);
    this.drawn += 1;
  }

  drawGround(width) {
    for (const lane of LANES) {
      const { top } = this.lanes[lane];
      this.line(0, top + 0.5, width, top + 0.5, paint.line);
    }
    this.drawPhases(width);
    this.line(0, this.spine, width, this.spine, paint.machine);
  }

  /** The run's phases, as stretches of the machine's lane. */
  drawPhases(width) {
    const { top, height } = this.lanes.machine;
    for (const [index, { name, from }] of phases.entries()) {
      const left = Math.max(index === 0 ? -1 : this.x(from), -1);
      const right = Math.min(index + 1 < phases.length ? this.x(phases[index + 1].from) : width + 1, width + 1);
      if (right <= 0 || left >= width || right - left < 1) continue;
      this.box(left, top + 1, right - left - 1, height - 1, paint.machine, index % 2 === 0 ? 0.06 : 0.13);
      this.text(name, Math.max(left, 0) + 6, top + height - 8, paint.dim, right - Math.max(left, 0) - 10);
    }
  }

  drawTicks(width) {
    if (this.axis.compressed) this.drawTicksAtSteps(width);
    else this.drawEvenTicks(width);
  }

  drawTicksAtSteps() {
    let free = 4;
    const { from, to } = this.inView;
    const stride = Math.max(1, Math.floor((to - from) / 400));
    for (let place = from; place < to; place += stride) {
      const number = shown[place];
      const x = this.x(number);
      if (x < free) continue;
      this.line(x, AXIS - 5, x, AXIS, paint.dim);
      const text = `${moment(steps[number].at)} s`;
      this.text(text, x + 3, 10, paint.dim);
      free = x + widthOf(this.context, text) + 26;
    }
    if (!this.isDense) this.drawBreaks();
  }

  /** Silence that the axis cuts short: a band that says how long it was. */
  drawBreaks() {
    const { from, to } = this.inView;
    for (let place = Math.max(from, 1); place <= to && place < shown.length; place += 1) {
      const silence = steps[shown[place]].at - steps[shown[place - 1]].at;
      if (silence < BREAK) continue;
      const right = this.x(shown[place]) - 6;
      const text = span(silence);
      const wide = widthOf(this.context, text);
      const left = right - wide - 14;
      if (left < this.x(shown[place - 1]) + this.spread(place - 1, steps[shown[place - 1]].shown.length) + 4) continue;
      this.box(left, AXIS, wide + 12, this.height - AXIS, paint.raised, 0.75);
      this.context.setLineDash([2, 3]);
      this.line(left, AXIS, left, this.height, paint.dim);
      this.line(left + wide + 12, AXIS, left + wide + 12, this.height, paint.dim);
      this.context.setLineDash([]);
      this.text(text, left + 6, this.height - 9, paint.dim);
    }
  }

  drawEvenTicks(width) {
    const least = 90 / this.scale;
    const power = 10 ** Math.floor(Math.log10(least));
    const every = [1, 2, 5, 10].map((factor) => factor * power).find((tick) => tick >= least);
    const last = this.position(width);
    for (let at = Math.ceil(Math.max(this.position(0), 0) / every) * every; at <= last; at += every) {
      const x = (at - this.offset) * this.scale + 24;
      this.line(x, AXIS - 5, x, AXIS, paint.dim);
      this.text(`${+(at / 1000).toFixed(4)} s`, x + 3, 10, paint.dim);
    }
  }

  /** Sockets, requests and alarms, while they last. What is less than a pixel from the last one is not drawn again. */
  drawSpans(width) {
    const reached = {};
    for (const { lane, kind, label, from, to, end, row } of spans) {
      const x1 = this.x(from);
      const x2 = to === null ? width + 20 : this.x(to);
      const y = this.lanes[lane].top + SPANS - 6 + Math.min(row, 3) * SPAN_ROW;
      if (x2 < 0 || x1 > width || x2 < (reached[y] ?? -1) + 1) continue;
      reached[y] = Math.max(x2, x1 + 1);
      const left = Math.max(x1, -8);
      const long = Math.max(Math.min(x2, width + 8) - left, 2);
      const faint = kind === "connected" ? 0.3 : kind === "alarm" && end !== "done" ? 0.1 : 0.18;
      this.box(left, y, long, SPAN_ROW - 4, paint[lane], faint, 4);
      if (x2 <= width && end === "failed") this.box(x2 - 3, y, 3, SPAN_ROW - 4, paint.bad, 1, 1);
      if (x2 <= width && end === "done") this.box(x2 - 3, y, 3, SPAN_ROW - 4, paint[lane], 0.9, 1);
      if (long > 30) {
        const name = kind === "request" || kind === "alarm" ? label : `${label} ${kind}`;
        this.text(name, Math.max(left, 0) + 5, y + 7, paint.text, Math.min(x2, width) - Math.max(left, 0) - 12);
      }
    }
  }

  /** How far the arrow of effect `index` (from 1) is from its event's. */
  spread(place, index) {
    const number = shown[place];
    const next = shown[place + 1];
    const room = next === undefined ? 80 : this.x(next) - this.x(number);
    return index * Math.min(11, room / (steps[number].shown.length + 1.4));
  }

  y(lane, isEffect) {
    return lane === "machine" ? this.spine : this.lanes[lane].top + (isEffect ? EFFECTS : EVENTS);
  }

  drawSteps() {
    const marks = {};
    const mark = (lane, isEffect, x, label) => {
      const y = this.y(lane, isEffect);
      (marks[y] ??= { lane, isEffect, list: [] }).list.push({ x, label });
    };
    this.drawLinks();
    const { from, to } = this.inView;
    for (let place = from; place < to; place += 1) {
      const number = shown[place];
      const step = steps[number];
      const x = this.x(number);
      if (isMatch[number] === 1) this.box(x - 5, AXIS, 10, this.height - AXIS, paint.match, 0.8, 3);
      this.arrow(x, this.y(step.lane, false), this.spine, paint[step.lane]);
      mark(step.lane, false, x, step.kind);
      step.shown.forEach((effect, index) => {
        const at = x + this.spread(place, index + 1);
        const alpha = number === chosen.step ? 1 : 0.55;
        if (effect.lane !== "machine") this.arrow(at, this.spine, this.y(effect.lane, true), paint[effect.lane], alpha);
        mark(effect.lane, true, at, effect.kind);
      });
    }
    for (const [y, { lane, isEffect, list }] of Object.entries(marks)) this.drawMarks(Number(y), lane, isEffect, list);
    for (let place = from; place < to; place += 1) this.drawNode(shown[place]);
  }

  /** The marks of one row, each with as much of its name as there is room for before the next. */
  drawMarks(y, lane, isEffect, list) {
    const { context } = this;
    list.sort((one, other) => one.x - other.x);
    list.forEach(({ x, label }, index) => {
      context.fillStyle = lane === "machine" ? paint.bad : isEffect ? paint.panel : paint[lane];
      context.strokeStyle = lane === "machine" ? paint.bad : paint[lane];
      context.lineWidth = 1.4;
      context.beginPath();
      context.arc(x, y, 3.2, 0, 7);
      context.fill();
      context.stroke();
      this.drawn += 1;
      const room = (list[index + 1]?.x ?? Infinity) - x - 14;
      if (room > 18 && lane !== "machine") this.label(label, x + 7, y, Math.min(room, 170));
    });
  }

  drawNode(number) {
    const { context } = this;
    const x = this.x(number);
    context.fillStyle = steps[number].today || isIgnored(steps[number]) ? paint.bad : paint.machine;
    context.beginPath();
    context.arc(x, this.spine, 4, 0, 7);
    context.fill();
    this.drawn += 1;
  }

  arrow(x, y1, y2, colour, alpha = 1) {
    const { context } = this;
    const way = Math.sign(y2 - y1);
    if (way === 0) return;
    context.globalAlpha = alpha;
    this.line(x, y1 + way * 4, x, y2 - way * 5, colour);
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(x, y2 - way * 4);
    context.lineTo(x - 3, y2 - way * 9);
    context.lineTo(x + 3, y2 - way * 9);
    context.fill();
    context.globalAlpha = 1;
  }

  /** From each effect in view to the event that answers it. */
  drawLinks() {
    const { from, to } = this.inView;
    for (let place = from; place < to; place += 1) {
      const link = causes.get(shown[place]);
      if (link) this.drawLink(link, paint.dim, 0.5, 1);
    }
  }

  drawLink({ cause, step }, colour, alpha, thick) {
    const { context } = this;
    const effect = steps[cause.step].shown[cause.effect];
    const place = placeOf(shown, cause.step);
    const isShown = shown[place] === cause.step;
    const x1 = this.x(cause.step) + (isShown ? this.spread(place, cause.effect + 1) : 0);
    const y1 = this.y(effect.lane, true);
    const x2 = this.x(step);
    const y2 = this.y(steps[step].lane, false);
    const bend = Math.min(Math.max((x2 - x1) / 2, 6), 60);
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.beginPath();
    context.moveTo(x1 + 4, y1);
    context.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2 - 6, y2);
    context.stroke();
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(x2 - 4, y2);
    context.lineTo(x2 - 10, y2 - 3);
    context.lineTo(x2 - 10, y2 + 3);
    context.fill();
    context.globalAlpha = 1;
    this.drawn += 1;
  }

  /** Where steps are too many to tell apart: how many there are, by lane. */
  drawCounts(width) {
    const wide = 3;
    const buckets = Math.ceil(width / wide) + 1;
    const counts = Object.fromEntries(LANES.map((lane) => [lane, new Uint32Array(buckets * 2)]));
    const marked = new Uint8Array(buckets);
    const { from, to } = this.inView;
    for (let place = from; place < to; place += 1) {
      const number = shown[place];
      const step = steps[number];
      const bucket = Math.floor(this.x(number) / wide);
      if (bucket < 0 || bucket >= buckets) continue;
      counts[step.lane][bucket * 2] += 1;
      for (const effect of step.shown) counts[effect.lane][bucket * 2 + 1] += 1;
      counts.machine[bucket * 2] += 1;
      if (isMatch[number] === 1) marked[bucket] = 1;
    }
    for (let bucket = 0; bucket < buckets; bucket += 1) {
      if (marked[bucket] === 1) this.box(bucket * wide, AXIS, wide, this.height - AXIS, paint.match, 0.9);
      for (const lane of LANES) {
        for (const isEffect of [0, 1]) {
          const count = counts[lane][bucket * 2 + isEffect];
          if (count === 0) continue;
          const high = Math.min(4 + 4 * Math.log2(count), 17);
          const colour = lane === "machine" && isEffect ? paint.bad : paint[lane];
          this.box(bucket * wide, this.y(lane, isEffect) - high / 2, wide - 0.5, high, colour, isEffect ? 0.55 : 1);
        }
      }
    }
  }

  /** The chosen step: its column, what caused it, and what answered it. */
  drawChosen() {
    const number = chosen.step;
    if (number === undefined || steps[number] === undefined) return;
    const x = this.x(number);
    if (x >= -20 && x <= this.width + 20) {
      this.context.setLineDash([3, 3]);
      this.line(x, AXIS - 4, x, this.height, paint.accent, 1.5);
      this.context.setLineDash([]);
      this.context.fillStyle = paint.accent;
      this.context.beginPath();
      this.context.moveTo(x - 5, AXIS - 9);
      this.context.lineTo(x + 5, AXIS - 9);
      this.context.lineTo(x, AXIS - 2);
      this.context.fill();
      this.context.lineWidth = 2;
      this.context.strokeStyle = paint.accent;
      this.context.beginPath();
      this.context.arc(x, this.spine, 7, 0, 7);
      this.context.stroke();
      this.drawn += 2;
    }
    const own = [causes.get(number), ...(answers.get(number) ?? [])].filter(Boolean);
    for (const link of own.slice(0, 40)) this.drawLink(link, paint.accent, 1, 2);
  }
}

/** The stretches of the run: a phase, and the step from which on it is that. */
const phases = [];
steps.forEach((step, number) => {
  if (step.phase && phases.at(-1)?.name !== step.phase) phases.push({ name: step.phase, from: number });
});
