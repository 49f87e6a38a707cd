// Where each step lies on the time axis.

/** Silence from here on, in ms, is drawn as a break. */
const BREAK = 1000;

/**
 * Positions in units of their own; the timeline scales and moves them. Compressed, every step has room for its arrows,
 * and silence takes room as the logarithm of its length; otherwise a unit is one ms.
 */
class Axis {
  constructor(compressed) {
    this.compressed = compressed;
    this.positions = new Float64Array(steps.length);
    let position = 0;
    let before = null;
    for (const number of shown) {
      const step = steps[number];
      if (compressed && before !== null) {
        const silence = Math.max(0, step.at - before.at);
        position += 20 + 11 * Math.min(before.shown.length, 6) + 34 * Math.log10(1 + silence / 20);
      } else if (!compressed) {
        position = Math.max(position, step.at - start);
      }
      this.positions[number] = position;
      before = step;
    }
    this.length = Math.max(position, 1);
    this.hide();
  }

  /** A step that is not shown lies where the next one that is shown does, so that what spans it still has its ends. */
  hide() {
    let next = this.length;
    let place = shown.length - 1;
    for (let number = steps.length - 1; number >= 0; number -= 1) {
      if (place >= 0 && shown[place] === number) {
        next = this.positions[number];
        place -= 1;
      } else {
        this.positions[number] = next;
      }
    }
  }

  /** The places in `shown` of what lies from `from` up to `to`. */
  range(from, to) {
    const after = (position) => {
      let low = 0;
      let high = shown.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.positions[shown[middle]] < position) low = middle + 1;
        else high = middle;
      }
      return low;
    };
    return [after(from), after(to)];
  }
}
