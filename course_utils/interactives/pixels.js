// The pixel explorer: a lens on a photograph, and the numbers under it.

const LENS = 8;
const CHANNELS = ["red", "green", "blue"];
const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function page() {
  const group = `px-${Math.random()}`; // another view of this widget has a group of its own
  const choices = CHANNELS.map(
    (name, index) =>
      `<label><input type="radio" name="${group}" value="${index}"> ${name}</label>`,
  );
  const row = `<tr>${"<td></td>".repeat(LENS)}</tr>`;
  return `<div class="cx-body px-body">
    <canvas tabindex="0" role="application"
      aria-label="Photograph with a lens; drag the lens, or move it with the arrow keys, with Shift by eight pixels"></canvas>
    <div>
      <div class="px-channels" role="radiogroup" aria-label="Channel">${choices.join("")}</div>
      <table class="px-numbers"><tbody>${row.repeat(LENS)}</tbody></table>
      <p class="cx-sentence" aria-live="polite"></p>
    </div>
  </div>`;
}

function render({ model, el }) {
  const [height, width] = model.get("_size");
  const view = model.get("_pixels");
  const pixels = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const root = document.createElement("div");
  root.className = "cx px";
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Pixel explorer");
  root.innerHTML = page();
  el.append(root);
  // JupyterLab's shortcuts (arrows, letters) would take the keys; it asks the focused element only.
  for (const control of root.querySelectorAll("input, canvas"))
    control.setAttribute("data-lm-suppress-shortcuts", "true");
  const canvas = root.querySelector("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let to = 0, from = 0; to < image.data.length; to++)
    image.data[to] = to % 4 === 3 ? 255 : pixels[from++];
  const cells = root.querySelectorAll("td");

  const within = (value, most) => Math.max(0, Math.min(most - LENS, Math.round(value)));
  const value = (row, column, channel) => pixels[(row * width + column) * 3 + channel];

  function draw() {
    const row = within(model.get("row"), height);
    const column = within(model.get("column"), width);
    const channel = model.get("channel");
    context.putImageData(image, 0, 0);
    for (const [color, margin] of [["#000", 2], ["#fff", 1]]) {
      context.strokeStyle = color;
      context.lineWidth = 1.5;
      context.strokeRect(column - margin, row - margin, LENS + 2 * margin, LENS + 2 * margin);
    }
    cells.forEach((cell, index) => {
      const number = value(row + Math.floor(index / LENS), column + (index % LENS), channel);
      cell.textContent = number;
      cell.style.background = `rgb(${number}, ${number}, ${number})`;
      cell.style.color = number > 127 ? "#000" : "#fff";
    });
    const corner = CHANNELS.map((name, index) => `${name} ${value(row, column, index)}`);
    root.querySelector(".cx-sentence").textContent =
      `Rows ${row} to ${row + LENS - 1}, columns ${column} to ${column + LENS - 1}, ` +
      `channel ${CHANNELS[channel]}. The corner pixel: ${corner.join(", ")}.`;
    root.querySelector(`input[value="${channel}"]`).checked = true;
  }

  function go(row, column) {
    model.set("row", within(row, height));
    model.set("column", within(column, width));
    model.save_changes();
  }

  canvas.addEventListener("keydown", (event) => {
    if (!(event.key in MOVES)) return;
    event.preventDefault();
    const far = event.shiftKey ? LENS : 1;
    const [down, right] = MOVES[event.key];
    go(model.get("row") + down * far, model.get("column") + right * far);
  });
  let dragging = false;
  function follow(event) {
    const box = canvas.getBoundingClientRect();
    const scale = width / box.width;
    go((event.clientY - box.top) * scale - LENS / 2, (event.clientX - box.left) * scale - LENS / 2);
  }
  canvas.addEventListener("pointerdown", (event) => {
    dragging = true;
    canvas.setPointerCapture(event.pointerId);
    follow(event);
  });
  canvas.addEventListener("pointermove", (event) => dragging && follow(event));
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, () => (dragging = false));
  for (const input of root.querySelectorAll("input"))
    input.addEventListener("change", () => {
      model.set("channel", Number(input.value));
      model.save_changes();
    });
  const names = "change:row change:column change:channel";
  model.on(names, draw);
  draw();
  return () => model.off(names, draw);
}

export default { render };
