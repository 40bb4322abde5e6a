// The strip below the plot of the view History: all commits in small, and the range that is shown.
"use strict";
CB.history.brush = (() => {
  const { thin } = CB.history;
  const WIDTH = 1000;
  const HEIGHT = 44;
  const LEAST_COMMITS = 4; // of fewer there is nothing to choose
  const SETTLED = 250; // milliseconds without a step, then the plot follows

  /** @type {{ meta: Meta, positions: number[], choose: (range: HistoryRange) => void } | null} */
  let now = null;
  let timer = 0;

  /** @param {string} id */
  const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(`history-${id}`));
  const ends = () => /** @type {HTMLInputElement[]} */ ([...byId("brush").querySelectorAll("input")]);

  /** @param {string} tag @param {Record<string, unknown>} attributes */
  function svg(tag, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
    return element;
  }

  // A line in small; outliers are cut, as in the plot.
  /** @param {HistoryLine} line @param {Map<number, number>} place @param {[number, number]} limits @param {number} last */
  function pathOf(line, place, limits, last) {
    const [low, high] = limits;
    return thin.indices(line, null, 450).flatMap((i) => {
      const value = line.y[i];
      if (value === null) return [];
      const part = Math.max(0, Math.min(1, (value - low) / (high - low || 1)));
      return [`${((place.get(line.commits[i]) ?? 0) / last * WIDTH).toFixed(1)} ${(HEIGHT - 3 - part * (HEIGHT - 6)).toFixed(1)}`];
    }).join("L");
  }

  /** @param {HistoryLine[]} lines @returns {[number, number]} */
  function limitsOf(lines) {
    const values = lines.flatMap((line) => line.y).flatMap((value) => (value === null ? [] : [value])).sort((a, b) => a - b);
    /** @param {number} part */
    const at = (part) => values[Math.floor(part * (values.length - 1))];
    return values.length ? [at(0.01), at(0.99)] : [0, 1];
  }

  // Where both handles stand, in words and as the part that is not shaded.
  function mark() {
    if (!now) return;
    const { meta, positions } = now;
    const inputs = ends();
    const [from, to] = inputs.map((input) => Number(input.value)).sort((a, b) => a - b);
    const last = positions.length - 1;
    for (const input of inputs) {
      const [hash, date] = meta.commits[positions[Number(input.value)]];
      input.setAttribute("aria-valuetext", `${hash.slice(0, 8)} ${date}`.trim());
    }
    const [before, after] = byId("brush").querySelectorAll("rect");
    before.setAttribute("width", String(from / last * WIDTH));
    after.setAttribute("x", String(to / last * WIDTH));
    after.setAttribute("width", String(WIDTH - to / last * WIDTH));
    const whole = from === 0 && to === last;
    /** @param {number} at */
    const name = (at) => `${meta.commits[positions[at]][0].slice(0, 8)} ${meta.commits[positions[at]][1]}`.trim();
    byId("range").textContent = whole ? `all ${positions.length.toLocaleString("en")} commits` : `${(to - from + 1).toLocaleString("en")} of ${positions.length.toLocaleString("en")} commits: ${name(from)} to ${name(to)}`;
    byId("whole-range").hidden = whole;
  }

  /** @returns {HistoryRange} */
  function chosen() {
    if (!now) return null;
    const [from, to] = ends().map((input) => Number(input.value)).sort((a, b) => a - b);
    return from === 0 && to === now.positions.length - 1 ? null : [now.positions[from], now.positions[to]];
  }

  function settle() {
    clearTimeout(timer);
    now?.choose(chosen());
  }

  /** @param {Meta} meta @param {HistoryShown} shown @param {(range: HistoryRange) => void} choose */
  function show(meta, shown, choose) {
    const { positions, range } = shown;
    if (positions.length < LEAST_COMMITS || shown.along === "blas") { hide(); return; }
    now = { meta, positions, choose };
    const last = positions.length - 1;
    const lines = shown.lines.filter((line) => !shown.hidden.has(line.label));
    const place = new Map(positions.map((position, at) => [position, at]));
    const limits = limitsOf(lines);
    byId("brush").hidden = false;
    byId("brush").querySelector("svg")?.replaceChildren(
      ...lines.map((line) => { const path = pathOf(line, place, limits, last); return svg("path", { class: `curve c${line.colour}`, d: path ? `M${path}` : "" }); }),
      svg("rect", { class: "outside", x: 0, y: 0, width: 0, height: HEIGHT }), svg("rect", { class: "outside", x: WIDTH, y: 0, width: 0, height: HEIGHT }));
    const [from, to] = [range ? place.get(range[0]) ?? 0 : 0, range ? place.get(range[1]) ?? last : last];
    ends().forEach((input, at) => { input.max = String(last); input.value = String(at ? to : from); });
    mark();
  }

  function hide() {
    now = null;
    byId("brush").hidden = true;
  }

  // A stroke over the strip chooses what it passes; a handle under the pointer moves itself.
  /** @param {PointerEvent} down */
  function stroke(down) {
    const picture = byId("brush").querySelector("svg");
    if (!now || !picture || !(down.target instanceof Element) || down.target.closest("input, button")) return;
    const box = picture.getBoundingClientRect();
    const last = now.positions.length - 1;
    /** @param {PointerEvent} event */
    const at = (event) => Math.round(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * last);
    const start = at(down);
    /** @param {PointerEvent} event */
    const isStroke = (event) => Math.abs(event.clientX - down.clientX) > 4;
    /** @param {PointerEvent} event */
    const move = (event) => {
      if (!isStroke(event)) return;
      const [first, second] = [start, at(event)].sort((a, b) => a - b);
      ends().forEach((input, end) => { input.value = String(end ? second : first); });
      mark();
    };
    /** @param {PointerEvent} up */
    const done = (up) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", done);
      removeEventListener("pointercancel", done);
      if (isStroke(up)) settle();
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", done);
    addEventListener("pointercancel", done);
    down.preventDefault();
  }

  byId("brush").querySelector(".strip-box")?.addEventListener("pointerdown", (event) => stroke(/** @type {PointerEvent} */ (event)));
  byId("brush").addEventListener("input", () => { mark(); clearTimeout(timer); timer = setTimeout(settle, SETTLED); });
  byId("whole-range").addEventListener("click", () => now?.choose(null));

  return { show, hide };
})();
