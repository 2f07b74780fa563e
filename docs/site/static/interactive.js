// Brings the interactives to life on a page that has no kernel.
//
// An element `.interactive` names three files: a script, a style, and values. The script is an
// interactive's own, as a notebook gets it: it asks for nothing but a model, which is made here.

/** @typedef {{values: Record<string, unknown>, bytes: {path: string[], data: string}[]}} Saved */

/** What is said when an interactive asks Python. */
const NEEDS_PYTHON =
  "This page has no Python to ask, so the answer below belongs to the picture as it was at " +
  "first. Open the lecture in Binder, in Colab or on your computer (see the top of the page) to " +
  "get the answer for every change.";

/** @type {(data: string) => DataView} */
function decoded(data) {
  return new DataView(Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0)).buffer);
}

/**
 * The values that the notebook had, with the bytes where they belong.
 * @type {(saved: Saved) => Record<string, any>}
 */
function restored({ values, bytes }) {
  for (const { path, data } of bytes) {
    /** @type {any} */
    let place = values;
    for (const name of path.slice(0, -1)) place = place[name] ??= {};
    place[path[path.length - 1]] = decoded(data);
  }
  return values;
}

/** @type {(one: ArrayBufferLike, other: ArrayBufferLike) => boolean} */
function equal(one, other) {
  const [left, right] = [new Uint8Array(one), new Uint8Array(other)];
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

/**
 * A model as anywidget gives it to a script. It keeps the values; there is nobody to send them to.
 * @param {Record<string, any>} values
 * @param {(unanswered: boolean) => void} tell called after a question to Python
 */
function makeModel(values, tell) {
  /** @type {Map<string, Set<(message?: object) => void>>} */
  const listeners = new Map();
  /** @type {(event: string, message?: object) => void} */
  const emit = (event, message) => listeners.get(event)?.forEach((call) => call(message));
  /** @type {ArrayBufferLike | undefined} */
  let answered;
  return {
    /** @type {(name: string) => any} */
    get: (name) => values[name],
    /** @type {(name: string, value: any) => void} */
    set(name, value) {
      if (Object.is(values[name], value)) return;
      values[name] = value;
      emit(`change:${name}`);
      emit("change");
    },
    save_changes() {},
    /** @type {(events: string, call: () => void) => void} */
    on(events, call) {
      for (const event of events.split(" "))
        listeners.set(event, (listeners.get(event) ?? new Set()).add(call));
    },
    /** @type {(events: string, call: () => void) => void} */
    off(events, call) {
      for (const event of events.split(" ")) listeners.get(event)?.delete(call);
    },
    /**
     * The first question is about the values that were saved, and so is the saved answer.
     * @type {(message: object, callbacks?: object, buffers?: ArrayBufferLike[]) => void}
     */
    send(_message, _callbacks, buffers = []) {
      const [asked = new ArrayBuffer(0)] = buffers;
      answered ??= asked.slice(0);
      const known = equal(asked, answered);
      tell(!known);
      if (known) emit("msg:custom", { answered: true });
    },
  };
}

/** @type {(element: HTMLElement) => Promise<void>} */
async function start(element) {
  const { script = "", style = "", values = "" } = element.dataset;
  const here = document.baseURI;
  const [module, saved] = await Promise.all([
    import(new URL(script, here).href),
    fetch(new URL(values, here)).then((answer) => answer.json()),
    styled(new URL(style, here).href),
  ]);
  const note = document.createElement("p");
  note.className = "interactive-note";
  note.setAttribute("role", "status");
  const body = document.createElement("div");
  const model = makeModel(restored(saved), (unanswered) => {
    note.textContent = unanswered ? NEEDS_PYTHON : "";
  });
  element.replaceChildren(note, body);
  await module.default.render({ model, el: body });
  element.dataset.ready = "";
}

/** Load a style sheet, once. @type {(address: string) => Promise<void>} */
function styled(address) {
  if (document.querySelector(`link[href="${address}"]`)) return Promise.resolve();
  return new Promise((done, fail) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: address });
    link.addEventListener("load", () => done());
    link.addEventListener("error", () => fail(new Error(`${address} can't be loaded`)));
    document.head.append(link);
  });
}

for (const element of document.querySelectorAll("div.interactive")) {
  if (!(element instanceof HTMLElement)) continue;
  start(element).catch((error) => {
    element.textContent = `This interactive can't be shown: ${error.message}. Reload the page.`;
    console.error(error);
  });
}

export {};
