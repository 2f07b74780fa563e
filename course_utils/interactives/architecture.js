// The architecture tracer. Python sends every row of the networks' tables; here they are drawn.

import {
  ARROWS, by, bytes, change, clamp, fill, grouped, label, mount, onChange, onDrag, onKeys, onWidth,
  options, outline, pen, playButtons, player, pointIn, rect, signed, tiles, writeTiles,
} from "./shared.js";

/** @import { Fact, Frame, Model, Pair } from "./shared.js" */
/**
 * A layer: what kind, how large, how much it costs, and what its units see.
 * @typedef {Record<"size" | "channels" | "parameters" | "macs" | "activations", number>
 *   & {name: string, kind: string, sees: number, jump: number, padding: number}} Row
 * @typedef {object} State
 * @property {string} network
 * @property {number} layer
 * @property {number} row
 * @property {number} column
 * @property {Record<string, Row[]>} _networks
 * @property {number} _side
 * @property {DataView} _pixels
 */

/** @typedef {keyof typeof BARS} Bar */
const BARS = {
  size: "width of the feature map",
  channels: "channels",
  parameters: "parameters",
  macs: "multiply-adds",
  activations: "activations of one image",
};
const TILES = {
  output: "output",
  parameters: "parameters",
  macs: "multiply-adds",
  sees: "receptive field",
};
const TITLE = 18;
const BAR = 34;
const GAP = 8;
const LETTERS = 20;
const HEIGHT = Object.keys(BARS).length * (TITLE + BAR + GAP) + LETTERS;
const MARGIN = 0.2; // how much of the padding is drawn around the picture, as a share of its side
const PADDING = "#cc79a7"; // as in shared.css, which a canvas can't read
const MILLISECONDS_A_STEP = 900;

// ---- words

/** @type {(number: number, rows: Row[], of: Bar) => string} */
function share(number, rows, of) {
  const total = rows.reduce((sum, row) => sum + row[of], 0);
  return number ? `${((100 * number) / total).toFixed(1)} % of the network's` : "";
}

/** @type {(row: Row, rows: Row[]) => Record<keyof typeof TILES, Fact>} */
function facts(row, rows) {
  const space = row.kind === "dense" ? "" : `${by(row.size)}×`;
  const mebibytes = ((row.activations * 4) / 2 ** 20).toFixed(2);
  const apart = row.kind === "dense" ? "all that there is" : `neighbours look ${row.jump} px apart`;
  return {
    output: [`${space}${row.channels}`, `${grouped(row.activations)} activations, ${mebibytes} MiB`],
    parameters: [grouped(row.parameters), share(row.parameters, rows, "parameters")],
    macs: [grouped(row.macs), share(row.macs, rows, "macs")],
    sees: [by(row.sees), apart],
  };
}

/**
 * First and last input position along one axis that the unit at `index` sees.
 * @type {(row: Row, index: number) => Pair}
 */
function span(row, index) {
  const first = index * row.jump - row.padding;
  return [first, first + row.sees - 1];
}

/** @type {(row: Row, unit: Pair, side: number) => string} */
function sentence(row, [down, across], side) {
  const [top, bottom] = span(row, down);
  const [left, right] = span(row, across);
  const who =
    row.kind === "dense" ? "Each unit" : `The unit in row ${down}, column ${across} of ${by(row.size)}`;
  const where = `rows ${signed(top)} to ${signed(bottom)}, columns ${signed(left)} to ${signed(right)}`;
  const outside = Math.min(top, left) < 0 || Math.max(bottom, right) >= side;
  const edge = outside ? ` What lies outside 0 to ${side - 1} is padding.` : "";
  return `${who} sees ${by(row.sees)} pixels: ${where}.${edge}`;
}

// ---- the bars, in pixels

/**
 * A dense layer has units, not maps: beside them the channels could not be seen.
 * @type {(row: Row, of: Bar) => number}
 */
const height = (row, of) => (row.kind === "dense" && ["size", "channels"].includes(of) ? 0 : row[of]);

/** @type {(rows: Row[], width: number) => string} */
function bars(rows, width) {
  const step = width / rows.length;
  let drawing = rect("chosen", 1, 1, step - 2, HEIGHT - 2);
  const names = /** @type {Bar[]} */ (Object.keys(BARS));
  names.forEach((of, index) => {
    const top = index * (TITLE + BAR + GAP);
    const heights = rows.map((row) => height(row, of));
    const most = Math.max(...heights);
    drawing += label("title", 4, top + 14, BARS[of]);
    drawing += label("value", width - 4, top + 14, `tallest: ${grouped(most)}`);
    rows.forEach((row, layer) => {
      const tall = (BAR * heights[layer]) / most;
      drawing += rect(`bar ${row.kind}`, layer * step + 3, top + TITLE + BAR - tall, step - 6, tall);
    });
    drawing += `<path class="base" d="M0 ${top + TITLE + BAR}H${width}"/>`;
  });
  rows.forEach((row, layer) => {
    drawing += label("letter", (layer + 0.5) * step, HEIGHT - 6, row.kind[0]);
  });
  return drawing;
}

// ---- the picture, in pixels of the network's input

/**
 * Draw the picture, and what one unit sees of it.
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLCanvasElement} image
 * @param {Row} row
 * @param {Pair} unit
 * @param {number} side
 */
function picture(canvas, image, row, [down, across], side) {
  const margin = Math.round(MARGIN * side);
  const whole = side + 2 * margin;
  if (canvas.width !== whole) canvas.width = canvas.height = whole;
  const context = pen(canvas);
  context.fillStyle = PADDING;
  context.fillRect(0, 0, whole, whole);
  context.drawImage(image, margin, margin, side, side);
  const [top] = span(row, down);
  const [left] = span(row, across);
  /** @type {Frame} */
  const seen = [left + margin, top + margin, row.sees, row.sees];
  context.beginPath();
  context.rect(0, 0, whole, whole);
  context.rect(...seen);
  context.fillStyle = "rgba(0, 0, 0, 0.6)";
  context.fill("evenodd");
  outline(context, seen);
}

/**
 * The picture that Python sent, ready to be drawn in any size.
 * @type {(pixels: Uint8Array, side: number) => HTMLCanvasElement}
 */
function decoded(pixels, side) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = pen(canvas);
  context.putImageData(fill(context.createImageData(side, side), pixels), 0, 0);
  return canvas;
}

// ---- controls

/** @type {(networks: string[]) => string} */
const page = (networks) =>
  `<div class="cx-body">
    <div class="ar-look">
      <canvas tabindex="0" role="application"
        aria-label="The picture, bright where one unit sees it; drag over it, or use the arrow keys"></canvas>
      <p class="cx-sentence" aria-live="polite"></p>
    </div>
    <div class="cx-stage ar-stage">
      <p class="ar-choose"><label>network <select>${options(networks)}</select></label>
        <span class="ar-key"><i></i>c convolution<i class="pool"></i>p pool<i class="dense"></i>d dense</span></p>
      <svg tabindex="0" role="slider" aria-label="Layer" aria-valuemin="0" height="${HEIGHT}"></svg>
      <div class="cx-play">
        ${playButtons("layer")}
        <span class="ar-layer"></span>
      </div>
    </div>
    ${tiles(TILES)}
  </div>`;

/** @param {{model: Model<State>, el: HTMLElement}} given */
function render({ model, el }) {
  const networks = model.get("_networks");
  const image = decoded(bytes(model.get("_pixels")), model.get("_side"));
  const parts = mount(el, "ar", "Architecture tracer", page(Object.keys(networks)));
  const { one } = parts;
  const select = one("select", HTMLSelectElement);
  const canvas = one("canvas", HTMLCanvasElement);
  const svg = one("svg", SVGElement);
  let width = 0;
  let drawn = ""; // which bars are there, and how wide

  function current() {
    const rows = networks[model.get("network")];
    const layer = Math.min(model.get("layer"), rows.length - 1);
    const row = rows[layer];
    const side = rows[0].size;
    const last = row.kind === "dense" ? 0 : row.size - 1;
    /** @type {(position: number) => number} */
    const nearest = (position) =>
      clamp(Math.round((position - (row.sees - 1) / 2 + row.padding) / row.jump), 0, last);
    /** @type {Pair} */
    const unit = [nearest(model.get("row")), nearest(model.get("column"))];
    return { rows, layer, row, side, unit };
  }

  function draw() {
    const { rows, layer, row, side, unit } = current();
    select.value = model.get("network");
    one(".ar-layer").textContent = layer ? `${layer} of ${rows.length - 1}: ${row.name}` : "the input";
    one(".cx-sentence").textContent = sentence(row, unit, side);
    writeTiles(parts, facts(row, rows));
    svg.setAttribute("aria-valuemax", String(rows.length - 1));
    svg.setAttribute("aria-valuenow", String(layer));
    svg.setAttribute("aria-valuetext", one(".ar-layer").textContent);
    picture(canvas, image, row, unit, side);
    if (!width) return;
    const wanted = `${model.get("network")} ${width}`;
    if (wanted !== drawn) svg.innerHTML = bars(rows, width);
    drawn = wanted;
    one("svg .chosen", SVGElement).setAttribute("x", String((layer * width) / rows.length + 1));
  }

  // Layers: select, buttons, keys, pointer
  /** @type {(layer: number) => void} */
  const goTo = (layer) => change(model, { layer: clamp(layer, 0, current().rows.length - 1) });
  const play = player(parts, {
    milliseconds: MILLISECONDS_A_STEP,
    tick: () => goTo((current().layer + 1) % current().rows.length),
    step: (by) => goTo(current().layer + by),
    quiet: one(".cx-sentence"),
  });
  const pause = () => play(false);
  select.addEventListener("change", () => change(model, { network: select.value }));
  const layers = () => {
    const { layer, rows } = current();
    const [back, on] = [layer - 1, layer + 1];
    const arrows = { ArrowLeft: back, ArrowDown: back, ArrowRight: on, ArrowUp: on };
    return { ...arrows, Home: 0, End: rows.length - 1 };
  };
  onKeys(svg, layers, goTo);
  onDrag(svg, pause, (event) => {
    const { x, width } = pointIn(svg, event);
    goTo(Math.floor((x / width) * current().rows.length));
  });

  // The place in the picture: keys go from unit to unit, the pointer anywhere
  /** @type {(row: number, column: number) => void} */
  function look(row, column) {
    /** @type {(position: number) => number} */
    const within = (position) => clamp(Math.round(position), 0, current().side - 1);
    change(model, { row: within(row), column: within(column) });
  }
  onKeys(canvas, () => ARROWS, ([down, right]) => {
    const { row, unit } = current();
    /** @type {(index: number) => number} */
    const middle = (index) => index * row.jump - row.padding + (row.sees - 1) / 2;
    look(middle(unit[0] + down), middle(unit[1] + right));
  });
  onDrag(canvas, pause, (event) => {
    const { x, y, width, height } = pointIn(canvas, event);
    const margin = Math.round(MARGIN * current().side);
    look((y / height) * canvas.height - margin, (x / width) * canvas.width - margin);
  });

  draw();
  const stops = [
    onChange(model, ["network", "layer", "row", "column"], draw),
    onWidth(svg, (wide) => {
      width = wide;
      draw();
    }),
  ];
  return () => [pause, ...stops].forEach((stop) => stop());
}

export default { render };
