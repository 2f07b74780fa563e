// The backpropagation graph: its picture, its words and its controls. Its arithmetic is in a file of
// its own.

import { OPERATIONS, compute, progress, reached } from "./backpropagation_arithmetic.js";
import {
  change, clamp, keepKeys, mount, onChange, onKeys, onWidth, playButtons, player, signed, tell,
} from "./shared.js";

/** @import { Found, Graph, Numbers, Operation, Progress } from "./backpropagation_arithmetic.js" */
/** @import { Model } from "./shared.js" */
/**
 * @typedef {object} State
 * @property {string} graph
 * @property {Numbers} inputs
 * @property {number} step
 * @property {Record<string, Graph>} _graphs
 * @property {number} _limit
 */
/** @typedef {{x: number, y: number}} Point */
/** @typedef {ReturnType<typeof layout>} Place */

// ---- numbers

/**
 * Four digits, without zeros at the end: 0.4200 is 0.42; 0.00000012 is 1.192e−7.
 * @type {(number: number) => string}
 */
const say = (number) => signed(Number(number.toPrecision(4)));
/** @type {(number: number) => string} */
const factor = (number) => (number < 0 ? `(${say(number)})` : say(number));

// ---- the picture, in pixels

const BOX = { width: 68, header: 20, line: 19, height: 20 + 2 * 19 };
const ROW = BOX.height + 18;
const WIDEST_COLUMN = 150;

/** @param {Graph} graph @param {number} width */
function layout({ places }, width) {
  const columns = Object.values(places).map(([column]) => column);
  const rows = Object.values(places).map(([, row]) => row);
  const last = Math.max(...columns);
  const column = Math.min(WIDEST_COLUMN, (width - BOX.width - 8) / last);
  const left = (width - last * column - BOX.width) / 2;
  /** @type {(place: [number, number]) => Point} */
  const corner = ([x, y]) => ({ x: left + x * column, y: 4 + y * ROW });
  return {
    height: Math.max(...rows) * ROW + BOX.height + 8,
    at: Object.fromEntries(Object.entries(places).map(([name, place]) => [name, corner(place)])),
  };
}

/** @type {(from: Point, to: Point, kind: string) => string} */
function edge(from, to, kind) {
  const y1 = from.y + BOX.height / 2;
  const y2 = to.y + BOX.height / 2;
  const [x1, x2] = [from.x + BOX.width, to.x];
  // The arrowhead is where the number goes.
  const line = kind.startsWith("backward") ? `M${x2} ${y2}L${x1} ${y1}` : `M${x1} ${y1}L${x2} ${y2}`;
  const head = kind.startsWith("backward") ? "url(#bp-back)" : kind ? "url(#bp-on)" : "";
  return `<path class="edge ${kind}" d="${line}"${head && ` marker-end="${head}"`}/>`;
}

/** @type {(graph: Graph, place: Place, found: Found, at: Progress) => string} */
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

/** @type {(name: string, graph: Graph, at: Point, texts: [string, string], now: boolean) => string} */
function node(name, graph, { x, y }, [value, gradient], now) {
  const operation = graph.steps[name]?.[0];
  const title = operation ? `${name} = ${OPERATIONS[operation].symbol}` : name;
  /** @type {(kind: string, from: number, text: string) => string} */
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

/** @type {(id: string) => string} */
const marker = (id) =>
  `<marker id="${id}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" ` +
  `markerUnits="userSpaceOnUse" orient="auto"><path class="${id}" d="M0 0L10 5L0 10z"/></marker>`;
const MARKERS = `<defs>${marker("bp-on")}${marker("bp-back")}</defs>`;

/** @type {(graph: Graph, place: Place, found: Found, at: Progress) => string} */
function picture(graph, place, found, at) {
  const nodes = Object.keys(graph.places).map((name) => {
    const gradient = reached(name, graph, found, at);
    return node(
      name,
      graph,
      place.at[name],
      [at.known.has(name) ? say(found.values[name]) : "", gradient === null ? "" : say(gradient)],
      name === at.last && at.direction !== "start",
    );
  });
  return MARKERS + edges(graph, place, found, at) + nodes.join("");
}

// ---- words

/** @type {(name: string, step: [Operation, ...string[]], values: Numbers) => string} */
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

/**
 * Why an edge's slope is what it is: the one of `name` to its operand number `i`.
 * @typedef {{i: number, name: string, operands: string[], slope: number, values: Numbers}} Edge
 * @type {Record<Operation, (edge: Edge) => string>}
 */
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

/** @type {(name: string, graph: Graph, found: Found, at: Progress) => string} */
function backwardSentence(name, graph, found, at) {
  const [operation, ...operands] = graph.steps[name];
  const arrives = found.gradients[name];
  const one = operation === "max" || operation === "add"; // one reason for all operands
  /** @type {(i: number, slope: number) => string} */
  const because = (i, slope) =>
    REASONS[operation]({ i, name, operands, slope, values: found.values });
  const parts = found.carries[name].map(({ operand, slope, share }, i) => {
    const product = `${factor(arrives)} · ${factor(slope)} = ${say(share)}`;
    const total = reached(operand, graph, found, at);
    const earlier = [...at.passed].some(
      (passed) => passed !== name && found.carries[passed].some((c) => c.operand === operand),
    );
    const sum = earlier ? `; with what came before, ${say(total ?? 0)}: paths add up` : "";
    const why = one ? "" : ` (${because(i, slope)})`;
    return `${operand} gets ${product}${why}${sum}`;
  });
  const rule = one ? ` (${because(0, 1)})` : "";
  return `Backward through ${name}: ${parts.join("; ")}${rule}.`;
}

/** @type {(graph: Graph, found: Found, at: Progress) => string} */
function sentence(graph, found, at) {
  if (at.direction === "start") return "Only the inputs are known. Go on with ▶ or the right arrow key.";
  if (at.direction === "forward") return forwardSentence(at.last, graph.steps[at.last], found.values);
  if (at.direction === "seed") return "Turn around: the loss changes by 1 for each 1 that it changes. Its gradient is 1.";
  return backwardSentence(at.last, graph, found, at);
}

/** @type {(graph: Graph) => string} */
function summary(graph) {
  const names = graph.parameters;
  const learns = names.length ? `parameters: ${names.join(", ")}` : "no parameters: nothing to learn";
  return `Each box: a value, and below it the gradient of the loss L. Here: ${learns}.`;
}

// ---- controls

/** @type {Record<string, {graph: string, values: Numbers}>} */
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
        ${playButtons("step")}
        <span class="bp-count"></span>
      </div>
      <p class="cx-sentence" aria-live="polite"></p>
    </div>
  </div>`;
}

/** @type {(name: string, limit: number) => string} */
const slider = (name, limit) =>
  `<label><span>${name}</span><input type="range" name="${name}" min="${-limit}" max="${limit}" ` +
  `step="0.1" aria-label="input ${name}"><output data-input="${name}"></output></label>`;

/** @param {{model: Model<State>, el: HTMLElement}} given */
function render({ model, el }) {
  const graphs = model.get("_graphs");
  const limit = model.get("_limit");
  const parts = mount(el, "bp", "Backpropagation graph", page());
  const { root, one, all } = parts;
  const svg = one("svg", SVGElement);
  const [back, on] = all("[data-step]", HTMLButtonElement);
  let width = 0;
  /** @type {Graph | null} */
  let shown = null; // the graph whose sliders are there
  let learned = "";

  function current() {
    const graph = graphs[model.get("graph")];
    const inputs = { ...graph.inputs };
    for (const name of Object.keys(inputs)) inputs[name] = model.get("inputs")[name] ?? inputs[name];
    return { graph, inputs, found: compute(graph, inputs), at: progress(graph, model.get("step")) };
  }

  /** @type {(graph: Graph, inputs: Numbers) => void} */
  function drawInputs(graph, inputs) {
    if (shown !== graph) {
      one(".bp-inputs").innerHTML = Object.keys(inputs).map((name) => slider(name, limit)).join("");
      for (const input of all(".bp-inputs input", HTMLInputElement))
        input.addEventListener("input", () => set(input.name, Number(input.value)));
      keepKeys(root);
      shown = graph;
    }
    for (const [name, value] of Object.entries(inputs)) {
      one(`[name="${name}"]`, HTMLInputElement).value = String(value);
      one(`[data-input="${name}"]`).textContent = say(value);
    }
  }

  function draw() {
    const { graph, inputs, found, at } = current();
    drawInputs(graph, inputs);
    root.setAttribute("aria-label", `Backpropagation graph: ${model.get("graph")}`);
    one(".bp-summary").textContent = summary(graph);
    one(".bp-count").textContent = `step ${at.done} of ${at.total}`;
    tell(one(".cx-sentence"), learned || sentence(graph, found, at));
    back.disabled = at.done === 0;
    on.disabled = at.done === at.total;
    one("[data-learn]", HTMLButtonElement).disabled = at.done < at.total || !graph.parameters.length;
    if (!width) return;
    const place = layout(graph, width);
    svg.setAttribute("height", String(place.height));
    svg.innerHTML = picture(graph, place, found, at);
  }

  /** @type {(name: string, value: number) => void} */
  function set(name, value) {
    learned = "";
    change(model, { inputs: { ...current().inputs, [name]: value } });
  }

  /** @type {(step: number) => void} */
  function goTo(step) {
    learned = "";
    change(model, { step: clamp(step, 0, current().at.total) });
  }

  function learn() {
    const { graph, inputs, found } = current();
    for (const name of graph.parameters)
      inputs[name] = clamp(inputs[name] - LEARNING_RATE * found.gradients[name], -limit, limit);
    const [loss] = Object.keys(graph.steps).reverse();
    const before = found.values[loss];
    const after = compute(graph, inputs).values[loss];
    learned =
      `${graph.parameters.join(" and ")} moved by ${LEARNING_RATE} times the gradient, against it: ` +
      `the loss went from ${say(before)} to ${say(after)}.`;
    if (graph.parameters.every((name) => found.gradients[name] === 0))
      learned = "Every gradient is 0, exactly. Nothing moved, and nothing ever will.";
    change(model, { inputs });
    draw(); // the inputs may be as before
  }

  function tick() {
    goTo(current().at.done + 1);
    if (current().at.done === current().at.total) play(false);
  }
  /** @type {(step: number) => void} */
  function pauseAt(step) {
    play(false);
    goTo(step);
  }
  const play = player(parts, {
    milliseconds: MILLISECONDS_A_STEP,
    tick,
    step: (by) => pauseAt(current().at.done + by),
    begin: () => {
      if (current().at.done === current().at.total) goTo(0);
      tick();
    },
  });
  for (const button of all("[data-preset]"))
    button.addEventListener("click", () => {
      play(false);
      learned = "";
      const { graph, values } = TRY[String(button.dataset.preset)];
      change(model, { graph, inputs: { ...graphs[graph].inputs, ...values }, step: 0 });
    });
  one("[data-learn]").addEventListener("click", learn);
  const moves = () => {
    const { done, total } = current().at;
    return { ArrowLeft: done - 1, ArrowRight: done + 1, Home: 0, End: total };
  };
  onKeys(svg, moves, pauseAt);

  draw();
  const stops = [
    () => play(false),
    onChange(model, ["graph", "inputs", "step"], draw),
    onWidth(svg, (wide) => {
      width = wide;
      draw();
    }),
  ];
  return () => stops.forEach((stop) => stop());
}

export default { render };
