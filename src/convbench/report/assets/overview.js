// Overview: the newest values, found by words. Where not all of them stand in the document, the
// others come from data/newest.js once somebody asks, without curves.
"use strict";
(() => {
  const STEP = 60;
  /**
   * A series' number, its group's, its label, and what each line says: a word or value, or a value with its interval and doubts.
   * @typedef {[series: number, group: number, label: string, ...cells: (string | [string, string, string?])[]]} NewestRow
   * @typedef {{ columns: string[], groups: [title: string, detail: string][], rows: NewestRow[] }} Newest
   */
  let limit = STEP;
  let asked = "";

  /** @param {string[]} words @param {string} text */
  const matches = (words, text) => words.every((word) => text.includes(word));

  // Of the rows that stand in the document.
  /** @param {string[]} words */
  function filterDrawn(words) {
    for (const group of CB.all(document, "#newest .group")) {
      const title = (CB.one(group, "summary").textContent || "").toLowerCase();
      let any = false;
      for (const row of CB.all(group, "tbody tr")) {
        row.hidden = !matches(words, `${title} ${CB.one(row, "th").textContent}`.toLowerCase());
        any ||= !row.hidden;
      }
      group.hidden = !any;
      if (words.length && any) group.setAttribute("open", "");
    }
  }

  /** @param {Meta} meta @param {number} number */
  function link(meta, number) {
    const [measure, , , values] = meta.series[number];
    const query = new URLSearchParams({ measure: meta.measures[measure][0] });
    meta.parameters.forEach(([, key], at) => {
      const value = values[at];
      if (value !== null) query.set(key, value);
    });
    return `#/history?${query}`;
  }

  /** @param {NewestRow[number]} cell */
  function cellOf(cell) {
    if (typeof cell === "string" || typeof cell === "number") return CB.el("td", { class: "number" }, String(cell));
    const [text, interval, doubt] = cell;
    const sign = doubt ? [CB.el("span", { class: "doubtful", role: "img", "aria-label": `of a disturbed run: ${doubt}`, title: `of a disturbed run: ${doubt}` }, "⚠"), " "] : [];
    return CB.el("td", { class: "number" }, ...sign, text, CB.el("small", {}, interval));
  }

  /** @param {string[]} words */
  async function find(words) {
    const [newest, meta] = await Promise.all([/** @type {Promise<Newest>} */ (CB.load("newest")), CB.load("meta")]);
    const titles = newest.groups.map((group) => group.join(" ").toLowerCase());
    const found = newest.rows.filter(([, group, label]) => matches(words, `${titles[group]} ${label.toLowerCase()}`));
    if (asked !== words.join(" ")) return; // typed on meanwhile
    CB.one(document, "#newest-found thead tr").replaceChildren(
      ...["Name", ...newest.columns].map((name, at) => CB.el("th", { scope: "col", class: at ? "number" : undefined }, name)));
    CB.one(document, "#newest-found tbody").replaceChildren(...found.slice(0, limit).map(([series, group, label, ...cells]) => {
      const [title, detail] = newest.groups[group];
      const name = CB.el("a", { href: link(meta, series) }, ...CB.breakable(label));
      return CB.el("tr", {}, CB.el("th", { scope: "row" }, name, CB.el("small", {}, ...CB.breakable(`${title} · ${detail}`))), ...cells.map(cellOf));
    }));
    const shown = Math.min(limit, found.length);
    CB.one(document, "#newest-count").textContent = found.length
      ? `${shown.toLocaleString("en")} of ${found.length.toLocaleString("en")} found are listed.` : "Nothing has these words.";
    CB.one(document, "#newest-more").hidden = found.length <= limit;
  }

  addEventListener("DOMContentLoaded", () => {
    document.querySelector("#newest-more")?.addEventListener("click", () => { limit += STEP; find(asked.split(" ")); });
  });

  // What the document says of how many are drawn.
  /** @type {Node[]} */
  let note = [];
  let entered = false;
  CB.views.set("overview", async (query) => {
    /** @type {HTMLInputElement | null} */
    const box = document.querySelector("[data-filter=newest]");
    if (!box) return;
    const words = (query.get("find") || "").toLowerCase().split(/\s+/).filter(Boolean);
    if (document.activeElement !== box) box.value = query.get("find") || "";
    const drawn = CB.one(document, "#newest");
    if (!drawn.dataset.more) { filterDrawn(words); return; }
    asked = words.join(" ");
    limit = STEP;
    const count = CB.one(document, "#newest-count");
    if (!note.length) note = [...count.childNodes];
    drawn.hidden = words.length > 0;
    CB.one(document, "#newest-found").hidden = !words.length;
    if (words.length) {
      // A link that names words shows what they find.
      const linked = !entered && document.activeElement !== box;
      await find(words);
      if (linked) box.form?.scrollIntoView();
      entered = true;
      return;
    }
    entered = true;
    count.replaceChildren(...note);
    CB.one(document, "#newest-more").hidden = true;
  });
})();
