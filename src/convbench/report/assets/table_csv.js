// Tables as CSV, made from what they show: a button before each table or group of tables that has
// data-csv, the name of the file. Text is quoted and not changed, as `convbench export` writes it; a
// cell with data-value has its number in a further column, in the unit that data-unit says.
"use strict";
(() => {
  const { el } = CB;
  const FORMULA = /^[=+\-@\t\r]/;
  const NO_DATA = "svg, summary, .copy, .paper, .needs-js";
  const PARTS = new Set(["SMALL", "LI", "P", "DIV", "DT", "BR"]);

  /** @typedef {{text: string, value: string, unit: string}} Cell what it shows, and the number behind it with its unit, where the page says them */
  /** @typedef {{numeric: boolean, cells: string[]}} Column the head first */

  /**
   * The parts of a cell, as a reader sees them one below the other.
   * @param {Node} node @param {string[]} parts @returns {string[]}
   */
  function collect(node, parts) {
    if (node instanceof Text) parts[parts.length - 1] += node.data;
    if (!(node instanceof Element) || node.matches(NO_DATA)) return parts;
    if (PARTS.has(node.tagName)) parts.push("");
    for (const child of node.childNodes) collect(child, parts);
    if (PARTS.has(node.tagName)) parts.push("");
    return parts;
  }

  /** @param {Element} cell @returns {string} */
  const textOf = (cell) => collect(cell, [""]).map((part) => part.replace(/\s+/g, " ").trim()).filter(Boolean).join("; ");

  /** @type {Cell} */
  const NOTHING = { text: "", value: "", unit: "" };

  /**
   * A cell that spans columns stands in the first of them.
   * @param {HTMLTableRowElement} row @returns {Cell[]}
   */
  const cellsOf = (row) => [...row.cells].flatMap((cell) => [
    { text: textOf(cell), value: cell.dataset.value || "", unit: cell.dataset.unit || "" },
    ...Array(cell.colSpan - 1).fill(NOTHING),
  ]);

  /**
   * Rows of all tables that are shown, the head once.
   * @param {Element} container @returns {Cell[][]}
   */
  function rowsOf(container) {
    const tables = container instanceof HTMLTableElement ? [container] : [...container.querySelectorAll("table")];
    const shown = tables.filter((table) => !table.closest("[hidden]"));
    const grouped = shown.some((table) => table.closest("details.group"));
    /** @param {string} text @returns {Cell[]} */
    const group = (text) => (grouped ? [{ ...NOTHING, text }] : []);
    const body = shown.flatMap((table) => {
      const name = table.closest("details.group")?.querySelector("summary b")?.textContent || "";
      return [...table.tBodies].flatMap((part) => [...part.rows]).filter((row) => !row.hidden).map((row) => [...group(name), ...cellsOf(row)]);
    });
    return [[...group("Group"), ...(shown[0]?.tHead ? cellsOf(shown[0].tHead.rows[0]) : [])], ...body];
  }

  /**
   * The text of each column; after it the numbers of its cells, whose unit the head names or, where cells have several,
   * one more column. Columns without a word in any row are left out.
   * @param {Cell[][]} rows @returns {Column[]}
   */
  function columnsOf([heads, ...body]) {
    const width = Math.max(0, heads.length, ...body.map((row) => row.length));
    return Array.from({ length: width }, (_, at) => {
      const head = heads[at] || NOTHING;
      const cells = body.map((row) => row[at] || NOTHING);
      /** @param {string} title @param {"text" | "value" | "unit"} part @returns {Column[]} */
      const column = (title, part) => (cells.some((cell) => cell[part])
        ? [{ numeric: part === "value", cells: [title, ...cells.map((cell) => cell[part])] }] : []);
      return [
        ...column(head.text, "text"),
        ...column(`${head.text} (${head.unit || "number"})`, "value"),
        ...column(`${head.text} (unit)`, "unit"),
      ];
    }).flat();
  }

  const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/;

  /** @param {string} text @returns {string} */
  const quoted = (text) => (text ? `"${text.replaceAll('"', '""')}"` : "");

  /** @param {Column[]} columns @returns {string} */
  function csv(columns) {
    const rows = (columns[0]?.cells || []).map((_, row) => columns.map(({ numeric, cells }) => (
      numeric && NUMBER.test(cells[row]) ? cells[row] : quoted(cells[row]))));
    return rows.map((row) => `${row.join(",")}\r\n`).join("");
  }

  /** @param {string} name @param {string} text */
  function save(name, text) {
    const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    const link = el("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  /** @param {Element} container @param {HTMLElement} note */
  function write(container, note) {
    const columns = columnsOf(rowsOf(container));
    const project = document.querySelector(".brand span")?.textContent || "convbench";
    save(`${project}-${container.getAttribute("data-csv")}.csv`.replace(/[^\w.-]+/g, "-"), csv(columns));
    const formulas = columns.filter(({ numeric, cells }) => !numeric && cells.slice(1).some((text) => FORMULA.test(text)));
    note.textContent = formulas.length ? `Text in ${formulas.map(({ cells }) => cells[0]).join(", ")} begins like a formula (=, +, -, @): import these columns as text when a spreadsheet opens the file.` : "";
  }

  /** @param {ParentNode} root */
  function addButtons(root) {
    for (const container of root.querySelectorAll("[data-csv]")) {
      const note = el("span", { role: "status" });
      const button = el("button", { type: "button", title: "Save what this table shows as CSV", "aria-label": `CSV: ${container.getAttribute("data-csv")}` }, "CSV");
      button.addEventListener("click", () => write(container, note));
      (container.closest(".scroll") || container).before(el("div", { class: "csv" }, note, button));
    }
  }

  addEventListener("DOMContentLoaded", () => {
    addButtons(document);
    // What a choice replaces comes without its buttons.
    const observer = new MutationObserver((changes) => {
      for (const part of new Set(changes.map(({ target }) => target))) {
        if (part instanceof Element && !part.querySelector(".csv")) addButtons(part);
      }
    });
    for (const part of document.querySelectorAll(".variant")) observer.observe(part, { childList: true });
  });
})();
