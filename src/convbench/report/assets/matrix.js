// Strategies × problems: what cells show, the order of rows, which picture of accuracy.
"use strict";
(() => {
  const { significant, quantity } = CB.readable;
  const SHADES = 10;
  const RATES_SPAN = 1e3; // rates are shaded over three decades, as times are

  /** @typedef {{ cell: HTMLElement, flops: number, peak: number }} Place a cell, its column's operations, its table's peak */
  /** @typedef {{ bold: string, small: string, names: string }} Written */
  /**
   * A number that cells can show; `above` says that more is better, `top` is the best there can be, `unit` that of
   * the number and `said` that of the text, where the choice says it for all cells.
   * @typedef {{ number: (place: Place) => number, text: (value: number) => string, above: boolean, unit: string, said?: string, top?: number }} Measure
   */

  /**
   * A number that is not there is NaN.
   * @param {HTMLElement} cell @param {string} name
   */
  const given = (cell, name) => Number(cell.dataset[name] ?? NaN);
  /** @param {Place} place */
  const rate = ({ cell, flops }) => flops / given(cell, "seconds");
  /** @param {number} value */
  const bytes = (value) => (value ? quantity(value, "bytes") : "none");

  /** @type {Map<string, Measure>} */
  const MEASURES = new Map([
    ["peak", { number: (place) => rate(place) / place.peak, text: (value) => `${significant(100 * value, value < 1 ? 2 : 3)} %`, above: true, unit: "of the peak", top: 1 }],
    ["rate", { number: rate, text: (value) => significant(value / 1e9), above: true, unit: "flop/s", said: " GFLOP/s" }],
    ["workspace", { number: ({ cell }) => given(cell, "workspace"), text: bytes, above: false, unit: "bytes" }],
    ["memory", { number: ({ cell }) => given(cell, "memory"), text: bytes, above: false, unit: "bytes" }],
    ["error", { number: ({ cell }) => given(cell, "error"), text: (value) => significant(value), above: false, unit: "relative" }],
  ]);

  /**
   * What the document says in a cell.
   * @type {WeakMap<HTMLElement, Written>}
   */
  const written = new WeakMap();

  /** @param {HTMLElement} cell @returns {Written} */
  function remembered(cell) {
    let said = written.get(cell);
    if (!said) {
      said = { bold: CB.one(cell, "b").textContent || "", small: CB.one(cell, "small").textContent || "", names: cell.className };
      written.set(cell, said);
    }
    return said;
  }

  /**
   * Writes a cell, and for its CSV the number behind what it shows.
   * @param {HTMLElement} cell @param {Written} said @param {string} value
   */
  function write(cell, { bold, small, names }, value) {
    CB.one(cell, "b").textContent = bold;
    CB.one(cell, "small").textContent = small;
    cell.className = names;
    cell.dataset.value = value;
  }

  /**
   * The ends of the colours' scale, the best first: rates from the best there is, other numbers over all there are.
   * @param {Measure} measure @param {number[]} values @returns {[best: number, worst: number]}
   */
  function ends({ above, top }, values) {
    const positive = values.filter((value) => value > 0);
    const [least, most] = [Math.min(...positive), Math.max(...positive)];
    if (above) return [top || most, (top || most) / RATES_SPAN];
    return [least, Math.max(most, least * 10)];
  }

  /** @param {number} value @param {[best: number, worst: number]} scale */
  function shade(value, [best, worst]) {
    const part = value > 0 ? Math.log(value / best) / Math.log(worst / best) : 0;
    return Math.round(SHADES * Math.min(Math.max(part, 0), 1));
  }

  /**
   * Writes a measure into the cells of a table; gives the ends of its colours in words.
   * @param {HTMLElement} table @param {Measure | undefined} measure
   */
  function show(table, measure) {
    const heads = CB.all(table, "thead th");
    /** @type {Place[]} */
    const places = CB.all(table, "td[data-seconds]").map((cell) => ({
      cell, flops: given(heads[/** @type {HTMLTableCellElement} */ (cell).cellIndex], "flops"), peak: given(table, "peak"),
    }));
    for (const head of heads.slice(1)) head.dataset.unit = measure?.unit || "s";
    if (!measure) {
      for (const { cell } of places) write(cell, remembered(cell), cell.dataset.seconds || "");
      return "";
    }
    const values = places.map(measure.number);
    const known = values.filter((value) => !Number.isNaN(value));
    const scale = ends(measure, known);
    places.forEach(({ cell }, index) => {
      const said = remembered(cell);
      const value = values[index];
      const [, sign] = said.bold.match(/^([★≈?]) /) || ["", ""];
      // Who wins is told by times: rates keep it.
      const marks = measure.above ? said.names.split(" ").filter((name) => !/^s\d/.test(name)) : [];
      const text = Number.isNaN(value) ? "–" : measure.text(value);
      write(cell, {
        bold: measure.above && sign ? `${sign} ${text}` : text,
        small: `${said.small} · ${sign === "★" ? "fastest" : said.bold.replace(/^. /, "")}`,
        names: [Number.isNaN(value) ? "unknown" : `s${shade(value, scale)}`, ...marks].join(" "),
      }, Number.isNaN(value) ? "" : String(Number(value.toPrecision(6))));
    });
    if (!known.some((value) => value > 0)) return "";
    return `${measure.text(scale[0])} → ${measure.text(scale[1])}${measure.said || ""}, logarithmic`;
  }

  /**
   * Families stand by their fastest strategy; within one, and without families, by speed.
   * @param {HTMLElement} section @param {boolean} grouped
   */
  function order(section, grouped) {
    for (const body of CB.all(section, ".matrix tbody")) {
      const rows = CB.ranked(CB.all(body, "tr[data-family]"));
      const families = [...new Set(rows.map((row) => row.dataset.family))];
      if (grouped) rows.sort((a, b) => families.indexOf(a.dataset.family) - families.indexOf(b.dataset.family));
      rows.forEach((row, index) => {
        row.classList.toggle("first", grouped && index > 0 && row.dataset.family !== rows[index - 1].dataset.family);
      });
      body.prepend(...rows);
    }
  }

  /**
   * Sets a control to a choice in the address, or to its first option where it has none such.
   * @param {HTMLElement} section @param {string} name @param {string} wanted
   */
  function choose(section, name, wanted) {
    /** @type {HTMLSelectElement | null} */
    const select = section.querySelector(`select[data-state=${name}]`);
    if (!select) return "";
    select.value = wanted;
    if (select.selectedIndex < 0) select.selectedIndex = 0;
    return select.value;
  }

  /** @type {EnterView} */
  function enter(query, section) {
    if (section.querySelector("select[data-state=order]")) order(section, choose(section, "order", query.get("order") || "") === "family");
    const name = choose(section, "show", query.get("show") || "");
    const said = CB.all(section, "table.matrix").map((table) => show(table, MEASURES.get(name)));
    for (const part of CB.all(section, "[data-shows]")) part.hidden = part.dataset.shows !== name;
    const words = CB.one(section, "#matrix-ends");
    words.dataset.slower ??= words.textContent || "";
    words.textContent = name ? said[0] : words.dataset.slower;
    const front = choose(section, "front", query.get("front") || "");
    for (const part of CB.all(section, "[data-front]")) part.hidden = part.dataset.front !== front;
  }
  CB.views.set("matrix", enter);
})();
