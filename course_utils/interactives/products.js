// The convolution stepper: a convolution product by product.

import { change, clamp, mount, onChange, signed } from "./shared.js";

/** @import { Model } from "./shared.js" */
/** @typedef {number[][][]} Numbers [channel][row][column] */
/** @typedef {{step: number, _image: Numbers, _weight: Numbers, _bias: number}} State */

/** @type {(kind: string, rows: number, columns: number, caption: string) => string} */
function table(kind, rows, columns, caption) {
  const row = `<tr>${"<td></td>".repeat(columns)}</tr>`;
  return `<table class="cp-${kind}"><caption>${caption}</caption>
    <tbody>${row.repeat(rows)}</tbody></table>`;
}

/** @type {(image: Numbers, weight: Numbers, out: {rows: number, columns: number}) => string} */
function page(image, weight, out) {
  const many = image.length > 1;
  const channels = image.map((channel, c) => {
    const name = many ? `, channel ${c}` : "";
    return `<div class="cp-channel">
      ${table("image", channel.length, channel[0].length, `image${name}`)}
      ${table("weight", weight[c].length, weight[c][0].length, `kernel${name}`)}
    </div>`;
  });
  return `<div class="cx-body cp-body">
    <div>${channels.join("")}</div>
    <div>
      ${table("output", out.rows, out.columns, "output")}
      <div class="cp-steps">
        <button data-by="product">Next product</button>
        <button data-by="place">Next output</button>
        <button data-by="back">Back</button>
        <button data-by="start">Start again</button>
      </div>
      <p class="cx-sentence" aria-live="polite"></p>
    </div>
  </div>`;
}

/** @param {{model: Model<State>, el: HTMLElement}} given */
function render({ model, el }) {
  const image = model.get("_image");
  const weight = model.get("_weight");
  const bias = model.get("_bias");
  const [kHigh, kWide] = [weight[0].length, weight[0][0].length];
  const out = { rows: image[0].length - kHigh + 1, columns: image[0][0].length - kWide + 1 };
  const products = image.length * kHigh * kWide; // of one output
  const last = out.rows * out.columns * products;

  const { one, all } = mount(el, "cp", "Convolution stepper", page(image, weight, out));
  const buttons = Object.fromEntries(
    all("button", HTMLButtonElement).map((button) => [button.dataset.by, button]),
  );
  /** @type {(kind: string) => HTMLTableCellElement[][][]} */
  const cells = (kind) =>
    all(`.cp-${kind}`, HTMLTableElement).map((each) => [...each.rows].map((row) => [...row.cells]));
  const [imageCells, weightCells, [outputCells]] = ["image", "weight", "output"].map(cells);
  for (const [shown, numbers] of /** @type {const} */ ([[imageCells, image], [weightCells, weight]]))
    numbers.forEach((channel, c) =>
      channel.forEach((row, i) =>
        row.forEach((number, j) => (shown[c][i][j].textContent = signed(number))),
      ),
    );

  /**
   * Where a product of an output is: its channel, row and column in the kernel.
   * @type {(index: number) => [number, number, number]}
   */
  function tap(index) {
    const inChannel = index % (kHigh * kWide);
    return [Math.floor(index / (kHigh * kWide)), Math.floor(inChannel / kWide), inChannel % kWide];
  }

  /** @type {(place: number, index: number) => [pixel: number, factor: number]} */
  const factors = (place, index) => {
    const [c, i, j] = tap(index);
    const [row, column] = [Math.floor(place / out.columns), place % out.columns];
    return [image[c][row + i][column + j], weight[c][i][j]];
  };

  /** @type {(place: number, count: number) => number} */
  function sum(place, count) {
    let total = 0;
    for (let index = 0; index < count; index++) {
      const [pixel, factor] = factors(place, index);
      total += pixel * factor;
    }
    return total;
  }

  function draw() {
    const step = Math.min(model.get("step"), last);
    const place = Math.max(0, Math.ceil(step / products) - 1); // whose product came last
    const done = step - place * products;
    const [row, column] = [Math.floor(place / out.columns), place % out.columns];
    for (const cell of all("td")) cell.className = "";
    for (let index = 0; index < products; index++) {
      const [c, i, j] = tap(index);
      const mark = index === done - 1 ? "now" : index < done ? "done" : "window";
      imageCells[c][row + i][column + j].className = mark;
      weightCells[c][i][j].className = mark === "window" ? "" : mark;
    }
    outputCells.flat().forEach((cell, index) => {
      const whole = index < place || (index === place && done === products);
      const number = whole ? sum(index, products) + bias : sum(place, done);
      cell.textContent = whole || (index === place && done) ? signed(number) : "";
      cell.className = index === place ? "now" : whole ? "done" : "";
    });
    one(".cx-sentence").textContent = sentence(place, row, column, done);
    buttons.product.disabled = buttons.place.disabled = step === last;
    buttons.back.disabled = buttons.start.disabled = step === 0;
  }

  /** @type {(place: number, row: number, column: number, done: number) => string} */
  function sentence(place, row, column, done) {
    if (!done) return `Lay the kernel on the corner of the image. ${products} products make one output.`;
    const [pixel, factor] = factors(place, done - 1);
    const where = image.length > 1 ? `, channel ${tap(done - 1)[0]}` : "";
    const product =
      `Output in row ${row}, column ${column}: product ${done} of ${products}${where}. ` +
      `${signed(pixel)} × ${signed(factor)} = ${signed(pixel * factor)}. `;
    if (done < products) return `${product}Sum so far: ${signed(sum(place, done))}.`;
    const total = sum(place, products);
    return bias
      ? `${product}Sum: ${signed(total)}. Plus the bias ${signed(bias)}: ${signed(total + bias)}.`
      : `${product}Sum: ${signed(total)}.`;
  }

  /** @type {(step: number) => void} */
  const go = (step) => change(model, { step: clamp(step, 0, last) });
  /** @type {Record<string, () => void>} */
  const moves = {
    product: () => go(model.get("step") + 1),
    place: () => go((Math.floor(model.get("step") / products) + 1) * products),
    back: () => go(model.get("step") - 1),
    start: () => go(0),
  };
  for (const [name, button] of Object.entries(buttons)) button.addEventListener("click", moves[name]);
  draw();
  return onChange(model, ["step"], draw);
}

export default { render };
