// The feature explorer. First the arithmetic, which the tests compare with torch; then the
// controls. Every map came with the widget, so that nothing here waits for the kernel.

import {
  ARROWS, bytes, change, clamp, mount, onceAFrame, onChange, onKeys, options, outline, pen, pointIn,
  read,
} from "./shared.js";

/** @import { Model, Pair } from "./shared.js" */
/** @typedef {ArrayLike<number>} Values a map's, row by row, 0 to 255 */
/** @typedef {{side: number, sees: number, jump: number, start: number}} Geometry of a layer's units */
/** @typedef {{channels: number[], largest: number[], values: DataView}} Maps of a layer */
/** @typedef {{name: string, layer: string, rank: number}} Choice */
/**
 * @typedef {object} Others
 * @property {number} row
 * @property {number} column
 * @property {Record<string, DataView>} _pictures
 * @property {Record<string, Geometry>} _layers
 * @property {Record<string, Record<string, Maps>>} _maps
 * @typedef {Choice & Others} State
 */

export const SIDE = 224;

/**
 * Where the picture is seen by a unit: [first row, first column, rows, columns], cut at the edge.
 * @type {(geometry: Geometry, row: number, column: number) => [number, number, number, number]}
 */
export function view({ jump, start, sees }, row, column) {
  /** @type {(index: number) => number} */
  const from = (index) => Math.max(0, start + index * jump);
  /** @type {(index: number) => number} */
  const to = (index) => Math.min(SIDE, start + index * jump + sees);
  return [from(row), from(column), to(row) - from(row), to(column) - from(column)];
}

/**
 * The unit whose view's middle is nearest to a place in the picture.
 * @type {(geometry: Geometry, y: number, x: number) => Pair}
 */
export function unitAt({ jump, start, sees, side }, y, x) {
  /** @type {(place: number) => number} */
  const nearest = (place) => clamp(Math.round((place - start - sees / 2) / jump), 0, side - 1);
  return [nearest(y), nearest(x)];
}

/**
 * The strongest unit of a map, [row, column]; the first one if there are several.
 * @type {(values: Values, side: number) => Pair}
 */
export function strongest(values, side) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return [Math.floor(best / side), best % side];
}

// ---- drawing

/**
 * A map as grey levels, white for its largest value.
 * @type {(canvas: HTMLCanvasElement, values: Values, side: number) => void}
 */
function drawMap(canvas, values, side) {
  canvas.width = canvas.height = side;
  const context = pen(canvas);
  const image = context.createImageData(side, side);
  for (let i = 0; i < values.length; i++) {
    image.data.fill(values[i], 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/**
 * The picture, darkened where the map is weak, with the view of one unit framed.
 * @param {HTMLCanvasElement} canvas
 * @param {Values} pixels
 * @param {Values} values
 * @param {Geometry} geometry
 * @param {Pair} unit
 */
function drawPicture(canvas, pixels, values, geometry, unit) {
  const context = pen(canvas);
  const image = context.createImageData(SIDE, SIDE);
  const nearest = Array.from({ length: SIDE }, (_, place) => unitAt(geometry, place, 0)[0]);
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      const light = 0.35 + (0.65 * values[nearest[y] * geometry.side + nearest[x]]) / 255;
      const at = y * SIDE + x;
      for (let channel = 0; channel < 3; channel++)
        image.data[4 * at + channel] = light * pixels[3 * at + channel];
      image.data[4 * at + 3] = 255;
    }
  context.putImageData(image, 0, 0);
  const [top, left, height, width] = view(geometry, ...unit);
  outline(context, [left, top, width, height]);
}

// ---- controls

/** @type {(pictures: string[], layers: string[], count: number) => string} */
function page(pictures, layers, count) {
  const maps = Array.from(
    { length: count },
    (_, rank) => `<button data-rank="${rank}"><canvas></canvas></button>`,
  );
  return `<div class="cx-body">
    <div class="fx-side">
      <div class="fx-choose">
        <label>picture <select name="name">${options(pictures)}</select></label>
        <label>layer <select name="layer">${options(layers)}</select></label>
      </div>
      <canvas class="fx-picture" width="${SIDE}" height="${SIDE}" tabindex="0" role="application"
        aria-label="The picture, light where the map is strong, with the view of one unit framed; click, or move the frame with the arrow keys"></canvas>
      <p class="cx-sentence" aria-live="polite"></p>
    </div>
    <div><p class="fx-title"></p><div class="fx-maps" role="group" aria-label="Maps">${maps.join("")}</div></div>
  </div>`;
}

/** @param {{model: Model<State>, el: HTMLElement}} given */
function render({ model, el }) {
  const pictures = model.get("_pictures");
  const layers = model.get("_layers");
  const maps = model.get("_maps");
  const count = Object.values(maps)[0].conv1.channels.length;
  const html = page(Object.keys(pictures), Object.keys(layers), count);
  const { one, all } = mount(el, "fx", "Feature explorer", html);
  const picture = one(".fx-picture", HTMLCanvasElement);
  const selects = all("select", HTMLSelectElement);
  const thumbnails = all("[data-rank] canvas", HTMLCanvasElement);

  /** What is shown, or would be after a choice. @param {Partial<Choice>} [choice] */
  function current(choice) {
    const { name, layer, rank } = { ...read(model, ["name", "layer", "rank"]), ...choice };
    const { channels, largest, values } = maps[name][layer];
    const geometry = layers[layer];
    const every = bytes(values);
    const size = geometry.side ** 2;
    /** @type {(index: number) => number} */
    const within = (index) => Math.min(index, geometry.side - 1);
    /** @type {Pair} */
    const unit = [within(model.get("row")), within(model.get("column"))];
    /** @type {(index: number) => Uint8Array} */
    const map = (index) => every.subarray(index * size, (index + 1) * size);
    return { name, layer, rank, channels, geometry, unit, largest: largest[rank], map };
  }

  /** What depends on the picture and the layer; a drag of the frame leaves it as it is. */
  function drawMaps() {
    const { name, layer, rank, channels, geometry, map } = current();
    const { side } = geometry;
    [selects[0].value, selects[1].value] = [name, layer];
    all("[data-rank]").forEach((button, index) => {
      button.setAttribute("aria-pressed", String(index === rank));
      button.setAttribute("aria-label", `map ${channels[index]}`);
      button.title = `map ${channels[index]}`;
      drawMap(thumbnails[index], map(index), side);
    });
    one(".fx-title").textContent =
      `${layer}: the ${channels.length} maps with the largest mean, ${side}×${side} each`;
  }

  function draw() {
    const { name, layer, rank, channels, geometry, unit, largest, map } = current();
    const { side, sees } = geometry;
    const values = map(rank);
    drawPicture(picture, bytes(pictures[name]), values, geometry, unit);
    const value = (largest * values[unit[0] * side + unit[1]]) / 255;
    one(".cx-sentence").textContent =
      `${layer}, map ${channels[rank]}, row ${unit[0]}, column ${unit[1]}: ${value.toFixed(1)} of at ` +
      `most ${largest.toFixed(1)}. The unit sees ${sees}×${sees} pixels.`;
  }

  /** Another map: frame its strongest unit. @type {(choice: Partial<Choice>) => void} */
  function choose(choice) {
    const { geometry, rank, map } = current(choice);
    const [row, column] = strongest(map(rank), geometry.side);
    change(model, { ...choice, row, column });
  }

  selects[0].addEventListener("change", () => choose({ name: selects[0].value }));
  selects[1].addEventListener("change", () => choose({ layer: selects[1].value, rank: 0 }));
  for (const button of all("[data-rank]"))
    button.addEventListener("click", () => choose({ rank: Number(button.dataset.rank) }));
  picture.addEventListener("pointerdown", (event) => picture.setPointerCapture(event.pointerId));
  for (const name of /** @type {const} */ (["pointerdown", "pointermove"]))
    picture.addEventListener(name, (event) => {
      if (!event.buttons) return;
      const { x, y, width } = pointIn(picture, event);
      const [row, column] = unitAt(current().geometry, (y * SIDE) / width, (x * SIDE) / width);
      change(model, { row, column });
    });
  onKeys(picture, () => ARROWS, (move) => {
    const { geometry, unit } = current();
    const [row, column] = move.map((by, axis) => clamp(unit[axis] + by, 0, geometry.side - 1));
    change(model, { row, column });
  });

  let other = true; // another picture, layer or map
  const { ask, stop } = onceAFrame(() => {
    if (other) drawMaps();
    other = false;
    draw();
  });
  const askForMaps = () => {
    other = true;
    ask();
  };
  const stops = [
    onChange(model, ["row", "column"], ask),
    onChange(model, ["name", "layer", "rank"], askForMaps),
  ];
  if (model.get("row") + model.get("column") === 0) choose({});
  ask();
  return () => [stop, ...stops].forEach((end) => end());
}

export default { render };
