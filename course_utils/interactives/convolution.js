// The convolution explorer: its words and its controls. In files of their own: the arithmetic, and
// the picture.

import { multiplyAdds, outputSize, parameters, receptiveField, same } from "./convolution_arithmetic.js";
import { HEIGHT, layout, picture } from "./convolution_picture.js";
import {
  ARROWS, by, change, clamp, grouped, mount, onChange, onDrag, onKeys, onWidth, playButtons, player,
  pointIn, read, signed, tiles, writeTiles,
} from "./shared.js";

/** @import { Found, Layer, Window } from "./convolution_arithmetic.js" */
/** @import { Place, State } from "./convolution_picture.js" */
/** @import { Fact, Model, Pair } from "./shared.js" */
/** @typedef {State & {_limits: Record<string, [least: number, most: number]>}} Values */

// ---- words

/** @type {(number: number, thing: string) => string} */
const plural = (number, thing) => `${number} ${thing}${number === 1 ? "" : "s"}`;
/** @type {(name: string, text: string | number) => string} */
const letter = (name, text) => `<span class="cx-${name}">${text}</span>`;

/** @type {(state: State, found: Found) => string} */
function formula({ size, kernel, stride, padding, dilation }, found) {
  const symbols = Object.entries(SLIDERS).reduce(
    (text, [name, [symbol]]) => text.replaceAll(`{${symbol}}`, letter(name, symbol)),
    "⌊({i} + 2{p} − {d}({k} − 1) − 1) / {s}⌋ + 1",
  );
  const i = letter("size", size);
  const p = letter("padding", padding);
  const d = letter("dilation", dilation);
  const k = letter("kernel", kernel);
  const s = letter("stride", stride);
  const steps = [symbols, `⌊(${i} + 2·${p} − ${d}·(${k} − 1) − 1) / ${s}⌋ + 1`];
  const room = found.padded - found.reach;
  steps.push(found.reason ? `no room: ${signed(room)} &lt; 0` : `⌊${room} / ${s}⌋ + 1 = ${found.size}`);
  return `<span>o</span>` + steps.map((step) => `<span>= ${step}</span>`).join("");
}

/** @type {(state: State, found: Found) => Record<keyof typeof TILES, Fact>} */
function facts(state, found) {
  const { kernel, channels, filters } = state;
  const weights = `${kernel}·${kernel}·${channels}`;
  const deeper = [2, 3].map((depth) => by(receptiveField(state, depth)));
  /** @type {Record<"parameters" | "sees", Fact>} */
  const shown = {
    parameters: [grouped(parameters(state)), `${filters} × (${weights} + 1)`],
    sees: [by(found.reach), `2 layers: ${deeper[0]} · 3 layers: ${deeper[1]}`],
  };
  if (found.reason) return { ...shown, output: ["none", ""], macs: ["none", ""] };
  const out = found.size;
  const macs = multiplyAdds(state, out);
  return {
    ...shown,
    output: [`${by(out)}×${filters}`, `${grouped(out * out * filters)} activations`],
    macs: [grouped(macs), `${out}·${out} × ${filters} × ${weights}`],
  };
}

/** @type {(state: State, found: Found) => Record<keyof typeof CONVENTIONS, string>} */
function conventions(state, found) {
  const tensorflow = same(state);
  const pads = `pads ${tensorflow.before} before and ${tensorflow.after} after, whatever p is`;
  const sameText = `${by(tensorflow.size)}: ⌈i / s⌉; ${pads}`;
  if (found.reason) return { floor: "refused", exact: "invalid", same: sameText };
  const { size, leftOver, padded, reach } = found;
  const left = `${plural(leftOver, "row")} and ${plural(leftOver, "column")} left over`;
  return {
    floor: `${by(size)}: rounds down, ${leftOver ? left : "nothing left over"}`,
    exact: leftOver
      ? `invalid: ${padded - reach} / ${state.stride} is not a whole number`
      : `${by(size)}: the steps fit exactly`,
    same: sameText,
  };
}

/** @type {(state: State, found: Found) => string} */
function sentence({ size, padding, stride, row, column }, { reach, reason }) {
  if (reason) return reason;
  /** @type {(index: number) => string} */
  const span = (index) => {
    const first = index * stride - padding;
    return `${signed(first)} to ${signed(first + reach - 1)}`;
  };
  /** @type {(index: number) => boolean} */
  const outside = (index) => index * stride < padding || index * stride - padding + reach > size;
  const edge = outside(row) || outside(column) ? " Part of it is padding." : "";
  return (
    `Output row ${row}, column ${column} looks at input rows ${span(row)} ` +
    `and columns ${span(column)}.${edge}`
  );
}

// ---- controls

/** The symbol and the name of each slider. @type {Record<keyof Window, [string, string]>} */
const SLIDERS = {
  size: ["i", "input size"],
  kernel: ["k", "kernel"],
  stride: ["s", "stride"],
  padding: ["p", "padding"],
  dilation: ["d", "dilation"],
};
const NUMBERS = { channels: "channels", filters: "filters" };
const SLIDER_NAMES = /** @type {(keyof Window)[]} */ (Object.keys(SLIDERS));
const SETTINGS = /** @type {(keyof Layer)[]} */ ([...SLIDER_NAMES, ...Object.keys(NUMBERS)]);
/** @type {Record<string, Window>} */
const PRESETS = {
  "keep the size": { size: 8, kernel: 3, stride: 1, padding: 1, dilation: 1 },
  "AlexNet in small": { size: 23, kernel: 11, stride: 4, padding: 0, dilation: 1 },
  "left over": { size: 12, kernel: 3, stride: 4, padding: 0, dilation: 1 },
  dilated: { size: 9, kernel: 3, stride: 1, padding: 2, dilation: 2 },
  impossible: { size: 5, kernel: 3, stride: 1, padding: 0, dilation: 3 },
};
const TILES = {
  output: "output",
  parameters: "parameters",
  macs: "multiply-adds",
  sees: "receptive field",
};
const CONVENTIONS = { floor: "PyTorch", exact: "cs231n", same: "TensorFlow SAME" };
const MILLISECONDS_A_STEP = 350;

/** @type {(limits: Values["_limits"]) => string} */
function page(limits) {
  /** @type {(name: string) => string} */
  const range = (name) => `min="${limits[name][0]}" max="${limits[name][1]}"`;
  const sliders = Object.entries(SLIDERS).map(
    ([name, [symbol, text]]) =>
      `<label><span>${text} ${letter(name, symbol)}</span>` +
      `<input type="range" name="${name}" ${range(name)} step="1" aria-label="${text} ${symbol}">` +
      `<output data-value="${name}"></output></label>`,
  );
  const numbers = Object.entries(NUMBERS).map(
    ([name, text]) =>
      `<label><span>${text}</span><input type="number" name="${name}" ${range(name)} step="1"></label>`,
  );
  const presets = Object.keys(PRESETS).map((name) => `<button data-preset="${name}">${name}</button>`);
  const rows = Object.entries(CONVENTIONS).map(
    ([name, text]) => `<tr><th scope="row">${text}</th><td data-convention="${name}"></td></tr>`,
  );
  return `<div class="cx-body">
    <fieldset class="cx-controls"><legend>Settings</legend>
      ${sliders.join("")}<div class="cx-numbers">${numbers.join("")}</div>
      <div class="cx-presets"><span>Try</span> ${presets.join("")}</div>
    </fieldset>
    <div class="cx-stage">
      <svg tabindex="0" role="application" height="${HEIGHT}"
        aria-label="The window on the input and the output unit that it computes; arrow keys move it"></svg>
      <div class="cx-play">
        ${playButtons("step")}
        <span class="cx-sentence" aria-live="polite"></span>
      </div>
    </div>
    <p class="cx-formula"></p>
    ${tiles(TILES)}
    <table class="cx-conventions"><caption>Three conventions</caption>${rows.join("")}</table>
  </div>`;
}

/** @param {{model: Model<Values>, el: HTMLElement}} given */
function render({ model, el }) {
  const parts = mount(el, "ce", "Convolution explorer", page(model.get("_limits")));
  const { root, one, all } = parts;
  const svg = one("svg", SVGElement);
  /** @type {(name: string) => HTMLInputElement} */
  const input = (name) => one(`[name="${name}"]`, HTMLInputElement);
  let width = 0;
  /** @type {Place | null} */
  let place = null;

  function current() {
    const layer = read(model, SETTINGS);
    const found = outputSize(layer);
    const last = found.reason ? 0 : found.size - 1;
    const [row, column] = [Math.min(model.get("row"), last), Math.min(model.get("column"), last)];
    return { state: { ...layer, row, column }, found, last };
  }

  function draw() {
    const { state, found } = current();
    for (const name of SETTINGS)
      if (Number(input(name).value) !== state[name]) input(name).value = String(state[name]);
    for (const name of SLIDER_NAMES) one(`[data-value="${name}"]`).textContent = String(state[name]);
    writeTiles(parts, facts(state, found));
    for (const [name, text] of Object.entries(conventions(state, found)))
      one(`[data-convention="${name}"]`).textContent = text;
    one(".cx-formula").innerHTML = formula(state, found);
    one(".cx-sentence").textContent = sentence(state, found);
    root.classList.toggle("cx-impossible", Boolean(found.reason));
    for (const button of all(".cx-play button", HTMLButtonElement))
      button.disabled = Boolean(found.reason);
    if (!width) return;
    place = layout(state, found, width);
    svg.innerHTML = picture(place, state, found);
  }

  /** @type {(place: Pair) => void} */
  function goTo([row, column]) {
    const { found, last } = current();
    if (!found.reason) change(model, { row: clamp(row, 0, last), column: clamp(column, 0, last) });
  }

  /** @type {(by: number) => void} */
  function step(by) {
    const { state, found } = current();
    if (found.reason) return;
    const units = found.size ** 2;
    const next = (state.row * found.size + state.column + by + units) % units;
    goTo([Math.floor(next / found.size), next % found.size]);
  }

  // Settings
  for (const name of SETTINGS) {
    input(name).addEventListener("input", () => {
      const [least, most] = model.get("_limits")[name];
      const text = input(name).value;
      const value = Number(text);
      if (text !== "" && Number.isInteger(value) && value >= least && value <= most)
        change(model, { [name]: value });
    });
    input(name).addEventListener("change", draw); // shows what is in force again
  }
  for (const button of all("[data-preset]")) {
    const preset = { ...PRESETS[String(button.dataset.preset)], row: 0, column: 0 };
    button.addEventListener("click", () => change(model, preset));
  }

  // The window: buttons, keys, pointer
  const play = player(parts, {
    milliseconds: MILLISECONDS_A_STEP,
    tick: () => step(1),
    step,
    quiet: one(".cx-sentence"),
  });
  const moves = () => {
    const { state: { row, column }, last } = current();
    /** @type {Record<string, Pair>} */
    const led = { Home: [0, 0], End: [last, last] };
    for (const [key, [down, right]] of Object.entries(ARROWS)) led[key] = [row + down, column + right];
    return led;
  };
  onKeys(svg, moves, goTo);

  /** Which grid the pointer takes hold of. @type {(event: PointerEvent) => "input" | "output" | null} */
  function take(event) {
    if (!place || !place.out) return null;
    play(false);
    return pointIn(svg, event).x < place.output.x - place.cell ? "input" : "output";
  }
  onDrag(svg, take, (event, grid) => {
    if (!place) return;
    const { state, found } = current();
    const { x, y } = pointIn(svg, event);
    const { [grid]: start, cell } = place;
    /** @type {(position: number) => number} */
    const unit = (position) =>
      grid === "output" ? Math.floor(position) : Math.round((position - found.reach / 2) / state.stride);
    goTo([unit((y - start.y) / cell), unit((x - start.x) / cell)]);
  });

  draw();
  const stops = [
    () => play(false),
    onChange(model, [...SETTINGS, "row", "column"], draw),
    onWidth(svg, (wide) => {
      width = wide;
      draw();
    }),
  ];
  return () => stops.forEach((stop) => stop());
}

export default { render };
