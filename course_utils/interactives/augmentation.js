// The augmentation explorer. First the arithmetic, which the tests compare with torchvision; then
// the words; then the controls.

export const SIDE = 224;

// ---- arithmetic: pixels are Uint8ClampedArrays of red, green, blue, row by row

/** Flip, turn, zoom and move, by looking up for each new pixel where it comes from (bilinear). */
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

const grey = (pixels, at) => 0.2989 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];

/** Brightness, then contrast, then saturation, in place: torchvision's adjust_ functions. */
export function colour(pixels, { brightness, contrast, saturation }) {
  const bright = brightness / 100;
  for (let i = 0; i < pixels.length; i++) pixels[i] = Math.floor(Math.min(255, pixels[i] * bright));
  let mean = 0;
  for (let at = 0; at < pixels.length; at += 3) mean += Math.floor(grey(pixels, at));
  mean /= SIDE * SIDE;
  const c = contrast / 100;
  const s = saturation / 100;
  const within = (value) => Math.floor(Math.max(0, Math.min(255, value)));
  for (let i = 0; i < pixels.length; i++) pixels[i] = within(c * pixels[i] + (1 - c) * mean);
  for (let at = 0; at < pixels.length; at += 3) {
    const level = Math.floor(grey(pixels, at));
    for (let i = at; i < at + 3; i++) pixels[i] = within(s * pixels[i] + (1 - s) * level);
  }
  return pixels;
}

function erase(pixels, percent) {
  const side = Math.round((SIDE * percent) / 100);
  const start = Math.round((SIDE - side) / 2);
  for (let row = start; row < start + side; row++)
    pixels.fill(128, (row * SIDE + start) * 3, (row * SIDE + start + side) * 3);
}

function swapRedAndBlue(pixels) {
  for (let at = 0; at < pixels.length; at += 3) {
    const red = pixels[at];
    pixels[at] = pixels[at + 2];
    pixels[at + 2] = red;
  }
}

/** The picture as the settings make it. */
export function augment(source, state) {
  const pixels = colour(warp(source, state), state);
  erase(pixels, state.erase);
  if (state.swap) swapRedAndBlue(pixels);
  return pixels;
}

// ---- words

const SLIDERS = {
  turn: ["turn", "°"],
  zoom: ["zoom", " %"],
  brightness: ["brightness", " %"],
  contrast: ["contrast", " %"],
  saturation: ["saturation", " %"],
  erase: ["erase", " %"],
};
const SWITCHES = {
  mirror: "mirror, left to right",
  upside_down: "flip, upside down",
  swap: "swap red and blue",
};
const KNOBS = { turn: "blue", zoom: "blue", erase: "sky", brightness: "orange", contrast: "orange", saturation: "orange" };
const MOVES = { ArrowLeft: [-4, 0], ArrowRight: [4, 0], ArrowUp: [0, -4], ArrowDown: [0, 4] };

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
  for (const name of ["zoom", "brightness", "contrast", "saturation"])
    if (state[name] !== settings[name][2]) parts.push(`${name} ${state[name]} %`);
  if (state.erase) parts.push(`a square of ${state.erase} % erased`);
  if (state.swap) parts.push("red and blue swapped");
  return `The ${state.name}, ${parts.join("; ") || "unchanged"}.`;
}

function page(settings, pictures) {
  const sliders = Object.entries(SLIDERS).map(([name, [text]]) => {
    const [least, most] = settings[name];
    const knob = `style="--knob: var(--${KNOBS[name]})"`;
    return (
      `<label><span>${text}</span><input type="range" name="${name}" min="${least}" max="${most}" ` +
      `step="1" ${knob}><output data-value="${name}"></output></label>`
    );
  });
  const switches = Object.entries(SWITCHES).map(
    ([name, text]) => `<label><input type="checkbox" name="${name}"> ${text}</label>`,
  );
  const options = Object.keys(pictures).map((name) => `<option>${name}</option>`);
  return `<div class="cx-body">
    <fieldset class="cx-controls"><legend>Settings</legend>
      <label class="ag-name"><span>picture</span><select name="name">${options.join("")}</select></label>
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

/** A table row a class: its name, a bar, its probability. */
function answerRows(answer) {
  return answer.map(([name, probability]) => {
    const row = document.createElement("tr");
    const percent = (100 * probability).toFixed(1);
    row.innerHTML = `<th scope="row"></th><td><div style="width: ${percent}%"></div></td><td>${percent} %</td>`;
    row.querySelector("th").textContent = name;
    return row;
  });
}

// ---- controls

/** Settings as a training pipeline would draw them: small changes, chosen at random. */
function drawn() {
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

function render({ model, el }) {
  const settings = model.get("_settings");
  const pictures = model.get("_pictures");
  const neutral = {
    ...Object.fromEntries(Object.entries(settings).map(([name, [, , value]]) => [name, value])),
    ...Object.fromEntries(Object.keys(SWITCHES).map((name) => [name, false])),
  };
  const names = [...Object.keys(neutral), "name"];
  const root = document.createElement("div");
  root.className = "cx ag";
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Augmentation explorer");
  root.innerHTML = page(settings, pictures);
  el.append(root);
  const one = (selector) => root.querySelector(selector);
  // JupyterLab's shortcuts (arrows, letters) would take the keys; it asks the focused element only.
  for (const control of root.querySelectorAll("input, select, button, canvas"))
    control.setAttribute("data-lm-suppress-shortcuts", "true");
  const canvas = one("canvas");
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  let asking = null;

  const current = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));

  function draw() {
    const state = current();
    for (const name of Object.keys(SLIDERS)) {
      const input = one(`[name="${name}"]`);
      if (Number(input.value) !== state[name]) input.value = state[name];
      one(`[data-value="${name}"]`).textContent = `${state[name]}${SLIDERS[name][1]}`.replace("-", "−");
    }
    for (const name of Object.keys(SWITCHES)) one(`[name="${name}"]`).checked = state[name];
    one(`[name="name"]`).value = state.name;
    const text = sentence(state, settings);
    if (one(".cx-sentence").textContent !== text) one(".cx-sentence").textContent = text;
    const view = pictures[state.name];
    const source = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    const pixels = augment(source, state);
    for (let from = 0, to = 0; to < image.data.length; to++)
      image.data[to] = to % 4 === 3 ? 255 : pixels[from++];
    context.putImageData(image, 0, 0);
    ask(pixels);
  }

  // The network is asked when the hand rests, so that a drag doesn't fill the kernel's queue.
  function ask(pixels) {
    clearTimeout(asking);
    asking = setTimeout(() => model.send({}, undefined, [pixels.buffer]), 120);
  }

  function answer() {
    one("tbody").replaceChildren(...answerRows(model.get("answer")));
    root.classList.remove("ag-waiting");
  }

  function change(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }

  for (const name of Object.keys(SLIDERS))
    one(`[name="${name}"]`).addEventListener("input", ({ target }) =>
      change({ [name]: Number(target.value) }),
    );
  for (const name of Object.keys(SWITCHES))
    one(`[name="${name}"]`).addEventListener("change", ({ target }) =>
      change({ [name]: target.checked }),
    );
  one(`[name="name"]`).addEventListener("change", ({ target }) => change({ name: target.value }));
  one("[data-reset]").addEventListener("click", () => change(neutral));
  one("[data-random]").addEventListener("click", () => change({ ...neutral, ...drawn() }));

  function move(right, down) {
    const within = (value) => Math.max(-SIDE, Math.min(SIDE, Math.round(value)));
    change({ right: within(right), down: within(down) });
  }
  canvas.addEventListener("keydown", (event) => {
    if (!(event.key in MOVES)) return;
    event.preventDefault();
    const [right, down] = MOVES[event.key];
    move(model.get("right") + right, model.get("down") + down);
  });
  let held = null; // where the picture was taken hold of
  canvas.addEventListener("pointerdown", (event) => {
    held = { x: event.clientX, y: event.clientY, right: model.get("right"), down: model.get("down") };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held) return;
    const shown = SIDE / canvas.getBoundingClientRect().width;
    move(held.right + (event.clientX - held.x) * shown, held.down + (event.clientY - held.y) * shown);
  });
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, () => (held = null));

  // One drawing for each frame, however many settings changed.
  let frame = null;
  const redraw = () => {
    root.classList.add("ag-waiting");
    frame ??= requestAnimationFrame(() => {
      frame = null;
      draw();
    });
  };
  const events = names.map((name) => `change:${name}`).join(" ");
  model.on(events, redraw);
  model.on("change:answer", answer);
  model.on("msg:custom", answer);
  answer();
  redraw();
  return () => {
    clearTimeout(asking);
    cancelAnimationFrame(frame);
    model.off(events, redraw);
    model.off("change:answer", answer);
    model.off("msg:custom", answer);
  };
}

export default { render };
