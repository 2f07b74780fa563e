// Draws the diagrams of a page, which are texts until then. The library is loaded only where there
// is a diagram, from this site. Without the library, the texts stay.

const diagrams = [...document.querySelectorAll("div.mermaid-diagram")];

/** @returns {Promise<any>} the library; it is a script that defines a global name */
function library() {
  return new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = new URL("mermaid.min.js", import.meta.url).href;
    script.addEventListener("load", () => done(/** @type {any} */ (globalThis).mermaid));
    script.addEventListener("error", () => fail(new Error("mermaid.min.js can't be loaded")));
    document.head.append(script);
  });
}

async function draw() {
  const mermaid = await library();
  const texts = diagrams.map((element) => element.querySelector("pre")?.textContent ?? "");
  const paint = async () => {
    const dark = document.documentElement.dataset.theme === "dark";
    mermaid.initialize({
      startOnLoad: false,
      theme: dark ? "dark" : "neutral",
      fontFamily: "inherit",
      // Its own size, so that its text can be read: a wide diagram is scrolled.
      flowchart: { useMaxWidth: false },
      state: { useMaxWidth: false },
    });
    for (const [at, element] of diagrams.entries()) {
      const { svg } = await mermaid.render(`diagram-${at}`, texts[at]);
      element.innerHTML = svg;
      const heading = element.closest("section")?.querySelector("h1, h2, h3")?.firstChild;
      element.setAttribute("role", "img");
      element.setAttribute("tabindex", "0");
      element.setAttribute("aria-label", `Diagram: ${heading?.textContent ?? document.title}`);
    }
  };
  await paint();
  new MutationObserver(paint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

if (diagrams.length) draw().catch((error) => console.warn(error));

export {};
