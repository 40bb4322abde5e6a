// The samples of the chosen point, where the store has them: stacked dots and a few figures.
"use strict";
CB.history.samples = (() => {
  const { readable, el } = CB;
  const WIDTH = 640;
  const LEFT = 8;
  const DOT = 3.2;
  const HEIGHT = 96;
  const BASE = HEIGHT - 24;
  /** @type {{ meta: Meta, line: HistoryLine, i: number } | null} */
  let offered = null;
  let open = false; // stays so from point to point
  let turns = 0;

  const button = () => /** @type {HTMLElement} */ (document.getElementById("history-samples-button"));
  const box = () => /** @type {HTMLElement} */ (document.getElementById("history-samples"));

  /** @param {string} tag @param {Record<string, unknown>} attributes @param {...(Node | string)} children */
  function svg(tag, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
    element.append(...children);
    return element;
  }

  /** @param {number[]} values in order @param {number} middle @param {number} colour */
  function picture(values, middle, colour) {
    const [low, high] = [values[0], values[values.length - 1]];
    const span = high - low || Math.abs(middle) * 0.02 || 1;
    /** @param {number} value */
    const across = (value) => (high > low ? LEFT + ((value - low) / span) * (WIDTH - 2 * LEFT) : WIDTH / 2);
    /** @type {Map<number, number>} */
    const heights = new Map();
    const columns = values.map((value) => Math.round(across(value) / (2 * DOT)));
    for (const column of columns) heights.set(column, (heights.get(column) || 0) + 1);
    const step = Math.min(2 * DOT, (BASE - 12) / Math.max(...heights.values()));
    /** @type {Map<number, number>} */
    const filled = new Map();
    const dots = columns.map((column) => {
      const at = filled.get(column) || 0;
      filled.set(column, at + 1);
      return svg("circle", { cx: column * 2 * DOT, cy: BASE - DOT - at * step, r: DOT - 0.4 });
    });
    /** @param {number} value @param {string} anchor */
    const tick = (value, anchor) => svg("text", { class: `tick ${anchor}`, x: across(value), y: HEIGHT - 6 }, readable.quantity(value, "seconds"));
    const x = across(middle);
    return svg("svg", { class: "picture samples", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
      svg("path", { class: "grid", d: `M0 ${BASE}H${WIDTH}` }), svg("path", { class: "mark", d: `M${x} 0V${BASE}` }),
      svg("g", { class: `c${colour}` }, ...dots),
      tick(low, ""), ...(high > low ? [tick(high, "end")] : []), ...(x > 110 && x < WIDTH - 110 ? [tick(middle, "middle")] : []));
  }

  async function draw() {
    if (!offered) return;
    const turn = (turns += 1);
    const { meta, line, i } = offered;
    const file = await CB.load(`s/${line.from.file}`);
    if (turn !== turns) return;
    /** @type {[number, number, number[]][]} */
    const written = file[line.from.at][line.from.line];
    const [, count, steps] = written.find(([at]) => at === i) || [i, 0, []];
    const value = (line.raw?.y[i] ?? line.y[i]) || 0;
    const values = steps.map((one) => value * (1 + one * meta.sampleStep));
    const [low, high] = [values[0], values[values.length - 1]];
    const kept = values.length < count ? `, of which ${values.length} are drawn, evenly by rank` : "";
    box().replaceChildren(picture(values, value, line.colour), el("p", { class: "how" },
      `${readable.counted(count, "sample")}${kept}: least ${readable.quantity(low, "seconds")}, median ${readable.quantity(value, "seconds")} (the dashed line), greatest ${readable.quantity(high, "seconds")}, ${readable.significant(high / low, 3)} × the least. Each is a mean over the calls of one repeat.`));
  }

  /** @param {HistoryLine} line @param {number} i */
  const has = ({ samples, versions }, i) => samples !== undefined && !versions && (Array.isArray(samples) ? samples.includes(i) : i >= samples);

  /** @param {Meta} meta @param {HistoryLine} line @param {number} i */
  function offer(meta, line, i) {
    offered = has(line, i) ? { meta, line, i } : null;
    button().hidden = !offered;
    update();
  }

  function update() {
    button().setAttribute("aria-expanded", String(open));
    box().hidden = !open || !offered;
    if (open && offered) draw();
  }

  function hide() {
    offered = null;
    button().hidden = true;
    box().hidden = true;
  }

  button().addEventListener("click", () => {
    open = !open;
    const { query } = CB.state();
    if (open) query.set("samples", "1"); else query.delete("samples");
    CB.remember("history", query);
    update();
  });

  return { offer, hide, open: (/** @type {boolean} */ wanted) => { open = wanted; } };
})();
