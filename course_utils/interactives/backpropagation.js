// The backpropagation graph. First the arithmetic, which the tests compare with torch; then the
// picture; then the words; then the controls.

// ---- arithmetic, rounded to float32 after each operation

const f = Math.fround;
const OPERATIONS = {
  add: { symbol: "+", value: (a, b) => f(a + b), slopes: () => [1, 1] },
  subtract: { symbol: "−", value: (a, b) => f(a - b), slopes: () => [1, -1] },
  multiply: { symbol: "×", value: (a, b) => f(a * b), slopes: ([a, b]) => [b, a] },
  square: { symbol: "( )²", value: (a) => f(a * a), slopes: ([a]) => [f(2 * a)] },
  tanh: { symbol: "tanh", value: (a) => f(Math.tanh(a)), slopes: (_, y) => [f(1 - f(y * y))] },
  max: { symbol: "max", value: Math.max, slopes: winner },
};

/** 1 for the largest operand, the first of them in a tie, as in torch's max_pool2d; 0 for others. */
function winner(operands, largest) {
  return operands.map((_, i) => (i === operands.indexOf(largest) ? 1 : 0));
}

/** Everything that can be known: each node's value and gradient, and what each edge carries. */
export function compute({ steps }, inputs) {
  const values = Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, f(x)]));
  for (const [name, [operation, ...operands]] of Object.entries(steps))
    values[name] = OPERATIONS[operation].value(...operands.map((operand) => values[operand]));
  const gradients = Object.fromEntries(Object.keys(values).map((name) => [name, 0]));
  const carries = {}; // by node: for each operand its slope and its share of the gradient
  const names = Object.keys(steps);
  gradients[names.at(-1)] = 1;
  for (const name of names.reverse()) {
    const [operation, ...operands] = steps[name];
    const slopes = OPERATIONS[operation].slopes(operands.map((o) => values[o]), values[name]);
    carries[name] = operands.map((operand, i) => {
      const share = f(gradients[name] * slopes[i]);
      gradients[operand] = f(gradients[operand] + share);
      return { operand, slope: slopes[i], share };
    });
  }
  return { values, gradients, carries };
}

/** What is done after so many steps: nodes with a value, nodes passed backwards, and the last one. */
function progress(graph, step) {
  const names = Object.keys(graph.steps);
  const total = 2 * names.length + 1;
  const done = Math.min(step, total);
  const forward = Math.min(done, names.length);
  const backward = Math.max(0, done - names.length - 1);
  const back = [...names].reverse().slice(0, backward);
  return {
    total,
    done,
    known: new Set([...Object.keys(graph.inputs), ...names.slice(0, forward)]),
    passed: new Set(back),
    seeded: done > names.length,
    last: backward ? back.at(-1) : names[forward - 1],
    direction: backward ? "backward" : done > names.length ? "seed" : forward ? "forward" : "start",
  };
}

/** A node's gradient as far as it is known: the sum of what has reached it, or null. */
function reached(name, graph, found, at) {
  if (name === Object.keys(graph.steps).at(-1)) return at.seeded ? 1 : null;
  const shares = [...at.passed].flatMap((passed) =>
    found.carries[passed].filter(({ operand }) => operand === name).map(({ share }) => share),
  );
  return shares.length ? shares.reduce((sum, share) => f(sum + share)) : null;
}

// ---- numbers

/** Four digits, without zeros at the end: 0.4200 is 0.42; 0.00000012 is 1.192e−7. */
function say(number) {
  const short = Number(number.toPrecision(4));
  return String(short).replaceAll("-", "−");
}
const factor = (number) => (number < 0 ? `(${say(number)})` : say(number));

// ---- the picture, in pixels

const BOX = { width: 68, header: 20, line: 19 };
BOX.height = BOX.header + 2 * BOX.line;
const ROW = BOX.height + 18;
const WIDEST_COLUMN = 150;

function layout({ places }, width) {
  const columns = Object.values(places).map(([column]) => column);
  const rows = Object.values(places).map(([, row]) => row);
  const last = Math.max(...columns);
  const column = Math.min(WIDEST_COLUMN, (width - BOX.width - 8) / last);
  const left = (width - last * column - BOX.width) / 2;
  const corner = ([x, y]) => ({ x: left + x * column, y: 4 + y * ROW });
  return {
    height: Math.max(...rows) * ROW + BOX.height + 8,
    at: Object.fromEntries(Object.entries(places).map(([name, place]) => [name, corner(place)])),
  };
}

function edge(from, to, kind) {
  const y1 = from.y + BOX.height / 2;
  const y2 = to.y + BOX.height / 2;
  const [x1, x2] = [from.x + BOX.width, to.x];
  // The arrowhead is where the number goes.
  const line = kind.startsWith("backward") ? `M${x2} ${y2}L${x1} ${y1}` : `M${x1} ${y1}L${x2} ${y2}`;
  const head = kind.startsWith("backward") ? "url(#bp-back)" : kind ? "url(#bp-on)" : "";
  return `<path class="edge ${kind}" d="${line}"${head && ` marker-end="${head}"`}/>`;
}

function edges(graph, place, found, at) {
  let drawing = "";
  for (const [name, [, ...operands]] of Object.entries(graph.steps))
    operands.forEach((operand, i) => {
      let kind = "";
      if (name === at.last && at.direction === "forward") kind = "forward";
      if (at.passed.has(name)) {
        kind = found.carries[name][i].share === 0 ? "backward nothing" : "backward";
        if (name === at.last) kind += " now";
      }
      drawing += edge(place.at[operand], place.at[name], kind);
    });
  return drawing;
}

function node(name, graph, { x, y }, value, gradient, now) {
  const operation = graph.steps[name]?.[0];
  const title = operation ? `${name} = ${OPERATIONS[operation].symbol}` : name;
  const row = (kind, from, text) =>
    `<rect class="${kind}${text === "" ? " unknown" : ""}" x="${x}" y="${y + from}" width="${BOX.width}" height="${BOX.line}"/>` +
    `<text data-${kind}="${name}" x="${x + BOX.width / 2}" y="${y + from + 14}">${text}</text>`;
  const learns = graph.parameters.includes(name) ? " parameter" : "";
  return (
    `<g class="node${learns}${now ? " now" : ""}">` +
    `<rect class="head" x="${x}" y="${y}" width="${BOX.width}" height="${BOX.header}"/>` +
    `<text class="name" x="${x + BOX.width / 2}" y="${y + 15}">${title}</text>` +
    row("value", BOX.header, value) +
    row("gradient", BOX.header + BOX.line, gradient) +
    `<rect class="frame" x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="4"/></g>`
  );
}

const marker = (id) =>
  `<marker id="${id}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" ` +
  `markerUnits="userSpaceOnUse" orient="auto"><path class="${id}" d="M0 0L10 5L0 10z"/></marker>`;
const MARKERS = `<defs>${marker("bp-on")}${marker("bp-back")}</defs>`;

function picture(graph, place, found, at) {
  const nodes = Object.keys(graph.places).map((name) => {
    const gradient = reached(name, graph, found, at);
    return node(
      name,
      graph,
      place.at[name],
      at.known.has(name) ? say(found.values[name]) : "",
      gradient === null ? "" : say(gradient),
      name === at.last && at.direction !== "start",
    );
  });
  return MARKERS + edges(graph, place, found, at) + nodes.join("");
}

// ---- words

function forwardSentence(name, [operation, ...operands], values) {
  const [a, b] = operands;
  const [p, q] = operands.map((operand) => factor(values[operand]));
  const result = say(values[name]);
  const texts = {
    add: `${a} + ${b} = ${p} + ${q}`,
    subtract: `${a} − ${b} = ${p} − ${q}`,
    multiply: `${a} · ${b} = ${p} · ${q}`,
    square: `${a}² = ${p}²`,
    tanh: `tanh(${a}) = tanh(${say(values[a])})`,
    max: `max(${operands.join(", ")}) = max(${operands.map((o) => say(values[o])).join(", ")})`,
  };
  return `Forward: ${name} = ${texts[operation]} = ${result}.`;
}

/** Why an edge's slope is what it is. */
const REASONS = {
  add: () => "a sum passes on what arrives",
  subtract: ({ i }) => (i ? "minus turns the sign around" : "a difference passes on what arrives"),
  multiply: ({ i, operands, slope }) =>
    `the slope is the other factor, ${operands[1 - i]} = ${say(slope)}`,
  square: ({ operands, slope }) => `the slope is 2${operands[0]} = ${say(slope)}`,
  tanh: ({ name, slope }) => `the slope is 1 − ${name}² = ${say(slope)}`,
  max: ({ name, operands, values }) =>
    operands.filter((operand) => values[operand] === values[name]).length > 1
      ? "the first of those that tie takes all"
      : "the largest takes all",
};

function backwardSentence(name, graph, found, at) {
  const [operation, ...operands] = graph.steps[name];
  const arrives = found.gradients[name];
  const one = operation === "max" || operation === "add"; // one reason for all operands
  const because = (i, slope) =>
    REASONS[operation]({ i, name, operands, slope, values: found.values });
  const parts = found.carries[name].map(({ operand, slope, share }, i) => {
    const product = `${factor(arrives)} · ${factor(slope)} = ${say(share)}`;
    const total = reached(operand, graph, found, at);
    const earlier = [...at.passed].some(
      (passed) => passed !== name && found.carries[passed].some((c) => c.operand === operand),
    );
    const sum = earlier ? `; with what came before, ${say(total)}: paths add up` : "";
    const why = one ? "" : ` (${because(i, slope)})`;
    return `${operand} gets ${product}${why}${sum}`;
  });
  const rule = one ? ` (${because(0, 1)})` : "";
  return `Backward through ${name}: ${parts.join("; ")}${rule}.`;
}

function sentence(graph, found, at) {
  if (at.direction === "start") return "Only the inputs are known. Go on with ▶ or the right arrow key.";
  if (at.direction === "forward") return forwardSentence(at.last, graph.steps[at.last], found.values);
  if (at.direction === "seed") return "Turn around: the loss changes by 1 for each 1 that it changes. Its gradient is 1.";
  return backwardSentence(at.last, graph, found, at);
}

function summary(graph) {
  const names = graph.parameters;
  const learns = names.length ? `parameters: ${names.join(", ")}` : "no parameters: nothing to learn";
  return `Each box: a value, and below it the gradient of the loss L. Here: ${learns}.`;
}

// ---- controls

const TRY = {
  "one unit": { graph: "one unit", values: {} },
  saturated: { graph: "one unit", values: { x: 4, w: 2.5 } },
  "skip connection": { graph: "skip connection", values: {} },
  "skip, saturated": { graph: "skip connection", values: { x: 4, w: 2.5 } },
  "max pool": { graph: "max pool", values: {} },
  tie: { graph: "max pool", values: { b: 5 } },
};
const LEARNING_RATE = 0.1;
const MILLISECONDS_A_STEP = 1600;

function page() {
  const tries = Object.keys(TRY).map((name) => `<button data-preset="${name}">${name}</button>`);
  return `<div class="cx-body">
    <div class="cx-controls">
      <div class="cx-presets"><span>Try</span> ${tries.join("")}</div>
      <div class="bp-inputs"></div>
      <div class="cx-presets"><button data-learn>Learn: one step</button></div>
    </div>
    <div class="cx-stage">
      <p class="bp-summary"></p>
      <svg tabindex="0" role="application"
        aria-label="The graph of the loss; left and right arrow keys step back and forward"></svg>
      <div class="cx-play">
        <button data-step="-1" aria-label="one step back">◀</button>
        <button data-play aria-pressed="false">Play</button>
        <button data-step="1" aria-label="one step on">▶</button>
        <span class="bp-count"></span>
      </div>
      <p class="cx-sentence" aria-live="polite"></p>
    </div>
  </div>`;
}

const slider = (name, limit) =>
  `<label><span>${name}</span><input type="range" name="${name}" min="${-limit}" max="${limit}" ` +
  `step="0.1" aria-label="input ${name}"><output data-input="${name}"></output></label>`;

function render({ model, el }) {
  const graphs = model.get("_graphs");
  const limit = model.get("_limit");
  const root = document.createElement("div");
  root.className = "cx bp";
  root.setAttribute("role", "group");
  root.innerHTML = page();
  el.append(root);
  const one = (selector) => root.querySelector(selector);
  const all = (selector) => root.querySelectorAll(selector);
  const svg = one("svg");
  let width = 0;
  let shown = null; // the graph whose sliders are there
  let learned = "";

  function current() {
    const graph = graphs[model.get("graph")];
    const inputs = { ...graph.inputs };
    for (const name of Object.keys(inputs)) inputs[name] = model.get("inputs")[name] ?? inputs[name];
    return { graph, inputs, found: compute(graph, inputs), at: progress(graph, model.get("step")) };
  }

  // JupyterLab's shortcuts (arrows, letters) would take the keys; it asks the focused element only.
  function keepKeys() {
    for (const control of all("input, button, svg"))
      control.setAttribute("data-lm-suppress-shortcuts", "true");
  }

  function drawInputs(graph, inputs) {
    if (shown !== graph) {
      one(".bp-inputs").innerHTML = Object.keys(inputs).map((name) => slider(name, limit)).join("");
      for (const input of all(".bp-inputs input"))
        input.addEventListener("input", () => set(input.name, Number(input.value)));
      keepKeys();
      shown = graph;
    }
    for (const [name, value] of Object.entries(inputs)) {
      one(`[name="${name}"]`).value = value;
      one(`[data-input="${name}"]`).textContent = say(value);
    }
  }

  function draw() {
    const { graph, inputs, found, at } = current();
    drawInputs(graph, inputs);
    root.setAttribute("aria-label", `Backpropagation graph: ${model.get("graph")}`);
    one(".bp-summary").textContent = summary(graph);
    one(".bp-count").textContent = `step ${at.done} of ${at.total}`;
    const text = learned || sentence(graph, found, at);
    if (one(".cx-sentence").textContent !== text) one(".cx-sentence").textContent = text;
    one('[data-step="-1"]').disabled = at.done === 0;
    one('[data-step="1"]').disabled = at.done === at.total;
    one("[data-learn]").disabled = at.done < at.total || !graph.parameters.length;
    if (!width) return;
    const place = layout(graph, width);
    svg.setAttribute("height", place.height);
    svg.innerHTML = picture(graph, place, found, at);
  }

  function change(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }

  function set(name, value) {
    learned = "";
    change({ inputs: { ...current().inputs, [name]: value } });
  }

  function goTo(step) {
    learned = "";
    const { total } = current().at;
    change({ step: Math.max(0, Math.min(total, step)) });
  }

  function learn() {
    const { graph, inputs, found } = current();
    const within = (value) => Math.max(-limit, Math.min(limit, value));
    for (const name of graph.parameters)
      inputs[name] = within(inputs[name] - LEARNING_RATE * found.gradients[name]);
    const loss = Object.keys(graph.steps).at(-1);
    const before = found.values[loss];
    const after = compute(graph, inputs).values[loss];
    learned =
      `${graph.parameters.join(" and ")} moved by ${LEARNING_RATE} times the gradient, against it: ` +
      `the loss went from ${say(before)} to ${say(after)}.`;
    if (graph.parameters.every((name) => found.gradients[name] === 0))
      learned = "Every gradient is 0, exactly. Nothing moved, and nothing ever will.";
    change({ inputs });
    draw(); // the inputs may be as before
  }

  const play = one("[data-play]");
  let timer = null;
  function playing(on) {
    clearInterval(timer);
    timer = on ? setInterval(tick, MILLISECONDS_A_STEP) : null;
    play.textContent = on ? "Pause" : "Play";
    play.setAttribute("aria-pressed", String(on));
  }
  function tick() {
    goTo(current().at.done + 1);
    if (current().at.done === current().at.total) playing(false);
  }
  play.addEventListener("click", () => {
    if (timer !== null) return playing(false);
    if (current().at.done === current().at.total) goTo(0);
    tick();
    playing(true);
  });
  for (const button of all("[data-step]"))
    button.addEventListener("click", () => {
      playing(false);
      goTo(current().at.done + Number(button.dataset.step));
    });
  for (const button of all("[data-preset]"))
    button.addEventListener("click", () => {
      playing(false);
      learned = "";
      const { graph, values } = TRY[button.dataset.preset];
      change({ graph, inputs: { ...graphs[graph].inputs, ...values }, step: 0 });
    });
  one("[data-learn]").addEventListener("click", learn);
  svg.addEventListener("keydown", (event) => {
    const { at } = current();
    const moves = { ArrowLeft: at.done - 1, ArrowRight: at.done + 1, Home: 0, End: at.total };
    if (!(event.key in moves)) return;
    event.preventDefault();
    playing(false);
    goTo(moves[event.key]);
  });

  // What is set in Python, or in another view of this widget, shows here too.
  const names = "change:graph change:inputs change:step";
  model.on(names, draw);
  const observer = new ResizeObserver(() => {
    width = svg.clientWidth;
    draw();
  });
  observer.observe(svg);
  keepKeys();
  draw();
  return () => {
    playing(false);
    observer.disconnect();
    model.off(names, draw);
  };
}

export default { render };
