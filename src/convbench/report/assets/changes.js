// Changes: one event where the link names it; else those of the choices, in the chosen order. The
// newest stand in the document; the others are loaded when there is anything to choose from.
"use strict";
(() => {
  const KEYS = ["triage", "cause", "kind"];
  const CHOICES = [...KEYS, "least", "order", "event", "all"];

  /** @param {HTMLElement} table */
  async function loadLater(table) {
    /** @type {string} */
    const rows = await CB.load("changes");
    if (!table.dataset.later) return; // another entry was quicker
    delete table.dataset.later;
    // Written by the same template as the document, with every name escaped.
    CB.one(table, "tbody").insertAdjacentHTML("beforeend", rows);
  }

  let entering = 0; // only the newest of overlapping entries may finish
  /** @type {EnterView} */
  async function enter(query, section) {
    const turn = ++entering;
    const table = CB.one(section, "#events");
    const total = CB.all(table, "tbody tr").length + Number(table.dataset.later || 0);
    if (table.dataset.later && CHOICES.some((key) => query.get(key))) await loadLater(table);
    if (turn !== entering) return;
    const rows = CB.ranked(CB.all(table, "tbody tr"));
    const wanted = query.get("event");
    for (const control of CB.all(section, "select[data-state]")) {
      const select = /** @type {HTMLSelectElement} */ (control);
      const value = query.get(select.dataset.state || "") || "";
      select.value = [...select.options].some((option) => option.value === value) ? value : "";
    }
    const least = Number(query.get("least")) || 0;
    for (const row of rows) {
      row.hidden = wanted ? row.dataset.event !== wanted
        : Number(row.dataset.size) < least || KEYS.some((key) => query.get(key) && row.dataset[key] !== query.get(key));
      if (wanted && !row.hidden) CB.one(row, "details").setAttribute("open", "");
    }
    const order = ["size", "histories"].find((name) => name === query.get("order"));
    if (order) rows.sort((a, b) => Number(b.dataset[order]) - Number(a.dataset[order]));
    CB.one(table, "tbody").append(...rows);
    const shown = rows.filter((row) => !row.hidden).length;
    const note = CB.one(section, "#changes-count");
    note.hidden = shown === total || Boolean(table.dataset.later);
    note.replaceChildren(`${shown} of ${total} events. `, CB.el("a", { href: "#/changes" }, "All events"));
    const all = section.querySelector("#changes-all");
    if (all instanceof HTMLElement) all.hidden = !table.dataset.later;
  }
  CB.views.set("changes", enter);

  document.querySelector("#changes-all")?.addEventListener("click", () => {
    const { view, query } = CB.state();
    query.set("all", "1");
    CB.remember(view, query);
    CB.enter();
  });
})();
