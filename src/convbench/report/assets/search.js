// Search over everything, and the link to what is shown: both stand in the header of every view.
"use strict";
(() => {
  const { el, one, all } = CB;
  /** @typedef {{ kind: string, text: string, detail: string, href: string, words: string }} Entry */
  const KINDS = ["View", "Event", "Strategy", "Problem", "Benchmark", "Commit", "History"];
  const MOST = 5; // of a kind

  /** @type {Promise<Entry[]> | null} */
  let reading = null;
  let typed = 0; // only the newest of overlapping searches may be shown

  /** @param {string} kind @param {string} text @param {string} detail @param {string} href @param {string} also @returns {Entry} */
  const entry = (kind, text, detail, href, also = "") => ({ kind, text, detail, href, words: `${text} ${detail} ${also}`.toLowerCase() });

  /** @param {string} view @param {Record<string, string>} choices */
  const address = (view, choices) => `#/${view}?${new URLSearchParams(choices)}`;

  /** @param {string} view */
  const has = (view) => Boolean(document.querySelector(`.view[data-view="${view}"]`));

  /** @param {Element | null | undefined} element */
  const wordsOf = (element) => (element?.textContent || "").replace(/\s+/g, " ").trim();

  // What stands in the document already, and the rows of older events.
  /** @returns {Promise<Entry[]>} */
  async function inDocument() {
    const older = document.createElement("template");
    // Written by the same template as the document, with every name escaped; and a template's content does nothing.
    if (document.querySelector("#events[data-later]")) older.innerHTML = await CB.load("changes");
    const views = all(document, "nav a").map((link) => {
      const name = wordsOf(link.querySelector(".long")) && !link.querySelector(".short") ? wordsOf(link) : wordsOf(link.querySelector(".long") || link);
      return entry("View", name, "", link.getAttribute("href") || "");
    });
    const events = [...all(document, "#events tr[data-event]"), ...all(older.content, "tr[data-event]")].map((row) => {
      const { event = "" } = row.dataset;
      const parts = ["strong", ".name"].map((selector) => wordsOf(row.querySelector(selector)));
      const commit = row.querySelector("td:nth-child(4)");
      return entry("Event", parts.join(" "), [wordsOf(commit?.querySelector("code")), wordsOf(commit?.querySelector(".subject")), event].filter(Boolean).join(" · "), address("event", { id: event }));
    });
    return [...views, ...events];
  }

  /** @param {Meta} meta @returns {Entry[]} */
  function inMeta(meta) {
    const entries = [];
    if (has("history")) {
      for (const [name, kind] of [["strategy", "Strategy"], ["problem", "Problem"]]) {
        const at = meta.parameters.findIndex(([one]) => one === name);
        const values = new Set(at < 0 ? [] : meta.series.map(([, , , values]) => values[at]));
        for (const value of values) if (value !== null) entries.push(entry(kind, value, "", address("history", { [meta.parameters[at][1]]: value })));
      }
      for (const [name, unit] of meta.measures) entries.push(entry("Benchmark", name, unit, address("history", { measure: name })));
      for (const [measure, , , values] of meta.series) {
        const named = meta.parameters.flatMap(([name, key], at) => { const value = values[at]; return value === null ? [] : [{ name, key, value }]; });
        if (!named.length) continue; // the benchmark itself, which is named already
        const [benchmark] = meta.measures[measure];
        const choices = Object.fromEntries(named.map(({ key, value }) => [key, value]));
        entries.push(entry("History", named.map(({ name, value }) => (/^(strategy|problem|dtype)$/.test(name) ? value : `${name}=${value}`)).join(", "), benchmark, address("history", { measure: benchmark, ...choices })));
      }
    }
    if (has("compare")) {
      meta.commits.forEach(([hash, date, subject], at) => {
        const [before] = meta.commits[at - 1] || [];
        if (before) entries.push(entry("Commit", hash.slice(0, 8), [date, subject].filter(Boolean).join(" · "), address("compare", { base: before.slice(0, 8), head: hash.slice(0, 8) }), hash));
      });
    }
    return entries;
  }

  // Read when first searched: thousands of histories are of no use to a reader who does not search.
  const entries = () => (reading ??= Promise.all([inDocument(), CB.load("meta").then(inMeta, () => [])]).then((parts) => parts.flat()));

  // Those with all words, per kind; names that begin with the text come first.
  /** @param {Entry[]} known @param {string} text */
  function find(known, text) {
    const wanted = text.toLowerCase();
    const words = wanted.split(/\s+/).filter(Boolean);
    const found = known.filter((one) => (words.length ? words.every((word) => one.words.includes(word)) : one.kind === "View"));
    /** @param {Entry} one */
    const rank = (one) => (one.text.toLowerCase() === wanted ? 0 : one.text.toLowerCase().startsWith(wanted) ? 1 : 2);
    const groups = KINDS.map((kind) => ({ kind, all: found.filter((one) => one.kind === kind).sort((a, b) => rank(a) - rank(b)) }));
    return { groups: groups.filter(({ all }) => all.length), count: found.length };
  }

  addEventListener("DOMContentLoaded", () => {
    /** @type {HTMLInputElement} */
    const box = one(document, "#search");
    const list = one(document, "#search-found");
    const status = one(document, "#search-count");
    const options = () => all(list, "[role=option]");

    /** @param {number} at */
    function activate(at) {
      const shown = options();
      const chosen = shown[(at + shown.length) % shown.length];
      for (const option of shown) option.setAttribute("aria-selected", String(option === chosen));
      if (chosen) box.setAttribute("aria-activedescendant", chosen.id); else box.removeAttribute("aria-activedescendant");
      chosen?.scrollIntoView({ block: "nearest" });
    }

    function close() {
      typed += 1;
      list.hidden = true;
      status.textContent = "";
      box.setAttribute("aria-expanded", "false");
      box.removeAttribute("aria-activedescendant");
    }

    async function search() {
      const turn = (typed += 1);
      const { groups, count } = find(await entries(), box.value.trim());
      if (turn !== typed) return;
      list.replaceChildren(...groups.map(({ kind, all }, g) => el("div", { role: "group", "aria-labelledby": `search-found-${g}` },
        el("div", { class: "kind", id: `search-found-${g}`, role: "presentation" }, all.length > MOST ? `${kind}: ${MOST} of ${all.length.toLocaleString("en")}` : kind),
        ...all.slice(0, MOST).map((each, i) => el("a", { role: "option", id: `search-found-${g}-${i}`, href: each.href, tabindex: "-1", "aria-selected": "false" },
          el("span", {}, each.text), " ", el("small", {}, each.detail))))));
      list.hidden = !groups.length;
      status.textContent = count ? `${CB.readable.counted(count, "result")}` : "Nothing found";
      box.setAttribute("aria-expanded", String(!list.hidden));
      activate(0);
    }

    box.addEventListener("input", () => { if (box.value.trim()) search(); else close(); });
    box.addEventListener("keydown", (event) => {
      const shown = options();
      const at = shown.findIndex((option) => option.getAttribute("aria-selected") === "true");
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (list.hidden) search(); else activate(at + (event.key === "ArrowDown" ? 1 : -1));
      } else if (event.key === "Enter" && !list.hidden) shown[at]?.click();
      else if (event.key === "Escape") {
        if (list.hidden) box.blur();
        box.value = "";
        close();
      } else return;
      event.preventDefault();
    });
    list.addEventListener("click", () => { box.value = ""; close(); box.blur(); });
    one(document, ".search").addEventListener("focusout", (event) => {
      if (!(event.relatedTarget instanceof Node && list.contains(event.relatedTarget))) close();
    });
    addEventListener("keydown", (event) => {
      const writing = event.target instanceof Element && event.target.closest("input, select, textarea");
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || writing) return;
      event.preventDefault();
      box.focus();
      box.select();
    });

    // The link to what is shown. Where it cannot be copied, as from disk, it is shown and selected.
    const button = one(document, "#copy-link");
    const shown = one(document, "#link");
    button.addEventListener("click", async () => {
      shown.textContent = location.href;
      try {
        await navigator.clipboard.writeText(location.href);
        shown.textContent = "Link copied";
        shown.hidden = false;
      } catch {
        shown.hidden = false;
        getSelection()?.selectAllChildren(shown);
      }
    });
    const hide = () => { shown.hidden = true; };
    button.addEventListener("blur", hide);
    addEventListener("hashchange", hide);
  });
})();
