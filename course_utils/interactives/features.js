// The feature explorer. First the arithmetic, which the tests compare with torch; then the
// controls. Every map came with the widget, so that nothing here waits for the kernel.

export const SIDE = 224;

/** Where the picture is seen by a unit: [first row, first column, rows, columns], cut at the edge. */
export function view({ jump, start, sees }, row, column) {
  const from = (index) => Math.max(0, start + index * jump);
  const to = (index) => Math.min(SIDE, start + index * jump + sees);
  return [from(row), from(column), to(row) - from(row), to(column) - from(column)];
}

/** The unit whose view's middle is nearest to a place in the picture. */
export function unitAt({ jump, start, sees, side }, y, x) {
  const nearest = (place) =>
    Math.max(0, Math.min(side - 1, Math.round((place - start - sees / 2) / jump)));
  return [nearest(y), nearest(x)];
}

/** The strongest unit of a map, [row, column]; the first one if there are several. */
export function strongest(values, side) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return [Math.floor(best / side), best % side];
}

// ---- drawing

/** A map as grey levels, white for its largest value. */
function drawMap(canvas, values, side) {
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  const image = context.createImageData(side, side);
  for (let i = 0; i < values.length; i++) {
    image.data.fill(values[i], 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** The picture, darkened where the map is weak, with the view of one unit framed. */
function drawPicture(canvas, pixels, values, geometry, unit) {
  const context = canvas.getContext("2d");
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
  for (const [colour, line] of [["#000", 4], ["#e69f00", 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.strokeRect(left, top, width, height);
  }
}

// ---- controls

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function page(pictures, layers, count) {
  const options = (names) => names.map((name) => `<option>${name}</option>`).join("");
  const maps = Array.from(
    { length: count },
    (_, rank) => `<button data-rank="${rank}"><canvas></canvas></button>`,
  );
  return `<div class="cx-body">
    <div class="fx-side">
      <div class="fx-choose">
        <label>picture <select name="name">${options(Object.keys(pictures))}</select></label>
        <label>layer <select name="layer">${options(Object.keys(layers))}</select></label>
      </div>
      <canvas class="fx-picture" width="${SIDE}" height="${SIDE}" tabindex="0" role="application"
        aria-label="The picture, light where the map is strong, with the view of one unit framed; click, or move the frame with the arrow keys"></canvas>
      <p class="cx-sentence" aria-live="polite"></p>
    </div>
    <div><p class="fx-title"></p><div class="fx-maps" role="group" aria-label="Maps">${maps.join("")}</div></div>
  </div>`;
}

function render({ model, el }) {
  const pictures = model.get("_pictures");
  const layers = model.get("_layers");
  const maps = model.get("_maps");
  const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const root = document.createElement("div");
  root.className = "cx fx";
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Feature explorer");
  root.innerHTML = page(pictures, layers, Object.values(maps)[0].conv1.channels.length);
  el.append(root);
  const one = (selector) => root.querySelector(selector);
  // JupyterLab's shortcuts (arrows, letters) would take the keys; it asks the focused element only.
  for (const control of root.querySelectorAll("select, button, canvas"))
    control.setAttribute("data-lm-suppress-shortcuts", "true");

  function current() {
    const [name, layer, rank] = ["name", "layer", "rank"].map((key) => model.get(key));
    const { channels, largest, values } = maps[name][layer];
    const geometry = layers[layer];
    const all = bytes(values);
    const size = geometry.side ** 2;
    const within = (index) => Math.min(index, geometry.side - 1);
    return {
      name, layer, rank, channels, geometry,
      unit: [within(model.get("row")), within(model.get("column"))],
      largest: largest[rank],
      map: (index) => all.subarray(index * size, (index + 1) * size),
    };
  }

  /** What depends on the picture and the layer; a drag of the frame leaves it as it is. */
  function drawMaps() {
    const { name, layer, rank, channels, geometry, map } = current();
    const { side } = geometry;
    one('[name="name"]').value = name;
    one('[name="layer"]').value = layer;
    root.querySelectorAll("[data-rank]").forEach((button, index) => {
      button.setAttribute("aria-pressed", index === rank);
      button.setAttribute("aria-label", `map ${channels[index]}`);
      button.title = `map ${channels[index]}`;
      drawMap(button.firstElementChild, map(index), side);
    });
    one(".fx-title").textContent =
      `${layer}: the ${channels.length} maps with the largest mean, ${side}×${side} each`;
  }

  function draw() {
    const { name, layer, rank, channels, geometry, unit, largest, map } = current();
    const { side, sees } = geometry;
    const values = map(rank);
    drawPicture(one(".fx-picture"), bytes(pictures[name]), values, geometry, unit);
    const value = (largest * values[unit[0] * side + unit[1]]) / 255;
    one(".cx-sentence").textContent =
      `${layer}, map ${channels[rank]}, row ${unit[0]}, column ${unit[1]}: ${value.toFixed(1)} of at ` +
      `most ${largest.toFixed(1)}. The unit sees ${sees}×${sees} pixels.`;
  }

  function change(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }
  /** Another map: frame its strongest unit. */
  function choose(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    const { geometry, rank, map } = current();
    const [row, column] = strongest(map(rank), geometry.side);
    change({ row, column });
  }

  one('[name="name"]').addEventListener("change", ({ target }) => choose({ name: target.value }));
  one('[name="layer"]').addEventListener("change", ({ target }) =>
    choose({ layer: target.value, rank: 0 }),
  );
  one(".fx-maps").addEventListener("click", ({ target }) => {
    const button = target.closest("[data-rank]");
    if (button) choose({ rank: Number(button.dataset.rank) });
  });
  const picture = one(".fx-picture");
  picture.addEventListener("pointerdown", (event) => picture.setPointerCapture(event.pointerId));
  for (const name of ["pointerdown", "pointermove"])
    picture.addEventListener(name, (event) => {
      if (!event.buttons) return;
      const { left, top, width } = picture.getBoundingClientRect();
      const pixel = (place) => (place * SIDE) / width;
      const { geometry } = current();
      const [row, column] = unitAt(geometry, pixel(event.clientY - top), pixel(event.clientX - left));
      change({ row, column });
    });
  picture.addEventListener("keydown", (event) => {
    if (!(event.key in MOVES)) return;
    event.preventDefault();
    const { geometry, unit } = current();
    const [row, column] = MOVES[event.key].map((step, axis) =>
      Math.max(0, Math.min(geometry.side - 1, unit[axis] + step)),
    );
    change({ row, column });
  });

  // One drawing for each frame, however many settings changed.
  let frame = null;
  let other = true; // another picture, layer or map
  const redraw = () => {
    frame ??= requestAnimationFrame(() => {
      frame = null;
      if (other) drawMaps();
      other = false;
      draw();
    });
  };
  const redrawMaps = () => {
    other = true;
    redraw();
  };
  model.on("change:row change:column", redraw);
  model.on("change:name change:layer change:rank", redrawMaps);
  if (model.get("row") + model.get("column") === 0) choose({});
  redraw();
  return () => {
    cancelAnimationFrame(frame);
    model.off("change:row change:column", redraw);
    model.off("change:name change:layer change:rank", redrawMaps);
  };
}

export default { render };
