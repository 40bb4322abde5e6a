// The comparison of two commits, lines or machines as a reader sees it; compare_cells.js says what differs.
"use strict";
(() => {
  const { readable, el } = CB;
  const { RANKS, commandOf, historyLink, isRate, isSeveral, nameOf, placeOf, tagsOf, unitOf } = CB.compare;
  const FIRST_ROWS = 60;
  const MORE_ROWS = 300;
  const MOST_OFFERED = 40;
  // Verdict -> name and tone of its tile.
  /** @type {Map<string, [name: string, tone: string]>} */
  const VERDICTS = new Map([
    ["slower", ["slower", "regressed"]], ["failing", ["failing", "failed"]], ["suspect", ["unconfirmed", "total"]],
    ["faster", ["faster", "improved"]], ["undecided", ["no verdict yet", "undecided"]],
    ["same", ["within noise", "unchanged"]], ["missing", ["not comparable", "skipped"]],
  ]);
  /** @type {[value: string, words: string][]} */
  const ORDERS = [["", "by verdict"], ["effect", "by effect"], ["name", "by name"]];
  /** @type {Map<string, (a: CompareRow, b: CompareRow) => number>} */
  const SORTERS = new Map([
    ["", (a, b) => a.rank - b.rank || b.size - a.size || a.cell - b.cell],
    ["effect", (a, b) => b.size - a.size || a.cell - b.cell],
    ["name", (a, b) => a.cell - b.cell],
  ]);
  /** @type {("base" | "head")[]} */
  const SIDES = ["base", "head"];

  /** @type {Meta} */
  let meta;
  /** @type {CompareShared} */
  let shared;
  let turns = 0; // only the newest of overlapping loads may finish
  /** @type {string | null} */
  let drawnQuery = null;
  /**
   * What stands in the table: rows, how many of them are drawn, of how many; and what is compared.
   * @type {{rows: CompareRow[], drawn: number, total: number, choice: CompareChoice}}
   */
  let shown;

  /** @param {string} id */
  const byId = (id) => CB.one(document, `#${id}`);
  /** @param {string} verdict */
  const labelOf = (verdict) => VERDICTS.get(verdict)?.[0] ?? verdict;

  // A commit is chosen by typing a part of its tag, hash, date or subject: a menu of thousands would be none.
  /** @param {HTMLInputElement} input @param {HTMLElement} list */
  function offer(input, list) {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const offered = [];
    for (let at = meta.commits.length - 1; at >= 0 && offered.length < MOST_OFFERED; at -= 1) {
      const [hash, date, subject] = meta.commits[at];
      const tags = tagsOf(at);
      const text = [...tags, hash.slice(0, 8), date, subject].join(" ");
      if (words.every((word) => text.toLowerCase().includes(word) || hash.startsWith(word))) {
        offered.push(el("option", { value: tags[0] || nameOf(at), label: text.slice(0, 90) }));
      }
    }
    list.replaceChildren(...offered);
  }

  /** @param {"base" | "head"} key */
  function commitChoice(key) {
    const list = el("datalist", { id: `compare-commits-${key}` });
    const input = el("input", { type: "text", "data-state": key, list: list.id, autocomplete: "off", spellcheck: "false" });
    // Browsers offer what begins as the text does: an empty box offers all, and takes its text back.
    input.addEventListener("focus", () => { input.placeholder = input.value; input.value = ""; offer(input, list); });
    input.addEventListener("blur", () => { input.value ||= input.placeholder; });
    input.addEventListener("input", () => offer(input, list));
    return el("label", {}, el("span", {}, key === "base" ? "Base" : "Head"), input, list);
  }

  // Made once, so that a choice by keyboard keeps its focus; then only the values change.
  function makeChoices() {
    /** @param {string} key @param {string} label @param {[value: string, words: string][]} options */
    const menu = (key, label, options) => el("label", {}, el("span", {}, label),
      el("select", { "data-state": key }, ...options.map(([value, words]) => el("option", { value }, words))));
    const blas = shared.places.some((place) => place[2]) ? "BLAS" : "Environment";
    /** @param {string} key @param {string} label @param {0 | 1} index */
    const places = (key, label, index) => {
      /** @type {[string, string][]} */
      const names = [...new Set(shared.places.map((place) => place[index]))].map((name) => [name, name]);
      return isSeveral(index) ? [menu(key, label, [["", "all"], ...names]), menu(`base_${key}`, `${label} of the base`, [["", "the same"], ...names])] : [];
    };
    byId("compare-choices").replaceChildren(...SIDES.map(commitChoice),
      ...places("machine", "Machine", 0), ...places("blas", blas, 1), menu("order", "Order", ORDERS));
  }

  /** @param {CompareChoice} choice @param {string} order */
  function fillChoices({ asked, positions, names }, order) {
    for (const key of SIDES) {
      const input = /** @type {HTMLInputElement} */ (CB.one(document, `#compare-choices [data-state=${key}]`));
      const name = tagsOf(positions[key])[0] || names[key];
      input.placeholder = name;
      if (document.activeElement !== input) input.value = name;
    }
    /** @type {Record<string, string>} */
    const values = { ...asked, order };
    for (const select of document.querySelectorAll("#compare-choices select")) {
      if (!(select instanceof HTMLSelectElement)) continue;
      const value = values[select.dataset.state || ""];
      // What the address asks for stands among the others, also if the store has it not.
      if (![...select.options].some((option) => option.value === value)) select.prepend(el("option", { value }, value));
      select.value = value;
    }
  }

  /** @param {Map<string, number>} counts @param {number} total */
  function titleOf(counts, total) {
    /** @param {string} verdict */
    const number = (verdict) => counts.get(verdict) || 0;
    /** @param {string} verdict */
    const words = (verdict) => `${number(verdict).toLocaleString("en")} ${labelOf(verdict)}`;
    const told = ["slower", "failing", "faster"].filter(number);
    if (told.length) return `${told.map(words).join(", ")} of ${readable.counted(total, "cell")}${number("suspect") ? `, ${words("suspect")}` : ""}`;
    if (number("suspect")) return `${number("suspect").toLocaleString("en")} of ${readable.counted(total, "cell")} may differ, unconfirmed`;
    const aside = number("missing") ? `, ${words("missing")}` : "";
    if (number("same")) return `Nothing beyond the noise in ${readable.counted(number("same"), "cell")}${aside}`;
    if (number("undecided")) return `No verdict yet on ${readable.counted(number("undecided"), "cell")}${aside}`;
    return total ? `${readable.counted(total, "cell")}, none with a value at both` : "Nothing to compare";
  }

  /** @param {Record<CompareKey, string>} asked */
  function whereOf(asked) {
    /** @param {string[]} parts */
    const words = (...parts) => parts.filter(Boolean).join(" · ");
    const head = words(asked.machine, asked.blas);
    const base = words(asked.base_machine || asked.machine, asked.base_blas || asked.blas);
    return head === base ? head : `${head || "everything"} against ${base}`;
  }

  /** @param {CompareChoice} choice @param {CompareRow[]} rows @param {URLSearchParams} query */
  function say(choice, rows, query) {
    const counts = new Map(RANKS.map((verdict) => [verdict, rows.filter((row) => row.verdict === verdict).length]));
    byId("compare-title").textContent = titleOf(counts, rows.length);
    CB.entitle("compare", titleOf(counts, rows.length));
    for (const key of SIDES) {
      const [, date = "", subject = ""] = meta.commits[choice.positions[key]] || [];
      const tags = tagsOf(choice.positions[key]).map((tag) => el("b", {}, tag));
      byId(`compare-${key}`).replaceChildren(...tags.flatMap((tag) => [tag, " "]), el("code", {}, choice.names[key]), ` ${date} `, el("span", { class: "muted" }, subject));
    }
    const where = byId("compare-where");
    where.textContent = whereOf(choice.asked);
    /** @type {HTMLElement} */ (where.parentElement).hidden = !where.textContent;
    /** @param {string} verdict @param {string} label @param {string} tone @param {number} number */
    const tile = (verdict, label, tone, number) => {
      const to = new URLSearchParams(query);
      if (verdict) to.set("verdict", verdict); else to.delete("verdict");
      const current = (query.get("verdict") || "") === verdict && "true";
      return el("a", { class: `tile ${tone}${number ? "" : " none"}`, href: `#/compare?${to}`, "aria-current": current }, el("b", {}, number.toLocaleString("en")), label);
    };
    byId("compare-counts").replaceChildren(
      tile("", "cells", "unchanged", rows.length),
      ...[...VERDICTS].filter(([verdict]) => counts.get(verdict) || ["slower", "faster"].includes(verdict))
        .map(([verdict, [label, tone]]) => tile(verdict, label, tone, counts.get(verdict) || 0)));
    const command = commandOf(choice);
    byId("compare-command").hidden = !command;
    CB.one(document, "#compare-command code").textContent = command;
    const notes = [...choice.unknown, ...choice.notes];
    if (!rows.length && !choice.unknown.length) notes.push("Base and head have no cell in common, or are the same: choose another commit or place.");
    const note = byId("compare-note");
    note.hidden = !notes.length;
    note.textContent = notes.join(" ");
  }

  /**
   * A verdict in words, with its direction, and its tone.
   * @param {CompareRow} row @returns {[words: string, tone: string]}
   */
  function verdictWords({ verdict, ratio, cell }) {
    const unit = unitOf(cell);
    const timed = unit === "seconds" || isRate(unit);
    const larger = ratio !== null && ratio > 1;
    const worse = larger !== isRate(unit);
    const way = timed ? (worse ? "slower" : "faster") : larger ? "more" : "less";
    const arrow = larger ? "▲" : "▼";
    const tone = worse ? "worse" : "better";
    if (verdict === "slower" || verdict === "faster") return [`${arrow} ${way}`, tone];
    if (verdict === "suspect") return [timed ? `${arrow} looks ${way}` : `${arrow} ${way}?`, tone];
    return verdict === "failing" ? ["✕ fails", "failed"] : [labelOf(verdict), "muted"];
  }

  /** @param {CompareRow} row */
  function rowOf(row) {
    const unit = unitOf(row.cell);
    const [words, tone] = verdictWords(row);
    /** @param {number | null} value */
    const quantity = (value) => (value === null ? "–" : readable.quantity(value, unit));
    const interval = row.low !== null && row.high !== null && Number.isFinite(row.high) ? [el("small", {}, `${readable.percent(row.low)} to ${readable.percent(row.high)}`)] : [];
    const links = row.changes.flatMap(([position, , , , , event], at) => {
      const name = nameOf(position);
      return [at ? ", " : "at ", event ? el("a", { href: `#/event?id=${encodeURIComponent(event)}` }, name) : name];
    });
    return el("tr", {},
      el("td", {}, el("strong", { class: tone }, words)),
      el("td", {}, el("a", { class: "name", href: historyLink(row.cell) }, ...CB.breakable(row.name)), el("small", {}, row.detail)),
      el("td", { class: "number", "data-label": "base" }, quantity(row.base)),
      el("td", { class: "number", "data-label": "head" }, quantity(row.head)),
      el("td", { class: "number", "data-label": "head ÷ base" }, row.ratio === null ? "–" : readable.percent(row.ratio), ...interval),
      el("td", {}, row.known, ...(links.length ? [el("small", {}, ...links)] : [])));
  }

  function draw() {
    const { rows, drawn, total } = shown;
    CB.one(document, "#compare-table tbody").replaceChildren(...rows.slice(0, drawn).map(rowOf));
    const more = byId("compare-more");
    more.hidden = rows.length <= drawn;
    more.textContent = `Show ${Math.min(MORE_ROWS, rows.length - drawn).toLocaleString("en")} more`;
    const chosen = rows.length === total ? readable.counted(total, "cell") : `${rows.length.toLocaleString("en")} chosen of ${readable.counted(total, "cell")}`;
    byId("compare-shown").textContent = rows.length <= drawn ? chosen : `${chosen}, ${drawn} listed`;
    byId("compare-table").hidden = !rows.length;
    /** @type {HTMLButtonElement} */ (byId("compare-csv")).disabled = !rows.length;
  }

  // As `convbench export` writes it: text in quotes and unchanged, an empty cell for what is missing.
  /** @param {string | number | null} value */
  const csvCell = (value) => (value === null ? "" : typeof value === "number" ? (Number.isFinite(value) ? String(value) : "inf") : `"${value.replaceAll('"', '""')}"`);
  function csv() {
    const heads = ["verdict", "measure", ...meta.parameters.map(([name]) => name), "machine", "line", "unit", "base_commit", "base", "head_commit", "head", "ratio", "ratio_low", "ratio_high", "known"];
    const [base, head] = SIDES.map((key) => meta.commits[shown.choice.positions[key]][0]);
    const lines = shown.rows.map((row) => {
      const [measure, , , values] = meta.series[shared.series[row.cell]];
      const [machine, line] = placeOf(row.cell);
      return [labelOf(row.verdict), meta.measures[measure][0], ...values, machine, line, unitOf(row.cell), base, row.base, head, row.head, row.ratio, row.low, row.high, row.known];
    });
    return [heads, ...lines].map((line) => `${line.map(csvCell).join(",")}\n`).join("");
  }

  function download() {
    const address = URL.createObjectURL(new Blob([csv()], { type: "text/csv;charset=utf-8" }));
    const link = el("a", { href: address, download: `compare-${shown.choice.names.base}-${shown.choice.names.head}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  /** @param {URLSearchParams} query @param {HTMLElement} section */
  async function enter(query, section) {
    // A click on a tile first leaves the search box, which says once more what was drawn already:
    // drawing it again would take the tile away under the pointer.
    if (query.toString() === drawnQuery) return;
    drawnQuery = null;
    const turn = ++turns;
    ({ meta, shared } = await CB.compare.load());
    if (!byId("compare-choices").children.length) makeChoices();
    const choice = CB.compare.choiceOf(query);
    const rows = choice.unknown.length ? [] : await CB.compare.compare(choice);
    if (turn !== turns) return;
    const wanted = query.get("order") || "";
    const order = SORTERS.has(wanted) ? wanted : "";
    fillChoices(choice, order);
    const box = /** @type {HTMLInputElement} */ (CB.one(section, "[data-state=find]"));
    if (document.activeElement !== box) box.value = query.get("find") || "";
    say(choice, rows, query);
    const words = (query.get("find") || "").toLowerCase().split(/\s+/).filter(Boolean);
    const verdict = VERDICTS.has(query.get("verdict") || "") ? query.get("verdict") : "";
    const chosen = rows.filter((row) => (!verdict || row.verdict === verdict)
      && words.every((word) => `${row.name} ${row.detail}`.toLowerCase().includes(word)));
    shown = { rows: chosen.sort(SORTERS.get(order)), drawn: FIRST_ROWS, total: rows.length, choice };
    draw();
    drawnQuery = query.toString();
  }

  document.getElementById("compare-more")?.addEventListener("click", () => { shown.drawn += MORE_ROWS; draw(); });
  document.getElementById("compare-csv")?.addEventListener("click", download);
  CB.views.set("compare", enter);
})();
