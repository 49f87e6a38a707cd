// Colours of the theme for canvases, and a canvas as sharp as the screen.

const paint = {};

function readPaint() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ground", "panel", "raised", "line", "text", "dim", "accent", "chosen", "match", "bad", ...LANES]) {
    paint[name] = style.getPropertyValue(`--${name}`).trim();
  }
  paint.font = '11px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
}

/** A cleared drawing context of this size in CSS pixels. */
function sharpContext(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = paint.font;
  context.textBaseline = "middle";
  return context;
}

/** `text`, cut to this many pixels; empty if nothing sensible is left. */
const widths = new Map();

function widthOf(context, text) {
  let width = widths.get(text);
  if (width === undefined) {
    width = context.measureText(text).width;
    if (widths.size < 5000) widths.set(text, width);
  }
  return width;
}

function fitted(context, text, room) {
  const width = widthOf(context, text);
  if (width <= room) return text;
  const letters = Math.floor((text.length * (room - 8)) / width);
  return letters < 3 ? "" : `${text.slice(0, letters)}…`;
}
