// BLAS builds compared: the order of the rows.
"use strict";
(() => {
  /**
   * Rows stand by what one of the builds changes, what gains most first, controls among themselves.
   * @type {EnterView}
   */
  function enter(query, section) {
    /** @type {HTMLSelectElement | null} */
    const select = section.querySelector("select[data-state=order]");
    if (!select) return;
    const table = CB.one(section, "table[data-builds]");
    /** @type {string[]} */
    const builds = JSON.parse(table.dataset.builds || "[]");
    const chosen = Math.max(builds.indexOf(query.get("order") || ""), 0);
    select.value = builds[chosen];
    /** @param {HTMLElement} row */
    const effect = (row) => parseFloat((row.dataset.effects || "").split(" ")[chosen]) || Infinity;
    for (const body of CB.all(table, "tbody")) {
      body.append(...CB.ranked(CB.all(body, "tr[data-effects]")).sort((a, b) => effect(a) - effect(b)));
    }
  }
  CB.views.set("blas", enter);
})();
