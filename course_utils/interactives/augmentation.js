// The augmentation explorer. First the arithmetic, which the tests compare with torchvision; then
// the words; then the controls.

import {
  ARROWS, bytes, change, clamp, fill, mount, onceAFrame, onChange, onDrag, onKeys, options, pen, read,
  signed, tell,
} from "./shared.js";

/** @import { Model } from "./shared.js" */
/** @typedef {"turn" | "zoom" | "brightness" | "contrast" | "saturation" | "erase"} Slider */
/** @typedef {"mirror" | "upside_down" | "swap"} Switch */
/** @typedef {Record<Slider | "right" | "down", number>} Amounts */
/** @typedef {Amounts & Record<Switch, boolean> & {name: string}} Settings */
/** @typedef {Uint8ClampedArray<ArrayBuffer>} Pixels red, green, blue, row by row */
/** @typedef {Record<string, [least: number, most: number, neutral: number]>} Ranges */
/**
 * @typedef {Settings & {
 *   answer: [name: string, probability: number][],
 *   _settings: Ranges,
 *   _pictures: Record<string, DataView>,
 * }} State
 */

export const SIDE = 224;

// ---- arithmetic

/**
 * Flip, turn, zoom and move, by looking up for each new pixel where it comes from (bilinear).
 * @type {(source: ArrayLike<number>, settings: Settings) => Pixels}
 */
export function warp(source, { turn, zoom, right, down, mirror, upside_down }) {
  const result = new Uint8ClampedArray(SIDE * SIDE * 3);
  const angle = (turn * Math.PI) / 180;
  const scale = 100 / zoom;
  const cos = Math.cos(angle) * scale;
  const sin = Math.sin(angle) * scale;
  const middle = (SIDE - 1) / 2;
  for (let row = 0, at = 0; row < SIDE; row++)
    for (let column = 0; column < SIDE; column++, at += 3) {
      const x = column - middle - right;
      const y = row - middle - down;
      let fromX = cos * x + sin * y;
      let fromY = cos * y - sin * x;
      if (mirror) fromX = -fromX;
      if (upside_down) fromY = -fromY;
      sample(source, fromX + middle, fromY + middle, result, at);
    }
  return result;
}

/** @type {(source: ArrayLike<number>, x: number, y: number, result: Pixels, at: number) => void} */
function sample(source, x, y, result, at) {
  const left = Math.floor(x);
  const top = Math.floor(y);
  for (let dy = 0; dy < 2; dy++)
    for (let dx = 0; dx < 2; dx++) {
      const column = left + dx;
      const row = top + dy;
      if (column < 0 || row < 0 || column >= SIDE || row >= SIDE) continue; // black outside
      const weight = (dx ? x - left : 1 - x + left) * (dy ? y - top : 1 - y + top);
      const from = (row * SIDE + column) * 3;
      mixed[0] += weight * source[from];
      mixed[1] += weight * source[from + 1];
      mixed[2] += weight * source[from + 2];
    }
  for (let channel = 0; channel < 3; channel++) {
    result[at + channel] = mixed[channel]; // rounds
    mixed[channel] = 0;
  }
}
const mixed = [0, 0, 0];

/** @type {(pixels: ArrayLike<number>, at: number) => number} */
const grey = (pixels, at) => 0.2989 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];

/**
 * Brightness, then contrast, then saturation, in place: torchvision's adjust_ functions.
 * @type {(pixels: Pixels, settings: Settings) => Pixels}
 */
export function colour(pixels, { brightness, contrast, saturation }) {
  const bright = brightness / 100;
  for (let i = 0; i < pixels.length; i++) pixels[i] = Math.floor(Math.min(255, pixels[i] * bright));
  let mean = 0;
  for (let at = 0; at < pixels.length; at += 3) mean += Math.floor(grey(pixels, at));
  mean /= SIDE * SIDE;
  const c = contrast / 100;
  const s = saturation / 100;
  /** @type {(value: number) => number} */
  const within = (value) => Math.floor(Math.max(0, Math.min(255, value)));
  for (let i = 0; i < pixels.length; i++) pixels[i] = within(c * pixels[i] + (1 - c) * mean);
  for (let at = 0; at < pixels.length; at += 3) {
    const level = Math.floor(grey(pixels, at));
    for (let i = at; i < at + 3; i++) pixels[i] = within(s * pixels[i] + (1 - s) * level);
  }
  return pixels;
}

/** @type {(pixels: Pixels, percent: number) => void} */
function erase(pixels, percent) {
  const side = Math.round((SIDE * percent) / 100);
  const start = Math.round((SIDE - side) / 2);
  for (let row = start; row < start + side; row++)
    pixels.fill(128, (row * SIDE + start) * 3, (row * SIDE + start + side) * 3);
}

/** @type {(pixels: Pixels) => void} */
function swapRedAndBlue(pixels) {
  for (let at = 0; at < pixels.length; at += 3) {
    const red = pixels[at];
    pixels[at] = pixels[at + 2];
    pixels[at + 2] = red;
  }
}

/**
 * The picture as the settings make it.
 * @type {(source: ArrayLike<number>, state: Settings) => Pixels}
 */
export function augment(source, state) {
  const pixels = colour(warp(source, state), state);
  erase(pixels, state.erase);
  if (state.swap) swapRedAndBlue(pixels);
  return pixels;
}

// ---- words

/** A slider's unit and colour. @type {Record<Slider, [string, string]>} */
const SLIDERS = {
  turn: ["°", "blue"],
  zoom: [" %", "blue"],
  brightness: [" %", "orange"],
  contrast: [" %", "orange"],
  saturation: [" %", "orange"],
  erase: [" %", "sky"],
};
const SLIDER_NAMES = /** @type {Slider[]} */ (Object.keys(SLIDERS));
/** @type {Record<Switch, string>} */
const SWITCHES = {
  mirror: "mirror, left to right",
  upside_down: "flip, upside down",
  swap: "swap red and blue",
};
const SWITCH_NAMES = /** @type {Switch[]} */ (Object.keys(SWITCHES));
const PIXELS_A_KEY = 4;

/** @type {(state: Settings, settings: Ranges) => string} */
function sentence(state, settings) {
  const parts = [];
  if (state.mirror) parts.push("mirrored");
  if (state.upside_down) parts.push("upside down");
  if (state.turn)
    parts.push(`turned ${Math.abs(state.turn)}° ${state.turn > 0 ? "clockwise" : "anticlockwise"}`);
  if (state.right || state.down) {
    const x = state.right && `${Math.abs(state.right)} px ${state.right > 0 ? "right" : "left"}`;
    const y = state.down && `${Math.abs(state.down)} px ${state.down > 0 ? "down" : "up"}`;
    parts.push(`moved ${[x, y].filter(Boolean).join(", ")}`);
  }
  for (const name of /** @type {const} */ (["zoom", "brightness", "contrast", "saturation"]))
    if (state[name] !== settings[name][2]) parts.push(`${name} ${state[name]} %`);
  if (state.erase) parts.push(`a square of ${state.erase} % erased`);
  if (state.swap) parts.push("red and blue swapped");
  return `The ${state.name}, ${parts.join("; ") || "unchanged"}.`;
}

/** @type {(settings: Ranges, pictures: string[]) => string} */
function page(settings, pictures) {
  const sliders = Object.entries(SLIDERS).map(([name, [, colour]]) => {
    const [least, most] = settings[name];
    const knob = `style="--knob: var(--${colour})"`;
    return (
      `<label><span>${name}</span><input type="range" name="${name}" min="${least}" max="${most}" ` +
      `step="1" ${knob}><output data-value="${name}"></output></label>`
    );
  });
  const switches = Object.entries(SWITCHES).map(
    ([name, text]) => `<label><input type="checkbox" name="${name}"> ${text}</label>`,
  );
  return `<div class="cx-body">
    <fieldset class="cx-controls"><legend>Settings</legend>
      <label class="ag-name"><span>picture</span><select name="name">${options(pictures)}</select></label>
      ${sliders.join("")}
      <div class="ag-switches">${switches.join("")}</div>
      <div class="cx-presets"><button data-reset>As it was</button>
        <button data-random>At random</button></div>
    </fieldset>
    <div class="cx-stage ag-stage">
      <canvas width="${SIDE}" height="${SIDE}" tabindex="0" role="application"
        aria-label="The picture as the network gets it; drag it, or move it with the arrow keys"></canvas>
      <div class="ag-answer">
        <p class="cx-sentence" aria-live="polite"></p>
        <table><caption>The network's answer</caption><tbody></tbody></table>
      </div>
    </div>
  </div>`;
}

/**
 * A table row a class: its name, a bar, its probability.
 * @type {(answer: State["answer"]) => HTMLTableRowElement[]}
 */
function answerRows(answer) {
  return answer.map(([name, probability]) => {
    const row = document.createElement("tr");
    const percent = (100 * probability).toFixed(1);
    row.innerHTML = `<td><div style="width: ${percent}%"></div></td><td>${percent} %</td>`;
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = name;
    row.prepend(head);
    return row;
  });
}

// ---- controls

/** Settings as a training pipeline would draw them: small changes, chosen at random. */
function drawn() {
  /** @type {(least: number, most: number) => number} */
  const between = (least, most) => Math.round(least + Math.random() * (most - least));
  return {
    turn: between(-15, 15),
    zoom: between(100, 160),
    right: between(-25, 25),
    down: between(-25, 25),
    brightness: between(70, 130),
    contrast: between(70, 130),
    saturation: between(60, 140),
    mirror: Math.random() < 0.5,
  };
}

/** @param {{model: Model<State>, el: HTMLElement}} given */
function render({ model, el }) {
  const settings = model.get("_settings");
  const pictures = model.get("_pictures");
  /** @type {Partial<Settings>} */
  const neutral = {
    ...Object.fromEntries(Object.entries(settings).map(([name, [, , value]]) => [name, value])),
    ...Object.fromEntries(SWITCH_NAMES.map((name) => [name, false])),
  };
  const names = /** @type {(keyof Settings)[]} */ ([...Object.keys(neutral), "name"]);
  const html = page(settings, Object.keys(pictures));
  const { root, one } = mount(el, "ag", "Augmentation explorer", html);
  /** @type {(name: string) => HTMLInputElement} */
  const input = (name) => one(`[name="${name}"]`, HTMLInputElement);
  const select = one("select", HTMLSelectElement);
  const canvas = one("canvas", HTMLCanvasElement);
  const context = pen(canvas);
  const image = context.createImageData(SIDE, SIDE);
  /** @type {number | undefined} */
  let asking;

  function draw() {
    const state = read(model, names);
    for (const name of SLIDER_NAMES) {
      if (Number(input(name).value) !== state[name]) input(name).value = String(state[name]);
      one(`[data-value="${name}"]`).textContent = signed(`${state[name]}${SLIDERS[name][0]}`);
    }
    for (const name of SWITCH_NAMES) input(name).checked = state[name];
    select.value = state.name;
    tell(one(".cx-sentence"), sentence(state, settings));
    const pixels = augment(bytes(pictures[state.name]), state);
    context.putImageData(fill(image, pixels), 0, 0);
    ask(pixels);
  }

  /**
   * The network is asked when the hand rests, so that a drag doesn't fill the kernel's queue.
   * @type {(pixels: Pixels) => void}
   */
  function ask(pixels) {
    clearTimeout(asking);
    asking = setTimeout(() => model.send({}, undefined, [pixels.buffer]), 120);
  }

  function answer() {
    one("tbody").replaceChildren(...answerRows(model.get("answer")));
    root.classList.remove("ag-waiting");
  }

  for (const name of SLIDER_NAMES)
    input(name).addEventListener("input", () => change(model, { [name]: Number(input(name).value) }));
  for (const name of SWITCH_NAMES)
    input(name).addEventListener("change", () => change(model, { [name]: input(name).checked }));
  select.addEventListener("change", () => change(model, { name: select.value }));
  one("[data-reset]").addEventListener("click", () => change(model, neutral));
  one("[data-random]").addEventListener("click", () => change(model, { ...neutral, ...drawn() }));

  /** @type {(right: number, down: number) => void} */
  function move(right, down) {
    /** @type {(value: number) => number} */
    const within = (value) => clamp(Math.round(value), -SIDE, SIDE);
    change(model, { right: within(right), down: within(down) });
  }
  onKeys(canvas, () => ARROWS, ([down, right]) =>
    move(model.get("right") + PIXELS_A_KEY * right, model.get("down") + PIXELS_A_KEY * down),
  );
  // Where the picture was taken hold of, and where it lay then.
  /** @type {(event: PointerEvent) => number[]} */
  const take = ({ clientX, clientY }) => [clientX, clientY, model.get("right"), model.get("down")];
  onDrag(canvas, take, ({ clientX, clientY }, [x, y, right, down]) => {
    const shown = SIDE / canvas.getBoundingClientRect().width;
    move(right + (clientX - x) * shown, down + (clientY - y) * shown);
  });

  const frames = onceAFrame(draw);
  const redraw = () => {
    root.classList.add("ag-waiting");
    frames.ask();
  };
  const stop = onChange(model, names, redraw);
  model.on("change:answer msg:custom", answer);
  answer();
  redraw();
  return () => {
    clearTimeout(asking);
    frames.stop();
    stop();
    model.off("change:answer msg:custom", answer);
  };
}

export default { render };
