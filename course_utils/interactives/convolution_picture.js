// The convolution explorer's picture, in pixels: the window on its input, and the output unit. One
// cell of the input is as large as one of the output.

import { by, label, rect } from "./shared.js";

/** @import { Found, Layer } from "./convolution_arithmetic.js" */
/** @typedef {Layer & {row: number, column: number}} State a layer, and the unit that is shown */
/** @typedef {{x: number, y: number}} Point */
/** @typedef {ReturnType<typeof layout>} Place */

export const HEIGHT = 320;
const LARGEST_CELL = 30;
const CAPTION = 22;

/**
 * Where the grids are.
 * @param {State} state @param {Found} found @param {number} width
 */
export function layout(state, found, width) {
  const out = found.reason ? 0 : found.size;
  const rows = Math.max(found.padded, found.reach);
  const gap = 3;
  const columns = rows + (out ? gap + out : 0);
  const cell = Math.min(LARGEST_CELL, (width - 4) / columns, (HEIGHT - CAPTION - 4) / rows);
  const left = Math.max(2, (width - columns * cell) / 2);
  const middle = CAPTION + (HEIGHT - CAPTION) / 2;
  return {
    cell,
    out,
    input: { x: left, y: middle - (rows * cell) / 2 },
    output: { x: left + (rows + gap) * cell, y: middle - (out * cell) / 2 },
  };
}

/** @type {(corner: Point, cells: number, cell: number) => string} */
function gridLines({ x, y }, cells, cell) {
  let path = "";
  for (let line = 0; line <= cells; line++) {
    path += `M${x + line * cell} ${y}v${cells * cell}M${x} ${y + line * cell}h${cells * cell}`;
  }
  return `<path class="grid" d="${path}"/>`;
}

/** @type {(place: Place, state: State, found: Found) => string} */
function zeros({ input, cell }, { size, padding, stride, dilation, row, column }, { reach }) {
  if (cell < 15) return "";
  /** @type {(index: number) => boolean} */
  const inside = (index) => index >= padding && index < padding + size;
  /** @type {(from: number) => boolean} */
  const hit = (from) => from >= 0 && from < reach && from % dilation === 0;
  /** @type {(down: number, across: number) => boolean} */
  const tapped = (down, across) => hit(down - row * stride) && hit(across - column * stride);
  let text = "";
  for (let down = 0; down < size + 2 * padding; down++)
    for (let across = 0; across < size + 2 * padding; across++)
      if (!(inside(down) && inside(across))) {
        const name = tapped(down, across) ? "zero tapped" : "zero";
        text += label(name, input.x + (across + 0.5) * cell, input.y + (down + 0.5) * cell, "0");
      }
  return text;
}

/** @type {(place: Place, state: State, found: Found) => string} */
function inputGrid(place, state, found) {
  const { cell, input } = place;
  const { size, padding, stride } = state;
  const whole = found.padded * cell;
  const start = padding * cell;
  let drawing =
    rect("padding", input.x, input.y, whole, whole) +
    rect("input", input.x + start, input.y + start, size * cell, size * cell);
  if (!found.reason && found.leftOver) {
    const used = ((found.size - 1) * stride + found.reach) * cell;
    const strip = found.leftOver * cell;
    drawing +=
      rect("left-over", input.x + used, input.y, strip, whole) +
      rect("left-over", input.x, input.y + used, used, strip);
  }
  return drawing + gridLines(input, found.padded, cell);
}

/** @type {(place: Place, state: State, found: Found) => string} */
function windowOn({ cell, input }, { kernel, stride, dilation, row, column }, { reach, reason }) {
  const x = input.x + (reason ? 0 : column * stride * cell);
  const y = input.y + (reason ? 0 : row * stride * cell);
  let drawing = "";
  for (let down = 0; down < kernel; down++)
    for (let across = 0; across < kernel; across++)
      drawing += rect("tap", x + across * dilation * cell, y + down * dilation * cell, cell, cell);
  return drawing + rect(reason ? "window impossible" : "window", x, y, reach * cell, reach * cell);
}

/** @type {(place: Place, state: State) => string} */
function outputGrid({ cell, out, output }, { row, column }) {
  /** @type {(index: number) => number} */
  const at = (index) => index * cell;
  return (
    rect("output", output.x, output.y, at(out), at(out)) +
    rect("done", output.x, output.y, at(out), at(row)) +
    rect("done", output.x, output.y + at(row), at(column), cell) +
    gridLines(output, out, cell) +
    rect("unit", output.x + at(column), output.y + at(row), cell, cell)
  );
}

/** @type {(place: Place, state: State, found: Found) => string} */
function rays({ cell, input, output }, { stride, row, column }, { reach }) {
  const right = input.x + (column * stride + reach) * cell;
  const top = input.y + row * stride * cell;
  const x = output.x + column * cell;
  const y = output.y + row * cell;
  return `<path class="ray" d="M${right} ${top}L${x} ${y}M${right} ${top + reach * cell}L${x} ${y + cell}"/>`;
}

/** @type {(place: Place, state: State, found: Found) => string} */
function captions({ cell, input, output, out }, { size, padding }, found) {
  /** @type {(start: Point, cells: number) => number} */
  const centre = (start, cells) => start.x + (cells * cell) / 2;
  const padded = padding ? `, with padding ${by(found.padded)}` : "";
  const text = label("caption", centre(input, found.padded), input.y - 8, `input ${by(size)}${padded}`);
  return out ? text + label("caption", centre(output, out), output.y - 8, `output ${by(out)}`) : text;
}

const HATCH =
  '<defs><pattern id="cx-hatch" width="6" height="6" patternUnits="userSpaceOnUse" ' +
  'patternTransform="rotate(45)"><rect class="hatch" width="2.5" height="6"/></pattern></defs>';

/** @type {(place: Place, state: State, found: Found) => string} */
export function picture(place, state, found) {
  const input =
    inputGrid(place, state, found) + windowOn(place, state, found) + zeros(place, state, found);
  const output = found.reason ? "" : outputGrid(place, state) + rays(place, state, found);
  return HATCH + input + output + captions(place, state, found);
}
