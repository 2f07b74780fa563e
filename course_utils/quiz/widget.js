// The form of one question. It draws the state that Python sends (model "view") and sends what
// was clicked; it knows no key and decides nothing.

const PATIENCE = 4000; // ms without an answer from the kernel before the student is told

let forms = 0;

/** @import { Model } from "../interactives/shared.js" */
/**
 * What Python lets the form show: Session.view of widget.py, and what a click was answered.
 * @typedef {object} View
 * @property {boolean} graded
 * @property {"single" | "multiple" | "numeric"} kind
 * @property {string} prompt
 * @property {number} points
 * @property {string} record which record is in use, in words; '' for practice
 * @property {boolean} asks_student
 * @property {string} student
 * @property {boolean} student_fixed
 * @property {string} text
 * @property {string[]} options
 * @property {string} unit
 * @property {string[]} hints
 * @property {number} hints_left
 * @property {number} seen
 * @property {number[] | string | null} chosen options, or the number that was typed
 * @property {string} tone
 * @property {string} status
 * @property {string[]} feedback
 * @property {string} solution
 * @property {boolean} has_solution
 * @property {string} problem
 * @property {string | null} problem_of the page that clicked
 */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, unknown>} properties or attributes
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) Object.assign(made, { [name]: value });
    else made.setAttribute(name, String(value));
  }
  // Else JupyterLab takes keys (a, b, d d, arrows) for its own shortcuts; it asks the focused
  // element itself, so that the attribute must be on each.
  if (["input", "button"].includes(tag)) made.setAttribute("data-lm-suppress-shortcuts", "true");
  made.append(...children);
  return made;
}

/** @type {(label: string, onclick: () => void, className?: string) => HTMLButtonElement} */
function button(label, onclick, className = "") {
  return element("button", { type: "button", textContent: label, onclick, className });
}

/** @param {{model: Model<{view: View}>, el: HTMLElement}} given */
function render({ model, el }) {
  const name = `course-quiz-${++forms}`;
  const page = Math.random().toString(36); // two pages may show the same form
  let view = model.get("view");
  /** @type {number | undefined} */
  let waiting; // the timer of a click that the kernel hasn't answered
  let confirming = false;
  let again = false; // a graded question that is answered once more
  /** @type {Record<string, string>} */
  const drawn = {}; // what the parts that are rebuilt were last built from

  // ── the parts, built once so that the focus stays where it is ──
  const badge = element("span", { className: "cq-badge" });
  const rule = element("span", { className: "cq-rule" });
  const student = element("div", { className: "cq-student" });
  const record = element("p", { className: "cq-record" });
  const text = element("div", { className: "cq-text", id: `${name}-text` });
  const legend = element("legend");
  const choices = element("div", { className: "cq-choices" });
  const fieldset = element("fieldset", { "aria-describedby": `${name}-text` }, legend, choices);
  const actions = element("div", { className: "cq-actions" });
  const confirmation = element("div", { className: "cq-confirm", role: "group" });
  const hints = element("div", { className: "cq-hints", "aria-live": "polite" });
  const status = element("div", { className: "cq-status", role: "status" });
  const feedback = element("ul", { className: "cq-feedback" });
  const solution = element("details", { className: "cq-solution", open: true });
  const form = element("form", {}, fieldset, actions, confirmation);
  const header = element("header", {}, badge, rule);
  const answer = element("div", { "aria-live": "polite" }, feedback, solution);
  const root = element(
    "section",
    { className: "course-quiz" },
    ...[header, record, student, text, form, status, answer, hints],
  );

  // ── what the student does ──
  /** @type {(message: object) => void} */
  function send(message) {
    clearTimeout(waiting);
    root.setAttribute("aria-busy", "true");
    waiting = setTimeout(() => {
      say("problem", "The kernel hasn't answered: it is busy, or it was stopped. Nothing is " +
        "recorded until it says so here. If no cell is running, run this cell again.");
    }, PATIENCE);
    model.send({ ...message, page });
  }

  const fields = () => [...choices.querySelectorAll("input")];

  function given() {
    if (view.kind === "numeric") return fields()[0].value.trim();
    return fields().filter((input) => input.checked).map((input) => Number(input.value));
  }

  function given_in_words() {
    const value = given();
    if (typeof value === "string") return `${value} ${view.unit}`.trim();
    return (value.length > 1 ? "options " : "option ") + value.join(", ");
  }

  function submit() {
    if (locked()) return;
    if (given().length === 0) {
      say("problem", view.kind === "numeric" ? "Type a number first." : "Choose an option first.");
      return;
    }
    if (view.graded && !confirming) {
      confirming = true;
      update();
      confirmation.querySelector("button")?.focus();
      return;
    }
    confirming = false;
    send({ do: "submit", answer: given(), seen: view.seen });
  }

  function back() {
    confirming = false;
    update();
    actions.querySelector("button")?.focus();
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && confirming) back();
    if (event.key === "Enter" && event.target instanceof HTMLInputElement && !locked()) {
      event.preventDefault();
      submit();
    }
  });

  // ── drawing ──
  const locked = () => view.graded && view.chosen !== null && !again;
  const unnamed = () => view.asks_student && !view.student;

  /** @type {(tone: string, words: string) => void} */
  function say(tone, words) {
    status.className = `cq-status ${tone}`;
    if (status.textContent !== words) status.textContent = words;
  }

  /**
   * Rebuild a part only when what it shows has changed: what was typed or chosen is kept.
   * @type {(part: string, shown: unknown, build: () => void) => void}
   */
  function once(part, shown, build) {
    const key = JSON.stringify(shown);
    if (drawn[part] === key) return;
    drawn[part] = key;
    build();
  }

  function draw_student() {
    student.hidden = !view.asks_student || view.student_fixed;
    student.replaceChildren();
    if (student.hidden) return;
    const field = element("input", {
      type: "text", value: view.student, id: `${name}-student`, autocomplete: "off",
    });
    const save = () => send({ do: "student", student: field.value });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") save();
    });
    const label = element("label", { htmlFor: field.id, textContent: "Your student id" });
    const why = "As your course knows you. It is written into your attempt log, and drawn " +
      "numbers depend on it.";
    const note = element("small", { textContent: why, id: `${name}-why` });
    field.setAttribute("aria-describedby", note.id);
    student.append(label, field, button(view.student ? "Correct it" : "Save", save), note);
  }

  function draw_choices() {
    if (view.kind === "numeric") {
      const field = element("input", {
        type: "text", inputMode: "decimal", autocomplete: "off", className: "cq-number",
        "aria-label": view.unit ? `Your answer in ${view.unit}` : "Your answer",
      });
      choices.replaceChildren(field, element("span", { textContent: view.unit }));
      return;
    }
    const type = view.kind === "single" ? "radio" : "checkbox";
    choices.replaceChildren(
      ...view.options.map((html, index) => {
        const input = element("input", { type, name, value: String(index + 1) });
        const number = element("span", { className: "cq-option-number" }, `${index + 1}`);
        const body = element("span", { className: "cq-option-text", innerHTML: html });
        return element("label", { className: "cq-option" }, input, number, body);
      }),
    );
  }

  function draw_chosen() {
    if (view.chosen === null) return;
    if (typeof view.chosen === "string") fields()[0].value = view.chosen;
    else for (const input of fields()) input.checked = view.chosen.includes(Number(input.value));
  }

  function draw_actions() {
    const active = document.activeElement;
    const focused = actions.contains(active) && active?.textContent;
    actions.replaceChildren();
    if (locked()) {
      actions.append(button("Answer again (it won't count)", () => {
        again = true;
        update();
        fields()[0].focus();
      }, "cq-quiet"));
    } else {
      const label = view.graded ? "Submit my answer" : "Check my answer";
      actions.append(button(label, submit, "cq-main"));
    }
    if (view.hints_left > 0) {
      const label = view.hints.length ? "Next hint" : "Hint";
      const left = ` (${view.hints_left} left)`;
      actions.append(button(label + left, () => send({ do: "hint" })));
    }
    if (view.has_solution && !view.solution) {
      actions.append(button("Complete solution", () => send({ do: "solution" })));
    }
    if (focused) {
      const all = [...actions.querySelectorAll("button")];
      const same = all.find((child) => child.textContent?.[0] === focused[0]);
      (same ?? all[0])?.focus();
    }
  }

  function draw_confirmation() {
    confirmation.hidden = !confirming;
    if (!confirming) return confirmation.replaceChildren();
    const first = view.seen === 0;
    const question = `Submit ${given_in_words()}${view.student ? ` as ${view.student}` : ""}?`;
    const rule = first
      ? "You have one attempt: only your first answer counts."
      : "It is recorded, but your first answer is the one that counts.";
    confirmation.setAttribute("aria-label", `${question} ${rule}`);
    confirmation.replaceChildren(
      element("p", {}, element("strong", { textContent: question }), ` ${rule}`),
      button(first ? "Submit for good" : "Submit", submit, "cq-main"),
      button("Go back", back),
    );
  }

  function draw_solution() {
    solution.hidden = !view.solution;
    solution.innerHTML = view.solution && `<summary data-lm-suppress-shortcuts="true">Complete solution</summary>${view.solution}`;
  }

  function draw_hints() {
    hints.replaceChildren(
      ...view.hints.map((html, index) =>
        element("p", { innerHTML: `<strong>Hint ${index + 1}.</strong> ${html}` }),
      ),
    );
  }

  function update() {
    const kind = view.graded ? "Graded question" : "Practice question";
    const points = view.points === 1 ? "1 point" : `${view.points} points`;
    root.setAttribute("aria-label", kind);
    root.classList.toggle("graded", view.graded);
    badge.textContent = kind;
    rule.textContent = view.graded ? `${points} · only your first answer counts` : "";
    record.textContent = view.record;
    record.hidden = !view.record;
    legend.textContent = view.prompt;
    const { student_fixed, asks_student, options, kind: type, unit, chosen, seen } = view;
    once("student", [view.student, student_fixed, asks_student], draw_student);
    once("text", view.text, () => (text.innerHTML = view.text ||
      "<p><em>Type your student id: the numbers of this question are drawn from it.</em></p>"));
    once("choices", [options, type, unit, view.text], draw_choices);
    once("chosen", [chosen, seen], draw_chosen);
    once("hints", view.hints, draw_hints);
    once("feedback", view.feedback, () =>
      feedback.replaceChildren(
        ...view.feedback.map((html) => element("li", { innerHTML: html })),
      ),
    );
    once("solution", view.solution, draw_solution);
    fieldset.disabled = confirming || locked() || unnamed();
    form.hidden = unnamed();
    actions.hidden = confirming;
    const { hints_left, has_solution } = view;
    once("actions", [locked(), hints_left, has_solution, view.solution], draw_actions);
    draw_confirmation();
    if (view.problem && view.problem_of === page) say("problem", view.problem);
    else say(view.tone, view.status);
  }

  function changed() {
    const before = view;
    view = model.get("view");
    clearTimeout(waiting);
    root.removeAttribute("aria-busy");
    if (view.seen !== before.seen) again = confirming = false;
    update();
  }

  model.on("change:view", changed);
  update();
  el.append(root);
  return () => {
    clearTimeout(waiting);
    model.off("change:view", changed);
  };
}

export default { render };
