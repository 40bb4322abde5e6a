// The point chosen in the view History: what it is, the command that measures it again, its
// samples, and how a second point differs from it.
"use strict";
CB.history.point = (() => {
  const { readable, el } = CB;
  const { data, words } = CB.history;

  /** @param {string} id */
  const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(`history-${id}`));

  // As points.command does it: double quotes unless a shell would read something between them.
  /** @param {string} point */
  const command = (point) => `convbench reproduce ${point.startsWith("-") ? "-- " : ""}${/["$`\\!\n]/.test(point) ? `'${point.replaceAll("'", `'"'"'`)}'` : `"${point}"`}`;

  /** @param {Meta} meta @param {HistoryShown} shown @param {HistoryPoint} point */
  function described(meta, shown, [n, i]) {
    const line = shown.lines[n];
    const [run, why] = data.runOf(meta, line, i);
    const [hash, date] = meta.commits[line.commits[i]];
    const version = line.versions ? `, ${line.versions[i]}` : "";
    const measured = line.raw?.y[i] ?? null;
    return [
      el("b", {}, words.value(line, i, shown.unit)), " ", ...(measured === null ? [] : [`(${readable.quantity(measured, shown.rawUnit)}) `]),
      el("span", {}, `${line.label}${version}, `, el("code", {}, hash.slice(0, 8)), `${date ? ` ${date}` : ""}${run ? `, run ${run}` : ""}`),
      ...(why ? [" ", el("span", { class: "worse" }, `⚠ disturbed: ${why}`)] : []),
    ];
  }

  // Without an hour: days are counted as calendars show them.
  /** @param {string} one @param {string} other */
  const daysBetween = (one, other) => (one && other ? Math.round((Date.parse(other) - Date.parse(one)) / 86_400_000) : null);

  /** @param {Meta} meta @param {HistoryLine} one @param {HistoryLine} other @param {number} i @param {number} j */
  function compareLink(meta, one, other, i, j) {
    if (!document.querySelector(".view[data-view=compare]") || one.versions) return null;
    const swapped = one.commits[i] > other.commits[j];
    const [base, head] = swapped ? [other, one] : [one, other];
    const [at, to] = swapped ? [other.commits[j], one.commits[i]] : [one.commits[i], other.commits[j]];
    if (at === to && base.name === head.name && base.machine === head.machine) return null;
    const query = new URLSearchParams({ base: meta.commits[at][0].slice(0, 8), head: meta.commits[to][0].slice(0, 8), machine: head.machine, blas: head.name });
    if (base.machine !== head.machine) query.set("base_machine", base.machine);
    if (base.name !== head.name) query.set("base_blas", base.name);
    return el("a", { href: `#/compare?${query}` }, at === to ? "Compare the two on all benchmarks" : "Compare the two commits on all benchmarks");
  }

  /** @param {Meta} meta @param {HistoryShown} shown @param {HistoryPoint} a @param {HistoryPoint} b */
  function difference(meta, shown, [n, i], [m, j]) {
    const [one, other] = [shown.lines[n], shown.lines[m]];
    const [from, to] = [one.y[i] ?? NaN, other.y[j] ?? NaN];
    const [at, then] = [one.commits[i], other.commits[j]];
    const ratio = from > 0 && to > 0 ? `B is ${readable.significant(to / from, 4)} × A (${readable.percent(to / from)})` : "B and A have no ratio";
    // Relative values of two lines have a difference, but in no unit.
    const [raw, now] = [(one.raw ?? one).y[i] ?? NaN, (other.raw ?? other).y[j] ?? NaN];
    const less = shown.values !== "relative" ? readable.quantity(Math.abs(to - from), shown.unit) : n === m ? readable.quantity(Math.abs(now - raw), shown.rawUnit) : "";
    const more = to === from ? ", the same" : less && `, ${less} ${to > from ? "more" : "less"}`;
    const commits = Math.abs(then - at);
    const days = daysBetween(meta.commits[at][1], meta.commits[then][1]);
    const apart = [`${readable.counted(commits, "measured commit")} ${then < at ? "earlier" : "later"}`,
      ...(days === null ? [] : [`${readable.counted(Math.abs(days), "day")} ${days < 0 ? "earlier" : "later"}`])];
    const link = compareLink(meta, one, other, i, j);
    return [
      el("p", {}, el("b", {}, ratio), `${more}; ${commits || days ? apart.join(", ") : "at the same commit"}.`, ...(link ? [" ", link] : [])),
      el("p", { class: "how" }, "Two single values: whether they differ by more than noise, the changes found and Compare say."),
    ];
  }

  /** @param {Meta} meta @param {HistoryShown} shown @param {HistoryPoint[]} points the chosen one, and a second one */
  function show(meta, shown, [first, second]) {
    const [n, i] = first;
    const line = shown.lines[n];
    byId("point").hidden = false;
    const [about, code] = document.querySelectorAll("#history-point > p");
    about.replaceChildren(...(second ? [el("strong", { class: "letter" }, "A"), " "] : []), ...described(meta, shown, first));
    const [text, copy] = code.children;
    text.textContent = command(data.pointName(meta, line, i));
    copy.textContent = "Copy";
    byId("pair").hidden = !second;
    byId("second").hidden = Boolean(second) || shown.lines.reduce((sum, one) => sum + one.y.filter((value) => value !== null).length, 0) < 2;
    if (second) byId("pair-words").replaceChildren(el("p", {}, el("strong", { class: "letter" }, "B"), " ", ...described(meta, shown, second)), ...difference(meta, shown, first, second));
    CB.history.table.press(second ? [first, second] : [first]);
    CB.history.samples.offer(meta, line, i);
  }

  function hide() {
    byId("point").hidden = true;
    byId("pair").hidden = true;
    byId("second").hidden = true;
    CB.history.samples.hide();
  }

  return { show, hide };
})();
