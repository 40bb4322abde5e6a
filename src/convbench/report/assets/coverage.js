// Coverage and A/A: goes to the part that a link names, and lists the holes that are asked for.
"use strict";
(() => {
  const STEP = 100;
  /**
   * Columns, a value per hole; of texts, the number of one in `texts`.
   * @typedef {{ all: number, state: number[], name: number[], detail: number[], where: number[], reason: number[], link: number[], number: number[], position: number[], behind: number[], texts: string[] }} Holes
   */
  let part = "";
  let entered = false;
  // The rows of the document, and what it says of them.
  /** @type {Node[]} */
  let first = [];
  let note = "";

  /** @param {Meta} meta @param {number} position @param {number} behind */
  function commit(meta, position, behind) {
    if (position < 0) return CB.el("td", {}, CB.el("span", { class: "muted" }, "none"));
    const late = behind ? [" ", CB.el("span", { class: "muted" }, `${behind} behind`)] : [];
    return CB.el("td", {}, CB.el("code", {}, meta.commits[position][0].slice(0, 8)), ...late);
  }

  /** @param {string} state @param {string[]} words */
  async function list(state, words) {
    const [holes, meta] = await Promise.all([/** @type {Promise<Holes>} */ (CB.load("holes")), CB.load("meta")]);
    /** @param {number[]} column @param {number} at */
    const text = (column, at) => holes.texts[column[at]];
    const found = [...holes.state.keys()].filter((at) => {
      const own = text(holes.state, at);
      if (state ? own !== state : own === "skipped" || own === "retired") return false;
      const all = [holes.name, holes.detail, holes.where, holes.reason].map((column) => text(column, at)).join(" ").toLowerCase();
      return words.every((word) => all.includes(word));
    });
    CB.one(document, "#holes tbody").replaceChildren(...found.slice(0, STEP).map((at) => CB.el("tr", {},
      CB.el("td", { class: text(holes.state, at) }, text(holes.state, at)),
      CB.el("td", {}, CB.el("a", { class: "name", href: text(holes.link, at) }, ...CB.breakable(text(holes.name, at))), CB.el("small", {}, text(holes.detail, at))),
      CB.el("td", { class: "number" }, String(holes.number[at])),
      CB.el("td", {}, text(holes.where, at)),
      commit(meta, holes.position[at], holes.behind[at]),
      CB.el("td", {}, text(holes.reason, at)))));
    const more = holes.all > holes.state.length ? ` The ${holes.state.length.toLocaleString("en")} that matter most of ${holes.all.toLocaleString("en")} were searched.` : "";
    return (found.length ? `${Math.min(STEP, found.length)} of ${found.length.toLocaleString("en")} found are listed.` : "Nothing is missing here.") + more;
  }

  CB.views.set("coverage", async (query, section) => {
    const body = section.querySelector("#holes tbody");
    if (body) {
      const count = CB.one(section, "#holes-count");
      if (!first.length) [first, note] = [[...body.childNodes], count.textContent || ""];
      /** @type {HTMLInputElement} */
      const box = CB.one(section, "input[data-state=find]");
      /** @type {HTMLSelectElement} */
      const select = CB.one(section, "select[data-state=state]");
      if (document.activeElement !== box) box.value = query.get("find") || "";
      select.value = query.get("state") || "";
      if (select.selectedIndex < 0) select.value = "";
      const words = (query.get("find") || "").toLowerCase().split(/\s+/).filter(Boolean);
      if (select.value || words.length) count.textContent = await list(select.value, words);
      else { body.replaceChildren(...first); count.textContent = note; }
      CB.one(section, "#holes-listed").hidden = !body.childElementCount;
    }
    // Where a picture is wider than its box, the newest commits are what is seen of it first.
    if (!entered) for (const box of CB.all(section, ".coverage-strip .still")) box.scrollLeft = box.scrollWidth;
    entered = true;
    const wanted = query.get("part") || (query.get("state") && part !== "holes" ? "holes" : "");
    if (wanted !== part || !part) section.querySelector(`[data-part="${CSS.escape(wanted)}"]`)?.scrollIntoView();
    part = wanted;
  });
})();
