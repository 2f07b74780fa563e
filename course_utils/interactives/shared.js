// What two or more interactives share. In a notebook each interactive is one text: parts.py puts
// these lines before its own.

/**
 * The values that Python and the page have in common, as anywidget hands them over.
 * @template {object} S
 * @typedef {object} Model
 * @property {<N extends keyof S & string>(name: N) => S[N]} get
 * @property {<N extends keyof S & string>(name: N, value: S[N]) => void} set
 * @property {() => void} save_changes
 * @property {(events: string, call: () => void) => void} on
 * @property {(events: string, call: () => void) => void} off
 * @property {(message: object, callbacks?: object, buffers?: ArrayBufferLike[]) => void} send
 */

/** @typedef {[number, number]} Pair such as a row and a column */
/** @typedef {[x: number, y: number, width: number, height: number]} Frame */
/** @typedef {[value: string, how: string]} Fact what a tile says, large and small */

// ---- the page

/**
 * An interactive's own part of the page.
 * @typedef {object} Page
 * @property {HTMLElement} root
 * @property {<E extends Element = HTMLElement>(selector: string, kind?: new () => E) => E} one
 *   The first element that a selector finds; it must be there, and of that kind.
 * @property {<E extends Element = HTMLElement>(selector: string, kind?: new () => E) => E[]} all
 */

/**
 * Put an interactive on the page: `name` is its class, `label` what a screen reader calls it.
 * @type {(el: HTMLElement, name: string, label: string, html: string) => Page}
 */
export function mount(el, name, label, html) {
  const root = document.createElement("div");
  root.className = `cx ${name}`;
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", label);
  root.innerHTML = html;
  el.append(root);
  keepKeys(root);
  /** @type {Page["all"]} */
  const all = (selector, kind) => {
    const found = [...root.querySelectorAll(selector)];
    const wrong = found.find((element) => !(element instanceof (kind ?? HTMLElement)));
    if (wrong) throw new TypeError(`${selector} is a ${wrong.localName}`);
    return /** @type {InstanceType<NonNullable<typeof kind>>[]} */ (found);
  };
  /** @type {Page["one"]} */
  const one = (selector, kind) => {
    const [first] = all(selector, kind);
    if (!first) throw new TypeError(`${selector} is not there`);
    return first;
  };
  return { root, one, all };
}

/**
 * JupyterLab's shortcuts (arrows, letters) would take the keys; it asks the focused element only.
 * @type {(root: HTMLElement) => void}
 */
export function keepKeys(root) {
  for (const control of root.querySelectorAll("input, select, button, canvas, svg"))
    control.setAttribute("data-lm-suppress-shortcuts", "true");
}

/** @type {(names: string[]) => string} */
export const options = (names) => names.map((name) => `<option>${name}</option>`).join("");

/** Tiles for facts: what each is called, by name. @type {(titles: Record<string, string>) => string} */
export function tiles(titles) {
  const made = Object.entries(titles).map(
    ([name, text]) =>
      `<div>${text}<strong data-fact="${name}"></strong><small data-how="${name}"></small></div>`,
  );
  return `<div class="cx-facts">${made.join("")}</div>`;
}

/** @type {(page: Page, facts: Record<string, Fact>) => void} */
export function writeTiles({ one }, facts) {
  for (const [name, [value, how]] of Object.entries(facts)) {
    one(`[data-fact="${name}"]`).textContent = value;
    one(`[data-how="${name}"]`).textContent = how;
  }
}

/**
 * Write a text; a screen reader reads what is written, so nothing twice.
 * @type {(at: HTMLElement, text: string) => void}
 */
export function tell(at, text) {
  if (at.textContent !== text) at.textContent = text;
}

// ---- what is shown follows the model

/**
 * Some values at once.
 * @template {object} S
 * @template {keyof S & string} N
 * @param {Model<S>} model
 * @param {N[]} names
 */
export function read(model, names) {
  const values = names.map((name) => [name, model.get(name)]);
  return /** @type {Pick<S, N>} */ (Object.fromEntries(values));
}

/**
 * Set some values at once.
 * @template {object} S
 * @param {Model<S>} model
 * @param {NoInfer<Partial<S>>} values
 */
export function change(model, values) {
  for (const [name, value] of Object.entries(values))
    model.set(/** @type {keyof S & string} */ (name), value);
  model.save_changes();
}

/**
 * Draw when one of these values changes: here, in Python, or in another view of this widget.
 * @template {object} S
 * @param {Model<S>} model
 * @param {NoInfer<keyof S & string>[]} names
 * @param {() => void} draw
 * @returns {() => void} stops it
 */
export function onChange(model, names, draw) {
  const events = names.map((name) => `change:${name}`).join(" ");
  model.on(events, draw);
  return () => model.off(events, draw);
}

/**
 * Call with an element's width, now and whenever it changes.
 * @type {(element: Element, draw: (width: number) => void) => () => void} gives what stops it
 */
export function onWidth(element, draw) {
  const observer = new ResizeObserver(() => draw(element.clientWidth));
  observer.observe(element);
  return () => observer.disconnect();
}

/**
 * One drawing for each frame, however often it is asked for.
 * @type {(draw: () => void) => {ask: () => void, stop: () => void}}
 */
export function onceAFrame(draw) {
  /** @type {number | null} */
  let frame = null;
  const ask = () => {
    frame ??= requestAnimationFrame(() => {
      frame = null;
      draw();
    });
  };
  return { ask, stop: () => frame !== null && cancelAnimationFrame(frame) };
}

// ---- play, keys, pointer

/** Buttons to go on by hand or by itself. @type {(thing: string) => string} */
export const playButtons = (thing) =>
  `<button data-step="-1" aria-label="one ${thing} back">◀</button>
        <button data-play aria-pressed="false">Play</button>
        <button data-step="1" aria-label="one ${thing} on">▶</button>`;

/**
 * Make those buttons work.
 * @param {Page} page
 * @param {object} how
 * @param {number} how.milliseconds between two ticks
 * @param {() => void} how.tick
 * @param {(by: number) => void} how.step
 * @param {() => void} [how.begin] before it plays
 * @param {HTMLElement} [how.quiet] a text that isn't read out while it plays
 * @returns {(on: boolean) => void} plays or pauses
 */
export function player({ one, all }, { milliseconds, tick, step, begin, quiet }) {
  const button = one("[data-play]");
  /** @type {number | undefined} */
  let timer;
  /** @type {(on: boolean) => void} */
  function play(on) {
    clearInterval(timer);
    timer = on ? setInterval(tick, milliseconds) : undefined;
    button.textContent = on ? "Pause" : "Play";
    button.setAttribute("aria-pressed", String(on));
    quiet?.setAttribute("aria-live", on ? "off" : "polite");
  }
  button.addEventListener("click", () => {
    const starts = timer === undefined;
    if (starts) begin?.();
    play(starts);
  });
  for (const each of all("[data-step]"))
    each.addEventListener("click", () => step(Number(each.dataset.step)));
  return play;
}

/** Down and right. @type {Record<string, Pair>} */
export const ARROWS = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
};

/**
 * Keys that an element takes for itself: where each leads, when it is pressed.
 * @template M
 * @param {GlobalEventHandlers & Element} target
 * @param {() => Record<string, M>} moves
 * @param {(move: M, event: KeyboardEvent) => void} go
 */
export function onKeys(target, moves, go) {
  target.addEventListener("keydown", (event) => {
    const led = moves();
    if (!(event.key in led)) return;
    event.preventDefault();
    go(led[event.key], event);
  });
}

/**
 * A pointer that went down on an element is followed until it goes up.
 * @template H
 * @param {GlobalEventHandlers & Element} target
 * @param {(event: PointerEvent) => H | null} take what it holds; null if there is nothing
 * @param {(event: PointerEvent, held: H) => void} follow
 */
export function onDrag(target, take, follow) {
  /** @type {H | null} */
  let held = null;
  target.addEventListener("pointerdown", (event) => {
    held = take(event);
    if (held === null) return;
    target.setPointerCapture(event.pointerId);
    follow(event, held);
  });
  target.addEventListener("pointermove", (event) => {
    if (held !== null) follow(event, held);
  });
  for (const end of ["pointerup", "pointercancel"])
    target.addEventListener(end, () => (held = null));
}

/**
 * Where a pointer is on an element, and how large that is, all in pixels of the page.
 * @type {(target: Element, event: MouseEvent) => {x: number, y: number, width: number, height: number}}
 */
export function pointIn(target, event) {
  const { left, top, width, height } = target.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top, width, height };
}

// ---- numbers and words

/** @type {(number: number, least: number, most: number) => number} */
export const clamp = (number, least, most) => Math.max(least, Math.min(most, number));

/** With a minus sign, not a hyphen. @type {(number: number | string) => string} */
export const signed = (number) => String(number).replaceAll("-", "−");

/** @type {(number: number) => string} */
export const by = (number) => `${number}×${number}`;

/** @type {(number: number) => string} */
export const grouped = (number) => number.toLocaleString("en-US");

// ---- drawing: SVG

/** @type {(name: string, x: number, y: number, width: number, height: number) => string} */
export const rect = (name, x, y, width, height) =>
  `<rect class="${name}" x="${x}" y="${y}" width="${width}" height="${height}"/>`;

/** @type {(name: string, x: number, y: number, text: string | number) => string} */
export const label = (name, x, y, text) => `<text class="${name}" x="${x}" y="${y}">${text}</text>`;

// ---- drawing: pixels

/** The bytes that Python sent. @type {(view: DataView) => Uint8Array} */
export const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** @type {(canvas: HTMLCanvasElement) => CanvasRenderingContext2D} */
export function pen(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser can't draw on a canvas.");
  return context;
}

/**
 * Red, green, blue, row by row, as a canvas takes them.
 * @type {(image: ImageData, pixels: ArrayLike<number>) => ImageData}
 */
export function fill(image, pixels) {
  for (let to = 0, from = 0; to < image.data.length; to++)
    image.data[to] = to % 4 === 3 ? 255 : pixels[from++];
  return image;
}

/**
 * A frame that is seen on any picture: an orange line on a wider black one.
 * @type {(context: CanvasRenderingContext2D, frame: Frame) => void}
 */
export function outline(context, frame) {
  // The orange of shared.css, which a canvas can't read.
  for (const [colour, width] of /** @type {const} */ ([["#000", 4], ["#e69f00", 2]])) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(...frame);
  }
}
