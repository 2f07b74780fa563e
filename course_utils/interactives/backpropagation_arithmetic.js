// The backpropagation graph's arithmetic, rounded to float32 after each operation; the tests compare
// it with torch.

/** @typedef {"add" | "subtract" | "multiply" | "square" | "tanh" | "max"} Operation */
/** @typedef {Record<string, number>} Numbers by the name of a node */
/**
 * As in backpropagation.py.
 * @typedef {object} Graph
 * @property {Numbers} inputs
 * @property {Record<string, [Operation, ...string[]]>} steps
 * @property {string[]} parameters
 * @property {Record<string, [number, number]>} places
 */
/** @typedef {{operand: string, slope: number, share: number}} Carried along an edge, backwards */
/** @typedef {{values: Numbers, gradients: Numbers, carries: Record<string, Carried[]>}} Found */
/** @typedef {ReturnType<typeof progress>} Progress */

const f = Math.fround;
/**
 * @typedef {object} Rule
 * @property {string} symbol
 * @property {(...operands: number[]) => number} value
 * @property {(operands: number[], value: number) => number[]} slopes
 */
/** @type {Record<Operation, Rule>} */
export const OPERATIONS = {
  add: { symbol: "+", value: (a, b) => f(a + b), slopes: () => [1, 1] },
  subtract: { symbol: "−", value: (a, b) => f(a - b), slopes: () => [1, -1] },
  multiply: { symbol: "×", value: (a, b) => f(a * b), slopes: ([a, b]) => [b, a] },
  square: { symbol: "( )²", value: (a) => f(a * a), slopes: ([a]) => [f(2 * a)] },
  tanh: { symbol: "tanh", value: (a) => f(Math.tanh(a)), slopes: (_, y) => [f(1 - f(y * y))] },
  max: { symbol: "max", value: Math.max, slopes: winner },
};

/**
 * 1 for the largest operand, the first of them in a tie, as in torch's max_pool2d; 0 for others.
 * @type {Rule["slopes"]}
 */
function winner(operands, largest) {
  return operands.map((_, i) => (i === operands.indexOf(largest) ? 1 : 0));
}

/**
 * Everything that can be known: each node's value and gradient, and what each edge carries.
 * @type {(graph: Pick<Graph, "steps">, inputs: Numbers) => Found}
 */
export function compute({ steps }, inputs) {
  const values = Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, f(x)]));
  for (const [name, [operation, ...operands]] of Object.entries(steps))
    values[name] = OPERATIONS[operation].value(...operands.map((operand) => values[operand]));
  const gradients = Object.fromEntries(Object.keys(values).map((name) => [name, 0]));
  /** @type {Found["carries"]} */
  const carries = {}; // by node: for each operand its slope and its share of the gradient
  const names = Object.keys(steps);
  gradients[names[names.length - 1]] = 1;
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

/**
 * What is done after so many steps: nodes with a value, nodes passed backwards, and the last one.
 * @param {Graph} graph
 * @param {number} step
 */
export function progress(graph, step) {
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
    last: backward ? back[backward - 1] : names[forward - 1],
    direction: backward ? "backward" : done > names.length ? "seed" : forward ? "forward" : "start",
  };
}

/**
 * A node's gradient as far as it is known: the sum of what has reached it, or null.
 * @type {(name: string, graph: Graph, found: Found, at: Progress) => number | null}
 */
export function reached(name, graph, found, at) {
  if (name === Object.keys(graph.steps).at(-1)) return at.seeded ? 1 : null;
  const shares = [...at.passed].flatMap((passed) =>
    found.carries[passed].filter(({ operand }) => operand === name).map(({ share }) => share),
  );
  return shares.length ? shares.reduce((sum, share) => f(sum + share)) : null;
}
