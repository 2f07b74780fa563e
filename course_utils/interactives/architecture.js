// The architecture tracer. Python sends every row of the networks' tables; here they are drawn.

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
const [PADDING, WINDOW] = ["#cc79a7", "#e69f00"]; // as in shared.css, which a canvas can't read
const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const MILLISECONDS_A_STEP = 900;

// ---- words

const grouped = (number) => number.toLocaleString("en-US");
const signed = (number) => String(number).replace("-", "−");
const by = (number) => `${number}×${number}`;

function share(number, rows, of) {
  const total = rows.reduce((sum, row) => sum + row[of], 0);
  return number ? `${((100 * number) / total).toFixed(1)} % of the network's` : "";
}

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

/** First and last input position along one axis that the unit at `index` sees. */
function span(row, index) {
  const first = index * row.jump - row.padding;
  return [first, first + row.sees - 1];
}

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

const rect = (name, x, y, width, height) =>
  `<rect class="${name}" x="${x}" y="${y}" width="${width}" height="${height}"/>`;
const label = (name, x, y, text) => `<text class="${name}" x="${x}" y="${y}">${text}</text>`;

/** A dense layer has units, not maps: beside them the channels could not be seen. */
const height = (row, of) => (row.kind === "dense" && ["size", "channels"].includes(of) ? 0 : row[of]);

function bars(rows, width) {
  const step = width / rows.length;
  let drawing = rect("chosen", 1, 1, step - 2, HEIGHT - 2);
  Object.entries(BARS).forEach(([of, title], index) => {
    const top = index * (TITLE + BAR + GAP);
    const heights = rows.map((row) => height(row, of));
    const most = Math.max(...heights);
    drawing += label("title", 4, top + 14, title);
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

function picture(canvas, image, row, [down, across], side) {
  const margin = Math.round(MARGIN * side);
  const whole = side + 2 * margin;
  if (canvas.width !== whole) canvas.width = canvas.height = whole;
  const context = canvas.getContext("2d");
  context.fillStyle = PADDING;
  context.fillRect(0, 0, whole, whole);
  context.drawImage(image, margin, margin, side, side);
  const [top] = span(row, down);
  const [left] = span(row, across);
  const seen = [left + margin, top + margin, row.sees, row.sees];
  context.beginPath();
  context.rect(0, 0, whole, whole);
  context.rect(...seen);
  context.fillStyle = "rgba(0, 0, 0, 0.6)";
  context.fill("evenodd");
  for (const [style, lineWidth] of [["#000", 4], [WINDOW, 2]]) {
    context.strokeStyle = style;
    context.lineWidth = lineWidth;
    context.strokeRect(...seen);
  }
}

/** The picture that Python sent, ready to be drawn in any size. */
function decoded(view, side) {
  const pixels = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  const image = context.createImageData(side, side);
  for (let to = 0, from = 0; to < image.data.length; to++)
    image.data[to] = to % 4 === 3 ? 255 : pixels[from++];
  context.putImageData(image, 0, 0);
  return canvas;
}

// ---- controls

function page(networks) {
  const options = Object.keys(networks).map((name) => `<option>${name}</option>`);
  const tiles = Object.entries(TILES).map(
    ([name, text]) =>
      `<div>${text}<strong data-fact="${name}"></strong><small data-how="${name}"></small></div>`,
  );
  return `<div class="cx-body">
    <div class="ar-look">
      <canvas tabindex="0" role="application"
        aria-label="The picture, bright where one unit sees it; drag over it, or use the arrow keys"></canvas>
      <p class="cx-sentence" aria-live="polite"></p>
    </div>
    <div class="cx-stage ar-stage">
      <p class="ar-choose"><label>network <select>${options.join("")}</select></label>
        <span class="ar-key"><i></i>c convolution<i class="pool"></i>p pool<i class="dense"></i>d dense</span></p>
      <svg tabindex="0" role="slider" aria-label="Layer" aria-valuemin="0" height="${HEIGHT}"></svg>
      <div class="cx-play">
        <button data-step="-1" aria-label="one layer back">◀</button>
        <button data-play aria-pressed="false">Play</button>
        <button data-step="1" aria-label="one layer on">▶</button>
        <span class="ar-layer"></span>
      </div>
    </div>
    <div class="cx-facts">${tiles.join("")}</div>
  </div>`;
}

function render({ model, el }) {
  const networks = model.get("_networks");
  const image = decoded(model.get("_pixels"), model.get("_side"));
  const root = document.createElement("div");
  root.className = "cx ar";
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Architecture tracer");
  root.innerHTML = page(networks);
  el.append(root);
  const one = (selector) => root.querySelector(selector);
  // JupyterLab's shortcuts (arrows, letters) would take the keys; it asks the focused element only.
  for (const control of root.querySelectorAll("select, button, canvas, svg"))
    control.setAttribute("data-lm-suppress-shortcuts", "true");
  const [canvas, svg] = [one("canvas"), one("svg")];
  let width = 0;
  let drawn = ""; // which bars are there, and how wide

  function current() {
    const rows = networks[model.get("network")];
    const layer = Math.min(model.get("layer"), rows.length - 1);
    const row = rows[layer];
    const side = rows[0].size;
    const last = row.kind === "dense" ? 0 : row.size - 1;
    const nearest = (position) =>
      Math.max(0, Math.min(last, Math.round((position - (row.sees - 1) / 2 + row.padding) / row.jump)));
    return { rows, layer, row, side, unit: [nearest(model.get("row")), nearest(model.get("column"))] };
  }

  function draw() {
    const { rows, layer, row, side, unit } = current();
    one("select").value = model.get("network");
    one(".ar-layer").textContent = layer ? `${layer} of ${rows.length - 1}: ${row.name}` : "the input";
    one(".cx-sentence").textContent = sentence(row, unit, side);
    for (const [name, [value, how]] of Object.entries(facts(row, rows))) {
      one(`[data-fact="${name}"]`).textContent = value;
      one(`[data-how="${name}"]`).textContent = how;
    }
    svg.setAttribute("aria-valuemax", rows.length - 1);
    svg.setAttribute("aria-valuenow", layer);
    svg.setAttribute("aria-valuetext", one(".ar-layer").textContent);
    picture(canvas, image, row, unit, side);
    if (!width) return;
    const wanted = `${model.get("network")} ${width}`;
    if (wanted !== drawn) svg.innerHTML = bars(rows, width);
    drawn = wanted;
    one("svg .chosen").setAttribute("x", (layer * width) / rows.length + 1);
  }

  function change(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }

  function goTo(layer) {
    change({ layer: Math.max(0, Math.min(current().rows.length - 1, layer)) });
  }

  // Layers: select, buttons, keys, pointer
  const play = one("[data-play]");
  let timer = null;
  function playing(on) {
    clearInterval(timer);
    const next = () => goTo((current().layer + 1) % current().rows.length);
    timer = on ? setInterval(next, MILLISECONDS_A_STEP) : null;
    play.textContent = on ? "Pause" : "Play";
    play.setAttribute("aria-pressed", String(on));
    one(".cx-sentence").setAttribute("aria-live", on ? "off" : "polite");
  }
  play.addEventListener("click", () => playing(timer === null));
  for (const button of root.querySelectorAll("[data-step]"))
    button.addEventListener("click", () => goTo(current().layer + Number(button.dataset.step)));
  one("select").addEventListener("change", ({ target }) => change({ network: target.value }));
  svg.addEventListener("keydown", (event) => {
    const { layer, rows } = current();
    const moves = { ArrowLeft: layer - 1, ArrowDown: layer - 1, ArrowRight: layer + 1, ArrowUp: layer + 1, Home: 0, End: rows.length - 1 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    goTo(moves[event.key]);
  });

  // The place in the picture: keys go from unit to unit, the pointer anywhere
  function look(row, column) {
    const within = (position) => Math.max(0, Math.min(current().side - 1, Math.round(position)));
    change({ row: within(row), column: within(column) });
  }
  canvas.addEventListener("keydown", (event) => {
    if (!(event.key in MOVES)) return;
    event.preventDefault();
    const { row, unit } = current();
    const middle = (index, step) => (index + step) * row.jump - row.padding + (row.sees - 1) / 2;
    const [down, right] = MOVES[event.key];
    look(middle(unit[0], down), middle(unit[1], right));
  });

  // A pointer that went down on the picture or on the bars is followed until it goes up.
  const followed = {
    canvas: (x, y) => {
      const { side } = current();
      const margin = Math.round(MARGIN * side);
      look(y * canvas.height - margin, x * canvas.width - margin);
    },
    svg: (x) => goTo(Math.floor(x * current().rows.length)),
  };
  for (const target of [canvas, svg]) {
    let held = false;
    const follow = (event) => {
      const box = target.getBoundingClientRect();
      followed[target.localName]((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    };
    target.addEventListener("pointerdown", (event) => {
      held = true;
      target.setPointerCapture(event.pointerId);
      playing(false);
      follow(event);
    });
    target.addEventListener("pointermove", (event) => held && follow(event));
    for (const end of ["pointerup", "pointercancel"])
      target.addEventListener(end, () => (held = false));
  }

  const names = "change:network change:layer change:row change:column";
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
