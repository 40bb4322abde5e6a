// Machines side by side: the one that is chosen, beside one other or all of them.
"use strict";
(() => {
  /** @param {HTMLTableElement} table @param {(name: string) => boolean} isShown */
  function showMachines(table, isShown) {
    const rows = [...table.rows];
    const heads = table.tHead ? [...table.tHead.rows[0].cells] : [];
    heads.forEach((head, column) => {
      const name = head.dataset.machine;
      if (!name) return;
      for (const row of rows) if (row.cells.length === heads.length) row.cells[column].hidden = !isShown(name);
    });
    for (const row of rows) if (row.dataset.machine) row.hidden = !isShown(row.dataset.machine);
  }

  CB.views.set("machines", (query, section) => {
    const select = /** @type {HTMLSelectElement | null} */ (section.querySelector("select[data-state=beside]"));
    if (!select) return;
    const machine = /** @type {HTMLSelectElement} */ (CB.one(section, "select[data-state=machine]"));
    const names = [...select.options].map((option) => option.value);
    // Where machines are compared the table says with which; else any may stand first.
    const compared = /** @type {HTMLElement | null} */ (section.querySelector("[data-base]"));
    const asked = query.get("machine") || "";
    const base = compared?.dataset.base || (names.includes(asked) ? asked : machine.options[0].value);
    const beside = query.get("beside") || "";
    const other = names.includes(beside) && beside !== base ? beside : "";
    machine.value = base;
    select.value = other;
    for (const option of select.options) option.disabled = option.value === base;
    // Of two machines the page says what is found of these two.
    const rows = CB.all(section, "[data-title]");
    const told = rows.find((row) => (other ? row.dataset.machine === other : "farthest" in row.dataset));
    if (told) {
      CB.one(section, "h1").textContent = told.dataset.title || "";
      CB.one(section, ".lede").textContent = told.dataset.lede || "";
    } else if (other) {
      CB.one(section, "h1").textContent = `${base} and ${other}, measured differently`;
      CB.one(section, ".lede").textContent = "They have no cell in common that could be compared.";
    }
    for (const table of section.querySelectorAll("table")) showMachines(table, (name) => !other || name === base || name === other);
  });
})();
