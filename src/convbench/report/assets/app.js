// The one document's views: which one is shown, its state in the address, its choices, its data.
// What a view does with its choices is in a script of its own, which puts a function into CB.views.
"use strict";
window.CB = (() => {
  const root = document.documentElement;
  /** What each data file put. @type {Map<string, any>} */
  const data = new Map();
  /** By address. @type {Map<string, Promise<void>>} */
  const loading = new Map();
  /** Called on every entry and change. @type {Convbench["views"]} */
  const views = new Map();

  // Data files call this; see load().
  /** @param {string} name @param {unknown} value */
  const put = (name, value) => { data.set(name, value); };

  // A script element works from disk, where fetch does not.
  /** @param {string} address @returns {Promise<void>} */
  function script(address) {
    const known = loading.get(address);
    if (known) return known;
    /** @type {Promise<void>} */
    const fresh = new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.src = address;
      element.onload = () => resolve();
      element.onerror = () => { loading.delete(address); reject(new Error(`cannot load ${address}`)); };
      document.head.append(element);
    });
    loading.set(address, fresh);
    return fresh;
  }

  /** @param {string} name */
  async function load(name) {
    if (!data.has(name)) await script(`data/${name}.js`);
    return data.get(name);
  }

  /** @returns {ViewState} */
  function state() {
    const [, view = "overview", query = ""] = location.hash.match(/^#\/([a-z]+)(?:\?(.*))?$/) || [];
    const choices = new URLSearchParams(query);
    if (document.querySelector(`.view[data-view="${view}"]`)) return { view, query: choices };
    // What was a view once is a part of another one now; its address goes on working.
    /** @type {HTMLElement | null} */
    const whole = document.querySelector(`.view[data-also="${view}"]`);
    if (!whole?.dataset.view) return { view: "overview", query: new URLSearchParams() };
    choices.set("part", view);
    return { view: whole.dataset.view, query: choices };
  }

  // Writes the choices of a view into the address without a step in the browser's history.
  // A reader may have left while the view loaded or waited: then the address is another one's.
  // Nor is one overwritten that the page is about to be told of.
  let told = "";
  /** @param {string} view @param {URLSearchParams} query */
  function remember(view, query) {
    if (state().view !== view || location.hash !== told) return;
    const text = query.toString();
    const hash = `#/${view}${text ? `?${text}` : ""}`;
    if (location.hash !== hash) history.replaceState(null, "", hash);
    told = location.hash;
  }

  // So is the title of the page: that of the view in which the reader is.
  /** @type {Convbench["entitle"]} */
  function entitle(view, title) {
    if (state().view === view) document.title = `${title} · ${one(document, ".brand span").textContent}`;
  }

  /** @type {Convbench["el"]} */
  function el(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== false) element.setAttribute(name, String(value));
    }
    element.append(...children);
    return element;
  }

  /** @param {ParentNode} within @param {string} selector @returns {HTMLElement[]} */
  const all = (within, selector) => Array.from(within.querySelectorAll(selector));

  /** @type {Convbench["one"]} */
  function one(within, selector) {
    const found = within.querySelector(selector);
    if (!found) throw new Error(`the page has no ${selector}`);
    return /** @type {any} */ (found);
  }

  // Rows that were put into another order, in the document's own again.
  /** @type {Convbench["ranked"]} */
  function ranked(rows) {
    rows.forEach((row, index) => { row.dataset.rank ??= String(index); });
    return rows.sort((a, b) => Number(a.dataset.rank) - Number(b.dataset.rank));
  }

  // Lets a long name wrap after dots and underscores, in pieces that a narrow column has room for.
  /** @type {Convbench["breakable"]} */
  const breakable = (text) => (text.match(/^.{1,12}$|.{1,14}[._](?=.)|.+?[._](?=.)|.+$/gs) || []).flatMap((part, i) => (i ? [el("wbr"), part] : [part]));

  /** @param {ParentNode} within @returns {HTMLSelectElement[]} */
  const selects = (within) => Array.from(within.querySelectorAll("select[data-state], input[list][data-state]"));

  /** @typedef {[choices: string[], file: number, at: number]} Variant */

  // Content that depends on machine, BLAS, data type …: the first variant stands in the document,
  // the HTML of each is in a file of data/v. A choice that no variant has counts for nothing.
  /** @param {HTMLElement} section @param {URLSearchParams} query @param {() => boolean} isWanted */
  async function showVariant(section, query, isWanted) {
    if (!section.dataset.keys) return;
    const keys = section.dataset.keys.split(" ");
    /** @type {string[]} */
    let values = JSON.parse(section.dataset.first || "[]");
    let [file, at, index] = [-1, 0, 0];
    if (section.dataset.shown || keys.some((key, i) => query.get(key) && query.get(key) !== values[i])) {
      /** @param {Variant} variant */
      const score = ([of]) => keys.reduce(
        (sum, key, i) => sum + ((query.get(key) || "") === of[i] ? 1 << (keys.length - i) : 0), 0);
      /** @type {Variant[]} */
      const variants = await load(`v/${section.dataset.view}`);
      index = variants.reduce((best, one, i) => (score(one) > score(variants[best]) ? i : best), 0);
      [values, file, at] = variants[index];
    }
    if (String(index) !== (section.dataset.shown || "0")) {
      /** @type {string[]} */
      const parts = (await load(`v/${section.dataset.view}/${file}`))[at];
      if (!isWanted()) return;
      // Written by the same templates as the document, with every name escaped.
      section.querySelectorAll(".variant").forEach((part, i) => { part.innerHTML = parts[i]; });
      section.dataset.shown = String(index);
    }
    for (const select of selects(section)) {
      const key = keys.indexOf(select.dataset.state || "");
      if (key >= 0) select.value = values[key];
    }
  }

  // A chart that cannot be drawn says so; the tables stay.
  /** @param {HTMLElement} section @param {string} words */
  function say(section, words) {
    section.querySelector(".trouble")?.remove();
    if (words) one(section, "h1").after(el("p", { class: "note trouble", role: "alert" }, `This view could not be drawn: ${words}.`));
  }

  // A box that scrolls is reached by keyboard, also where nothing in it is.
  /** @param {HTMLElement} section */
  function reachBoxes(section) {
    for (const box of all(section, ".scroll")) {
      const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
      if (!scrolls || box.hasAttribute("tabindex") || box.querySelector("a[href], button, summary")) continue;
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "Scrolls");
    }
  }

  // Files that each view needs on its first entry: its script, and data.
  /** @type {Record<string, string[]>} */
  const needs = JSON.parse(root.dataset.needs || "{}");
  /** @param {string} view */
  const prepare = (view) => Promise.all((needs[view] || []).map((address) => script(address)));

  // From a web host they are in the cache before; from disk nothing would be gained. Not until the
  // first view is there: all that is fetched shares its line.
  let fetchesAhead = location.protocol !== "file:";
  function prefetch() {
    if (!fetchesAhead) return;
    fetchesAhead = false;
    (window.requestIdleCallback || setTimeout)(() => {
      for (const href of new Set([...Object.values(needs).flat(), "plotly.min.js"])) {
        if (!loading.has(href)) document.head.append(el("link", { rel: "prefetch", as: "script", href }));
      }
    });
  }

  // On a phone the views scroll, and only they: not the page, as with scrollIntoView.
  /** @param {HTMLElement} row @param {HTMLElement} link */
  function bringInto(row, link) {
    const [box, its] = [row, link].map((element) => element.getBoundingClientRect());
    if (its.left < box.left) row.scrollLeft += its.left - box.left; else if (its.right > box.right) row.scrollLeft += its.right - box.right;
  }

  let shown = "";
  let entering = 0; // only the newest of overlapping entries may finish
  async function enter() {
    const turn = ++entering;
    told = location.hash;
    const { view, query } = state();
    root.dataset.view = view;
    const section = one(document, `.view[data-view="${view}"]`);
    for (const link of all(document, "nav a")) {
      const current = link.getAttribute("href") === `#/${section.dataset.within || view}`;
      if (current) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
      // At first Overview stands where it is seen.
      if (current && shown !== view && (shown || view !== "overview")) bringInto(one(document, "nav"), link);
    }
    if (shown !== view) window.scrollTo(0, 0);
    shown = view;
    const main = one(document, "#main");
    main.setAttribute("aria-busy", "true"); // until data and picture are there
    try {
      await Promise.all([prepare(view), showVariant(section, query, () => turn === entering)]);
      if (turn !== entering) return;
      entitle(view, one(section, "h1").textContent || "");
      await views.get(view)?.(query, section);
      if (turn === entering) say(section, "");
    } catch (error) {
      if (turn === entering) say(section, error instanceof Error ? error.message : String(error));
    }
    if (turn !== entering) return;
    reachBoxes(section);
    main.removeAttribute("aria-busy");
    prefetch();
  }

  /** @param {Event} event */
  function onChoice(event) {
    const control = /** @type {HTMLSelectElement | HTMLInputElement} */ (event.target);
    if (!control.matches("[data-state]")) return;
    const { view, query } = state();
    query.delete("event"); // a choice leaves the one event that a link named
    // All choices of the view together, so that the link says everything that is shown.
    for (const other of [...selects(control.form || document.createElement("form")), control]) {
      const key = other.dataset.state || "";
      if (other.value) query.set(key, other.value); else if (other === control) query.delete(key);
    }
    remember(view, query);
    enter();
  }

  /** @param {HTMLElement} button */
  async function copy(button) {
    const code = one(button.parentElement || button, "code");
    try {
      await navigator.clipboard.writeText(code.textContent || "");
      button.textContent = "Copied";
    } catch {
      // From disk or without permission: then it is selected, and one keystroke copies it.
      getSelection()?.selectAllChildren(code);
      button.textContent = "Selected";
    }
  }

  const THEMES = [["", "◐", "as the system"], ["light", "☀", "light"], ["dark", "☾", "dark"]];
  function labelTheme() {
    const [, sign, words] = THEMES.find(([name]) => name === root.dataset.theme) || THEMES[0];
    const button = one(document, "#theme");
    button.textContent = sign;
    button.title = `Colours: ${words}`;
    button.setAttribute("aria-label", `Colours: ${words}; change`);
  }
  function nextTheme() {
    const index = THEMES.findIndex(([name]) => name === (root.dataset.theme || ""));
    const [name] = THEMES[(index + 1) % THEMES.length];
    if (name) root.dataset.theme = name; else delete root.dataset.theme;
    try { localStorage.setItem("convbench-theme", name); } catch { /* lasts as long as the page */ }
    labelTheme();
    enter();
  }

  addEventListener("DOMContentLoaded", () => {
    // Sections carry their address as id for readers without scripts; here it would only scroll.
    for (const section of all(document, ".view")) section.removeAttribute("id");
    // On a phone one group of values fills the screen; the others wait.
    if (innerWidth < 760) for (const group of all(document, "#newest .group").slice(1)) group.removeAttribute("open");
    labelTheme();
    one(document, "#theme").addEventListener("click", nextTheme);
    one(document, "#print").addEventListener("click", () => print());
    document.addEventListener("change", onChoice);
    document.addEventListener("click", (event) => {
      const target = /** @type {Element} */ (event.target);
      /** @type {HTMLElement | null} */
      const button = target.closest(".copy");
      if (button) copy(button);
      // An address of the document's own would be taken for that of a view.
      if (target.closest(".skip")) {
        event.preventDefault();
        one(document, "#main").focus();
      }
    });
    document.addEventListener("input", (event) => { if (event.target instanceof HTMLInputElement && event.target.type === "search") onChoice(event); });
    document.addEventListener("toggle", () => reachBoxes(one(document, `.view[data-view="${state().view}"]`)), true);
    document.addEventListener("submit", (event) => event.preventDefault());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", enter);
    addEventListener("hashchange", enter);
    enter();
  });

  // The other scripts add their parts.
  return /** @type {Convbench} */ ({ put, load, script, el, all, one, ranked, breakable, remember, entitle, state, enter, views });
})();
