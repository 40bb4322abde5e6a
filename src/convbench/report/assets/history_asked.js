// What the address asks the view History for: menus, lines, range, points; and how it is written back.
"use strict";
CB.history.asked = (() => {
  const { data, thin } = CB.history;
  const ALONG = { commits: "", dates: "dates", blas: "blas" };
  /** @type {[HistoryValues, string][]} */
  const VALUES = [["", "as measured"], ["relative", "relative to the first"], ["rate", "GFLOP/s (effective)"]];
  const SCALES = [["", "zoomed"], ["zero", "from zero"], ["log", "logarithmic"]];
  /** State that is not in a menu. */
  const KEPT = ["from", "to", "run", "line", "of", "run2", "line2", "of2", "samples"];

  /** @param {HTMLElement} form @param {HistoryChoice[]} choices */
  function fill(form, choices) {
    // The menu that is in use stays so.
    const used = form.contains(document.activeElement) && document.activeElement instanceof HTMLElement ? document.activeElement.dataset.state : "";
    form.replaceChildren(...choices.map(({ key, label, values, value, names }) => {
      const options = values.map((one) => {
        const option = CB.el("option", { value: one }, names?.get(one) ?? one);
        option.selected = one === value;
        return option;
      });
      return CB.el("label", {}, CB.el("span", {}, label), CB.el("select", { "data-state": key }, ...options));
    }));
    if (used) for (const select of form.querySelectorAll("select")) if (select.dataset.state === used) select.focus();
  }

  /** @param {string} key @param {string} label @param {(readonly [string, string])[]} options @param {string | null} wanted @returns {HistoryChoice} */
  function menu(key, label, options, wanted) {
    const value = options.some(([one]) => one === wanted) ? wanted ?? "" : options[0][0];
    return { key, label, values: options.map(([one]) => one), value, names: new Map(options) };
  }

  // Every commit's time in milliseconds.
  /** @returns {Promise<number[]>} */
  async function commitTimes() {
    /** @type {number[]} */
    const steps = await CB.load("times");
    let minute = 0;
    return steps.map((step) => { minute += step; return minute * 60_000; });
  }

  /** @param {Meta} meta @param {number} index @returns {Promise<{ unit: string, lines: HistoryLine[] }>} */
  async function loadSeries(meta, index) {
    const [, file, at] = meta.series[index];
    /** @type {StoredSeries} */
    const { unit, lines } = (await CB.load(`h/${file}`))[at];
    const flops = data.flopsOf(meta, index);
    return { unit, lines: lines.map(data.read).map((line, i) => ({ ...line, commits: line.x, label: "", colour: 0, dash: "solid", dodge: 0, from: { file, at, line: i }, flops })) };
  }

  // The machine, and over each other the build, that the address asks for; else those shown first.
  /** @param {Meta} meta @param {URLSearchParams} query @param {HistoryLine[]} lines @param {number} index @param {boolean} overlaid @param {HistoryChoice[]} choices */
  function place(meta, query, lines, index, overlaid, choices) {
    const machines = [...new Set(lines.map((line) => line.machine))];
    const asked = query.get("machine") || meta.machine || (overlaid ? machines[0] : "all");
    const machine = machines.includes(asked) || (asked === "all" && !overlaid) ? asked : machines[0];
    const offered = overlaid ? machines : ["all", ...machines];
    if (machines.length > 1) choices.push({ key: "machine", label: "Machine", values: offered, value: machine, names: new Map([["all", "all machines"]]) });
    let kept = lines.filter((line) => machine === "all" || line.machine === machine);
    if (overlaid) {
      const names = meta.lines.filter((name) => kept.some((line) => line.name === name));
      // Without a wish one that measured the series that was chosen, and most of the others.
      const [, file, at] = meta.series[index];
      const count = (/** @type {string} */ name) => kept.filter((line) => line.name === name && line.y.some((value) => value !== null))
        .reduce((sum, { from }) => sum + (from.file === file && from.at === at ? 1000 : 1), 0);
      const name = names.find((one) => one === query.get("blas")) ?? names.reduce((best, one) => (count(one) > count(best) ? one : best), names[0]);
      if (names.length > 1) choices.push({ key: "blas", label: meta.versions.length ? "BLAS" : "Environment", values: names, value: name });
      kept = kept.filter((line) => line.name === name);
    }
    const builds = overlaid && meta.lines.length > 1 ? [kept[0]?.name, kept[0]?.identity].filter((word, i, all) => word && all.indexOf(word) === i) : [];
    const only = machine !== "all" ? machine : machines.length > 1 ? "" : machines[0];
    return { kept, where: [only, ...builds].filter(Boolean).join(" · ") };
  }

  // What the address names by hash, as positions; what it names wrongly is left out.
  /** @param {Meta} meta @param {URLSearchParams} query @param {number[]} positions @returns {HistoryRange} */
  function rangeOf(meta, query, positions) {
    /** @param {string} key @param {number} otherwise */
    const find = (key, otherwise) => {
      const hash = query.get(key);
      return (hash ? positions.find((x) => meta.commits[x][0].startsWith(hash)) : undefined) ?? otherwise;
    };
    if (!positions.length) return null;
    const ends = /** @type {[number, number]} */ ([positions[0], positions[positions.length - 1]]);
    const [first, last] = [find("from", ends[0]), find("to", ends[1])].sort((a, b) => a - b);
    return first === ends[0] && last === ends[1] ? null : [first, last];
  }

  // The point that the link names; none where it names none, or one that is not here.
  /** @param {Meta} meta @param {HistoryLine[]} lines @param {URLSearchParams} query @param {string} suffix @returns {HistoryPoint | null} */
  function named(meta, lines, query, suffix) {
    const label = query.get(`line${suffix}`);
    const hash = query.get(`of${suffix}`) || "";
    for (const [n, line] of lines.entries()) {
      const i = line.label !== label ? -1 : line.y.findIndex((value, at) => value !== null
        && data.runOf(meta, line, at)[0] === (query.get(`run${suffix}`) || "") && meta.commits[line.commits[at]][0].startsWith(hash));
      if (i >= 0) return [n, i];
    }
    return null;
  }

  // Else the newest value of the first line that is drawn.
  /** @param {HistoryShown} shown @returns {HistoryPoint | null} */
  function newest({ lines, hidden, range, along }) {
    for (const [n, line] of lines.entries()) {
      if (hidden.has(line.label)) continue;
      for (let i = line.y.length - 1; i >= 0; i -= 1) if (line.y[i] !== null && (along === "blas" || thin.within(range, line.commits[i]))) return [n, i];
    }
    return null;
  }

  /** @param {Meta} meta @param {URLSearchParams} query */
  async function gather(meta, query) {
    const { choices, index } = data.choose(meta, query);
    const overlays = data.overlays(meta, index);
    const overlay = overlays.find(({ key }) => key === query.get("by"));
    const members = overlay ? await data.fastest(meta, overlay.members, index) : [index];
    const [loaded, dates] = await Promise.all([
      Promise.all(members.map((one) => loadSeries(meta, one))), query.get("along") === "dates" && meta.dated ? commitTimes() : null,
    ]);
    return { choices, index, overlays, overlay, members, loaded, dates };
  }

  /** @param {Meta} meta @param {URLSearchParams} query @param {Awaited<ReturnType<typeof gather>>} found */
  function arrange(meta, query, { choices, index, overlays, overlay, members, loaded, dates }) {
    const every = loaded.flatMap(({ lines }) => lines);
    const { kept, where } = place(meta, query, every, index, Boolean(overlay), choices);
    if (overlays.length) {
      const usual = meta.versions.length ? "BLAS build" : meta.machines.length > 1 && meta.lines.length === 1 ? "machine" : "environment";
      choices.push(menu("by", "Lines by", [["", usual], ...overlays.map(({ key, label }) => /** @type {[string, string]} */ ([key, label.toLowerCase()]))], query.get("by")));
    }
    const families = overlay ? [] : data.families(kept);
    const several = families.some((members) => data.versions(meta, members).length > 1);
    const ways = [["", "commits"], ...(meta.dated ? [["dates", "dates"]] : []), ...(several ? [["blas", "BLAS versions"]] : [])];
    const along = menu("along", "Along", /** @type {[string, string][]} */ (ways), query.get("along"));
    if (ways.length > 1) choices.push(along);
    let wanted = null;
    if (along.value === ALONG.blas) {
      const commits = data.sharedCommits(families).map((x) => /** @type {[string, string]} */ ([meta.commits[x][0].slice(0, 8), `${meta.commits[x][0].slice(0, 8)} ${meta.commits[x][1]}`]));
      if (commits.length) {
        const at = menu("at", "At commit", [["", "newest of each version"], ...commits], query.get("at"));
        choices.push(at);
        if (at.value) wanted = meta.commits.findIndex(([one]) => one.startsWith(at.value));
      }
    }
    const rated = kept.length > 0 && kept.every((line) => line.flops);
    const values = menu("values", "Values", VALUES.filter(([name]) => name !== "rate" || rated), query.get("values"));
    const scale = menu("scale", "Axis", /** @type {[string, string][]} */ (SCALES), query.get("scale"));
    choices.push(values, scale);
    const sets = overlay ? data.overlaid(meta, members.map((one, at) => ({ index: one, lines: loaded[at].lines.filter((line) => kept.includes(line)) })), overlay.at)
      : data.labelled(meta, along.value === ALONG.blas ? data.byVersion(meta, families, wanted) : kept);
    /** @param {number} position */
    const xOf = (position) => (along.value === ALONG.dates && dates ? dates[position] : position);
    const placed = along.value === ALONG.dates ? sets.map((line) => ({ ...line, x: line.commits.map(xOf) })) : sets;
    const kind = /** @type {HistoryValues} */ (values.value);
    const rawUnit = loaded[0].unit;
    const positions = [...new Set(placed.flatMap((line) => line.commits))].sort((a, b) => a - b);
    const labels = new Set(placed.map((line) => line.label));
    /** @type {HistoryShown} */
    const shown = {
      lines: data.valued(placed, kind), hidden: new Set(query.getAll("hidden").filter((one) => labels.has(one))),
      unit: kind === "relative" ? "×" : kind === "rate" ? "flop/s" : rawUnit, rawUnit, values: kind, scale: scale.value, along: along.value,
      range: along.value === ALONG.blas ? null : rangeOf(meta, query, positions), positions, xOf, overlaid: Boolean(overlay), index,
    };
    return { shown, where };
  }

  // The address says everything that is shown.
  /** @param {HistoryChoice[]} choices @param {URLSearchParams} query @param {HistoryShown} shown */
  function remember(choices, query, shown) {
    const state = new URLSearchParams(choices.filter(({ value }) => value).map(({ key, value }) => [key, value]));
    for (const key of KEPT) { const value = query.get(key); if (value) state.set(key, value); }
    if (!shown.range) for (const key of ["from", "to"]) state.delete(key);
    for (const one of shown.hidden) state.append("hidden", one);
    CB.remember("history", state);
  }

  return { fill, gather, arrange, remember, named, newest };
})();
