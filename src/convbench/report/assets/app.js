// The one document's views: which one is shown, its state in the address, its choices, its data.
"use strict";
window.CB = (() => {
  const root = document.documentElement;
  const data = new Map();      // file name -> what it put
  const loading = new Map();   // address -> promise
  const views = new Map();     // view -> function (state) called on every entry and change

  // Data files call this; see load().
  const put = (name, value) => data.set(name, value);

  // A script element works from disk, where fetch does not.
  function script(address) {
    if (!loading.has(address)) {
      loading.set(address, new Promise((resolve, reject) => {
        const element = document.createElement("script");
        element.src = address;
        element.onload = resolve;
        element.onerror = () => { loading.delete(address); reject(new Error(`cannot load ${address}`)); };
        document.head.append(element);
      }));
    }
    return loading.get(address);
  }

  async function load(name) {
    if (!data.has(name)) await script(`data/${name}.js`);
    return data.get(name);
  }

  function state() {
    const [, view = "overview", query = ""] = location.hash.match(/^#\/([a-z]+)(?:\?(.*))?$/) || [];
    const known = document.querySelector(`.view[data-view="${view}"]`);
    return { view: known ? view : "overview", query: new URLSearchParams(known ? query : "") };
  }

  // Writes the choices of a view into the address without a step in the browser's history.
  function remember(view, query) {
    const text = query.toString();
    const hash = `#/${view}${text ? `?${text}` : ""}`;
    if (location.hash !== hash) history.replaceState(null, "", hash);
  }

  function el(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== false) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  // Lets a long name wrap after its dots and underscores.
  const breakable = (text) => text.split(/(?<=[._])/).flatMap((part, i) => (i ? [el("wbr"), part] : [part]));

  // Tables that differ by machine, BLAS and dtype stand in the document; one of them is shown.
  function showVariant(section, query) {
    const variants = [...section.querySelectorAll(".variant")];
    if (!variants.length) return null;
    const keys = ["machine", "blas", "dtype"];
    const score = (variant) => keys.reduce(
      (sum, key, index) => sum + (query.get(key) === variant.dataset[key] ? 4 >> index : 0), 0);
    const best = variants.reduce((a, b) => (score(b) > score(a) ? b : a));
    const same = (variant) => keys.every((key) => variant.dataset[key] === best.dataset[key]);
    for (const variant of variants) variant.hidden = !same(variant);
    for (const select of section.querySelectorAll("select[data-state]")) {
      if (best.dataset[select.dataset.state] !== undefined) select.value = best.dataset[select.dataset.state];
    }
    return best;
  }

  // A chart that cannot be drawn says so; the tables stay.
  function say(section, words) {
    const old = section.querySelector(".trouble");
    if (old) old.remove();
    if (words) section.querySelector("h1").after(el("p", { class: "note trouble", role: "alert" }, `This view could not be drawn: ${words}.`));
  }

  let shown = null;
  function enter() {
    const { view, query } = state();
    root.dataset.view = view;
    for (const link of document.querySelectorAll("nav a")) {
      const current = link.hash.split("?")[0] === `#/${view}`;
      if (current) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
    }
    const section = document.querySelector(`.view[data-view="${view}"]`);
    showVariant(section, query);
    if (shown !== view) window.scrollTo(0, 0);
    shown = view;
    const title = section.querySelector(".variant:not([hidden]) h1, h1");
    const project = document.querySelector(".brand span").textContent;
    document.title = `${title ? title.textContent : view} · ${project}`;
    Promise.resolve(views.get(view)?.(query, section)).then(() => say(section, ""), (error) => say(section, error.message));
  }

  function onChoice(event) {
    const control = event.target.closest("[data-state]");
    if (!control) return;
    const { view, query } = state();
    // All choices of the view together, so that the link says everything that is shown.
    for (const other of control.form.querySelectorAll("select[data-state]")) {
      if (other.value) query.set(other.dataset.state, other.value);
    }
    if (control.value) query.set(control.dataset.state, control.value); else query.delete(control.dataset.state);
    remember(view, query);
    enter();
  }

  function filterNewest(query) {
    const box = document.querySelector("[data-filter=newest]");
    if (!box) return;
    const words = (query.get("find") || "").toLowerCase().split(/\s+/).filter(Boolean);
    if (document.activeElement !== box) box.value = query.get("find") || "";
    for (const group of document.querySelectorAll("#newest .group")) {
      const title = group.querySelector("summary").textContent.toLowerCase();
      let any = false;
      for (const row of group.querySelectorAll("tbody tr")) {
        const text = `${title} ${row.cells[0].textContent.toLowerCase()}`;
        row.hidden = !words.every((word) => text.includes(word));
        any ||= !row.hidden;
      }
      group.hidden = !any;
      if (words.length && any) group.open = true;
    }
  }
  views.set("overview", filterNewest);

  // Families stand by their fastest strategy; within one, and without families, by speed.
  function orderMatrix(query, section) {
    const select = section.querySelector("select[data-state=order]");
    if (!select) return;
    const grouped = query.get("order") === "family";
    select.value = grouped ? "family" : "";
    for (const body of section.querySelectorAll(".matrix tbody")) {
      const rows = [...body.querySelectorAll("tr[data-family]")];
      rows.forEach((row, index) => { row.dataset.rank ??= index; });
      rows.sort((a, b) => a.dataset.rank - b.dataset.rank);
      const families = [...new Set(rows.map((row) => row.dataset.family))];
      if (grouped) rows.sort((a, b) => families.indexOf(a.dataset.family) - families.indexOf(b.dataset.family));
      rows.forEach((row, index) => {
        row.classList.toggle("first", grouped && index > 0 && row.dataset.family !== rows[index - 1].dataset.family);
      });
      body.prepend(...rows);
    }
  }
  views.set("matrix", orderMatrix);

  const THEMES = [["", "◐", "as the system"], ["light", "☀", "light"], ["dark", "☾", "dark"]];
  function labelTheme() {
    const [, sign, words] = THEMES.find(([name]) => name === (root.dataset.theme || ""));
    const button = document.getElementById("theme");
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
    for (const section of document.querySelectorAll(".view")) section.removeAttribute("id");
    // On a phone one group of values fills the screen; the others wait.
    if (innerWidth < 760) for (const group of [...document.querySelectorAll("#newest .group")].slice(1)) group.open = false;
    labelTheme();
    document.getElementById("theme").addEventListener("click", nextTheme);
    document.addEventListener("change", onChoice);
    document.addEventListener("input", (event) => { if (event.target.type === "search") onChoice(event); });
    document.addEventListener("submit", (event) => event.preventDefault());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", enter);
    addEventListener("hashchange", enter);
    enter();
  });

  return { put, load, script, el, breakable, remember, state, views };
})();
