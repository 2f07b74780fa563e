// The pixel explorer: a lens on a photograph, and the numbers under it.

import {
  ARROWS, bytes, change, clamp, fill, mount, onChange, onDrag, onKeys, pen, pointIn,
} from "./shared.js";

/** @import { Model } from "./shared.js" */
/** @typedef {{row: number, column: number, channel: number}} Settings */
/** @typedef {Settings & {_size: [height: number, width: number], _pixels: DataView}} State */

const LENS = 8;
const CHANNELS = ["red", "green", "blue"];

function page() {
  const group = `px-${Math.random()}`; // another view of this widget has a group of its own
  const choices = CHANNELS.map(
    (name, index) =>
      `<label><input type="radio" name="${group}" value="${index}"> ${name}</label>`,
  );
  const row = `<tr>${"<td></td>".repeat(LENS)}</tr>`;
  return `<div class="cx-body px-body">
    <canvas tabindex="0" role="application"
      aria-label="Photograph with a lens; drag the lens, or move it with the arrow keys, with Shift by eight pixels"></canvas>
    <div>
      <div class="px-channels" role="radiogroup" aria-label="Channel">${choices.join("")}</div>
      <table class="px-numbers"><tbody>${row.repeat(LENS)}</tbody></table>
      <p class="cx-sentence" aria-live="polite"></p>
    </div>
  </div>`;
}

/** @param {{model: Model<State>, el: HTMLElement}} given */
function render({ model, el }) {
  const [height, width] = model.get("_size");
  const pixels = bytes(model.get("_pixels"));
  const { one, all } = mount(el, "px", "Pixel explorer", page());
  const canvas = one("canvas", HTMLCanvasElement);
  canvas.width = width;
  canvas.height = height;
  const context = pen(canvas);
  const image = fill(context.createImageData(width, height), pixels);
  const cells = all("td");

  /** @type {(value: number, most: number) => number} */
  const within = (value, most) => clamp(Math.round(value), 0, most - LENS);
  /** @type {(row: number, column: number, channel: number) => number} */
  const value = (row, column, channel) => pixels[(row * width + column) * 3 + channel];

  function draw() {
    const row = within(model.get("row"), height);
    const column = within(model.get("column"), width);
    const channel = model.get("channel");
    context.putImageData(image, 0, 0);
    for (const [color, margin] of /** @type {const} */ ([["#000", 2], ["#fff", 1]])) {
      context.strokeStyle = color;
      context.lineWidth = 1.5;
      context.strokeRect(column - margin, row - margin, LENS + 2 * margin, LENS + 2 * margin);
    }
    cells.forEach((cell, index) => {
      const number = value(row + Math.floor(index / LENS), column + (index % LENS), channel);
      cell.textContent = String(number);
      cell.style.background = `rgb(${number}, ${number}, ${number})`;
      cell.style.color = number > 127 ? "#000" : "#fff";
    });
    const corner = CHANNELS.map((name, index) => `${name} ${value(row, column, index)}`);
    one(".cx-sentence").textContent =
      `Rows ${row} to ${row + LENS - 1}, columns ${column} to ${column + LENS - 1}, ` +
      `channel ${CHANNELS[channel]}. The corner pixel: ${corner.join(", ")}.`;
    one(`input[value="${channel}"]`, HTMLInputElement).checked = true;
  }

  /** @type {(row: number, column: number) => void} */
  const go = (row, column) =>
    change(model, { row: within(row, height), column: within(column, width) });

  onKeys(canvas, () => ARROWS, ([down, right], { shiftKey }) => {
    const far = shiftKey ? LENS : 1;
    go(model.get("row") + down * far, model.get("column") + right * far);
  });
  onDrag(canvas, () => {}, (event) => {
    const at = pointIn(canvas, event);
    const scale = width / at.width;
    go(at.y * scale - LENS / 2, at.x * scale - LENS / 2);
  });
  for (const input of all("input", HTMLInputElement))
    input.addEventListener("change", () => change(model, { channel: Number(input.value) }));
  draw();
  return onChange(model, ["row", "column", "channel"], draw);
}

export default { render };
