// The whole session in one strip, and what part of it the timeline shows.

/** Room at both ends, so that the first step and the last are seen. */
const EDGE = 8;

class Overview {
  constructor(canvas, timeline) {
    this.canvas = canvas;
    this.timeline = timeline;
  }

  /** From a place in the strip to one on the axis, and back. */
  position(x) {
    return ((x - EDGE) / (this.canvas.clientWidth - 2 * EDGE)) * this.timeline.axis.length;
  }

  x(position) {
    return EDGE + (position / this.timeline.axis.length) * (this.canvas.clientWidth - 2 * EDGE);
  }

  draw() {
    const width = this.canvas.clientWidth;
    const height = 34;
    const context = sharpContext(this.canvas, width, height);
    const { axis, scale, offset } = this.timeline;
    const wide = 2;
    const counts = LANES.map(() => new Uint32Array(Math.ceil(width / wide) + 1));
    const marked = new Uint8Array(counts[0].length);
    for (const number of shown) {
      const bucket = Math.floor(this.x(axis.positions[number]) / wide);
      counts[LANES.indexOf(steps[number].lane)][bucket] += 1;
      if (isMatch[number] === 1) marked[bucket] = 1;
    }
    const most = Math.max(1, ...counts[0].map((_, bucket) => counts.reduce((sum, lane) => sum + lane[bucket], 0)));
    let drawn = 0;
    for (let bucket = 0; bucket < marked.length; bucket += 1) {
      let y = height - 4;
      counts.forEach((lane, index) => {
        if (lane[bucket] === 0) return;
        const high = Math.max((lane[bucket] / most) * (height - 12), 2);
        context.fillStyle = paint[LANES[index]];
        context.fillRect(bucket * wide, y - high, wide, high);
        y -= high;
        drawn += 1;
      });
      if (marked[bucket] === 1) {
        context.fillStyle = paint.accent;
        context.fillRect(bucket * wide - 1, 0, 3, 6);
        drawn += 1;
      }
    }
    const left = offset === 0 ? 0 : this.x(offset);
    const last = offset + (this.timeline.width - 90) / scale;
    const long = (last >= axis.length - 0.5 ? width : this.x(last)) - left;
    context.fillStyle = paint.ground;
    context.globalAlpha = 0.65;
    context.fillRect(0, 0, left, height);
    context.fillRect(left + long, 0, width - left - long, height);
    context.globalAlpha = 1;
    context.strokeStyle = paint.accent;
    context.lineWidth = 1.5;
    context.strokeRect(left + 1, 1, Math.max(long - 2, 3), height - 2);
    context.fillStyle = paint.accent;
    context.fillRect(this.x(axis.positions[chosen.step]) - 0.5, 0, 1.5, height);
    this.canvas.dataset.drawn = drawn;
  }
}
