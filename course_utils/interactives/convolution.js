// The convolution explorer. First the arithmetic, which the tests compare with
// course_utils.arithmetic and with torch; then the picture; then the controls.

// ---- arithmetic

/** Along one axis: {size, reach, padded, leftOver}, or {reach, padded, reason} if none fits. */
export function outputSize({ size, kernel, stride, padding, dilation }) {
  const reach = dilation * (kernel - 1) + 1;
  const padded = size + 2 * padding;
  if (reach > padded) {
    const enough = padding + Math.ceil((reach - padded) / 2);
    const reason =
      `The window spans ${reach} positions but the padded input has only ${padded}: ` +
      `use padding ${enough} or more, or a smaller kernel or dilation.`;
    return { reach, padded, reason };
  }
  const leftOver = (padded - reach) % stride;
  return { size: (padded - reach - leftOver) / stride + 1, reach, padded, leftOver };
}

/** TensorFlow's SAME along one axis: {size, before, after}. */
export function same({ size, kernel, stride, dilation }) {
  const out = Math.ceil(size / stride);
  const total = Math.max((out - 1) * stride + dilation * (kernel - 1) + 1 - size, 0);
  return { size: out, before: Math.floor(total / 2), after: Math.ceil(total / 2) };
}

export function parameters({ kernel, channels, filters }) {
  return filters * (kernel * kernel * channels + 1);
}

export function multiplyAdds({ kernel, channels, filters }, out) {
  return out * out * filters * kernel * kernel * channels;
}

/** How many input positions along one axis a unit sees after `depth` such layers. */
export function receptiveField({ kernel, stride, dilation }, depth) {
  let field = 1;
  for (let layer = 0; layer < depth; layer++) field += dilation * (kernel - 1) * stride ** layer;
  return field;
}

// ---- the picture, in pixels; one cell of the input is as large as one of the output

const HEIGHT = 320;
const LARGEST_CELL = 30;
const CAPTION = 22;

function layout(state, found, width) {
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

const rect = (name, x, y, width, height) =>
  `<rect class="${name}" x="${x}" y="${y}" width="${width}" height="${height}"/>`;

const label = (name, x, y, text) => `<text class="${name}" x="${x}" y="${y}">${text}</text>`;

function gridLines({ x, y }, cells, cell) {
  let path = "";
  for (let line = 0; line <= cells; line++) {
    path += `M${x + line * cell} ${y}v${cells * cell}M${x} ${y + line * cell}h${cells * cell}`;
  }
  return `<path class="grid" d="${path}"/>`;
}

function zeros({ input, cell }, { size, padding, stride, dilation, row, column }, { reach }) {
  if (cell < 15) return "";
  const inside = (index) => index >= padding && index < padding + size;
  const hit = (from) => from >= 0 && from < reach && from % dilation === 0;
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

function windowOn({ cell, input }, { kernel, stride, dilation, row, column }, { reach, reason }) {
  const x = input.x + (reason ? 0 : column * stride * cell);
  const y = input.y + (reason ? 0 : row * stride * cell);
  let drawing = "";
  for (let down = 0; down < kernel; down++)
    for (let across = 0; across < kernel; across++)
      drawing += rect("tap", x + across * dilation * cell, y + down * dilation * cell, cell, cell);
  return drawing + rect(reason ? "window impossible" : "window", x, y, reach * cell, reach * cell);
}

function outputGrid({ cell, out, output }, { row, column }) {
  const at = (index) => index * cell;
  return (
    rect("output", output.x, output.y, at(out), at(out)) +
    rect("done", output.x, output.y, at(out), at(row)) +
    rect("done", output.x, output.y + at(row), at(column), cell) +
    gridLines(output, out, cell) +
    rect("unit", output.x + at(column), output.y + at(row), cell, cell)
  );
}

function rays({ cell, input, output }, { stride, row, column }, { reach }) {
  const right = input.x + (column * stride + reach) * cell;
  const top = input.y + row * stride * cell;
  const x = output.x + column * cell;
  const y = output.y + row * cell;
  return `<path class="ray" d="M${right} ${top}L${x} ${y}M${right} ${top + reach * cell}L${x} ${y + cell}"/>`;
}

function captions({ cell, input, output, out }, { size, padding }, found) {
  const centre = (start, cells) => start.x + (cells * cell) / 2;
  const padded = padding ? `, with padding ${by(found.padded)}` : "";
  const text = label("caption", centre(input, found.padded), input.y - 8, `input ${by(size)}${padded}`);
  return out ? text + label("caption", centre(output, out), output.y - 8, `output ${by(out)}`) : text;
}

const HATCH =
  '<defs><pattern id="cx-hatch" width="6" height="6" patternUnits="userSpaceOnUse" ' +
  'patternTransform="rotate(45)"><rect class="hatch" width="2.5" height="6"/></pattern></defs>';

function picture(place, state, found) {
  const input =
    inputGrid(place, state, found) + windowOn(place, state, found) + zeros(place, state, found);
  const output = found.reason ? "" : outputGrid(place, state) + rays(place, state, found);
  return HATCH + input + output + captions(place, state, found);
}

// ---- words

const signed = (number) => String(number).replace("-", "−");
const by = (number) => `${number}×${number}`;
const grouped = (number) => number.toLocaleString("en-US");
const plural = (number, thing) => `${number} ${thing}${number === 1 ? "" : "s"}`;
const letter = (name, text) => `<span class="cx-${name}">${text}</span>`;

function formula({ size, kernel, stride, padding, dilation }, found) {
  const symbols = "⌊(i + 2p − d(k − 1) − 1) / s⌋ + 1".replace(/[ipdks]/g, (symbol) =>
    letter({ i: "size", p: "padding", d: "dilation", k: "kernel", s: "stride" }[symbol], symbol),
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

function facts(state, found) {
  const { kernel, channels, filters } = state;
  const weights = `${kernel}·${kernel}·${channels}`;
  const deeper = [2, 3].map((depth) => by(receptiveField(state, depth)));
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

function sentence({ size, padding, stride, row, column }, { reach, reason }) {
  if (reason) return reason;
  const span = (index) => {
    const first = index * stride - padding;
    return `${signed(first)} to ${signed(first + reach - 1)}`;
  };
  const outside = (index) => index * stride < padding || index * stride - padding + reach > size;
  const edge = outside(row) || outside(column) ? " Part of it is padding." : "";
  return (
    `Output row ${row}, column ${column} looks at input rows ${span(row)} ` +
    `and columns ${span(column)}.${edge}`
  );
}

// ---- controls

const SLIDERS = {
  size: ["i", "input size"],
  kernel: ["k", "kernel"],
  stride: ["s", "stride"],
  padding: ["p", "padding"],
  dilation: ["d", "dilation"],
};
const NUMBERS = { channels: "channels", filters: "filters" };
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

function page(limits) {
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
  const tiles = Object.entries(TILES).map(
    ([name, text]) =>
      `<div>${text}<strong data-fact="${name}"></strong><small data-how="${name}"></small></div>`,
  );
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
        <button data-step="-1" aria-label="one step back">◀</button>
        <button data-play aria-pressed="false">Play</button>
        <button data-step="1" aria-label="one step on">▶</button>
        <span class="cx-sentence" aria-live="polite"></span>
      </div>
    </div>
    <p class="cx-formula"></p>
    <div class="cx-facts">${tiles.join("")}</div>
    <table class="cx-conventions"><caption>Three conventions</caption>${rows.join("")}</table>
  </div>`;
}

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "cx ce";
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Convolution explorer");
  root.innerHTML = page(model.get("_limits"));
  el.append(root);

  const all = (selector) => root.querySelectorAll(selector);
  const one = (selector) => root.querySelector(selector);
  const svg = one("svg");
  // JupyterLab's shortcuts (arrows, letters) would take the keys; it asks the focused element only.
  for (const control of all("input, button, svg"))
    control.setAttribute("data-lm-suppress-shortcuts", "true");
  const settings = [...Object.keys(SLIDERS), ...Object.keys(NUMBERS)];
  let width = 0;
  let place = null;

  function current() {
    const state = Object.fromEntries(settings.map((name) => [name, model.get(name)]));
    const found = outputSize(state);
    const last = found.reason ? 0 : found.size - 1;
    state.row = Math.min(model.get("row"), last);
    state.column = Math.min(model.get("column"), last);
    return { state, found };
  }

  function write(attribute, texts) {
    for (const [name, text] of Object.entries(texts))
      one(`[data-${attribute}="${name}"]`).textContent = text;
  }

  function draw() {
    const { state, found } = current();
    for (const name of settings) {
      const input = one(`[name="${name}"]`);
      if (Number(input.value) !== state[name]) input.value = state[name];
    }
    write("value", Object.fromEntries(Object.keys(SLIDERS).map((name) => [name, state[name]])));
    const shown = Object.entries(facts(state, found));
    write("fact", Object.fromEntries(shown.map(([name, [value]]) => [name, value])));
    write("how", Object.fromEntries(shown.map(([name, [, how]]) => [name, how])));
    write("convention", conventions(state, found));
    one(".cx-formula").innerHTML = formula(state, found);
    one(".cx-sentence").textContent = sentence(state, found);
    root.classList.toggle("cx-impossible", Boolean(found.reason));
    for (const button of all(".cx-play button")) button.disabled = Boolean(found.reason);
    if (!width) return;
    place = layout(state, found, width);
    svg.innerHTML = picture(place, state, found);
  }

  function change(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }

  function goTo(row, column) {
    const { found } = current();
    if (found.reason) return;
    const within = (index) => Math.max(0, Math.min(found.size - 1, index));
    change({ row: within(row), column: within(column) });
  }

  function step(by) {
    const { state, found } = current();
    if (found.reason) return;
    const units = found.size ** 2;
    const next = (state.row * found.size + state.column + by + units) % units;
    goTo(Math.floor(next / found.size), next % found.size);
  }

  // Settings
  for (const name of settings) {
    one(`[name="${name}"]`).addEventListener("input", ({ target }) => {
      const [least, most] = model.get("_limits")[name];
      const value = Number(target.value);
      if (target.value !== "" && Number.isInteger(value) && value >= least && value <= most)
        change({ [name]: value });
    });
    one(`[name="${name}"]`).addEventListener("change", draw); // shows what is in force again
  }
  for (const button of all("[data-preset]"))
    button.addEventListener("click", () => change({ ...PRESETS[button.dataset.preset], row: 0, column: 0 }));

  // The window: buttons, keys, pointer
  const play = one("[data-play]");
  let timer = null;
  function playing(on) {
    clearInterval(timer);
    timer = on ? setInterval(() => step(1), MILLISECONDS_A_STEP) : null;
    play.textContent = on ? "Pause" : "Play";
    play.setAttribute("aria-pressed", String(on));
    one(".cx-sentence").setAttribute("aria-live", on ? "off" : "polite");
  }
  play.addEventListener("click", () => playing(timer === null));
  for (const button of all("[data-step]"))
    button.addEventListener("click", () => step(Number(button.dataset.step)));

  svg.addEventListener("keydown", (event) => {
    const { state, found } = current();
    const moves = {
      ArrowLeft: [state.row, state.column - 1],
      ArrowRight: [state.row, state.column + 1],
      ArrowUp: [state.row - 1, state.column],
      ArrowDown: [state.row + 1, state.column],
      Home: [0, 0],
      End: [found.size - 1, found.size - 1],
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    goTo(...moves[event.key]);
  });

  let dragging = null; // which grid the pointer took hold of
  function follow(event) {
    const { state, found } = current();
    const box = svg.getBoundingClientRect();
    const start = place[dragging];
    const x = (event.clientX - box.left - start.x) / place.cell;
    const y = (event.clientY - box.top - start.y) / place.cell;
    const unit = (position) =>
      dragging === "output" ? Math.floor(position) : Math.round((position - found.reach / 2) / state.stride);
    goTo(unit(y), unit(x));
  }
  svg.addEventListener("pointerdown", (event) => {
    if (!place || !place.out) return;
    const x = event.clientX - svg.getBoundingClientRect().left;
    dragging = x < place.output.x - place.cell ? "input" : "output";
    svg.setPointerCapture(event.pointerId);
    playing(false);
    follow(event);
  });
  svg.addEventListener("pointermove", (event) => dragging && follow(event));
  for (const end of ["pointerup", "pointercancel"])
    svg.addEventListener(end, () => (dragging = null));

  // What is set in Python, or in another view of this widget, shows here too.
  const names = [...settings, "row", "column"].map((name) => `change:${name}`).join(" ");
  model.on(names, draw);
  const observer = new ResizeObserver(() => {
    width = svg.clientWidth;
    draw();
  });
  observer.observe(svg);
  draw();
  return () => {
    playing(false);
    observer.disconnect();
    model.off(names, draw);
  };
}

export default { render };
