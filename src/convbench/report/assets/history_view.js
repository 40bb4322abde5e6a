// The view History: loads, draws, says; and what readers do with it.
"use strict";
(() => {
  const { asked, data, plot, words, table, point, brush, samples } = CB.history;
  let drawing = 0; // only the newest of overlapping drawings may finish
  // What stands in the plot.
  /** @type {{ meta: Meta, shown: HistoryShown, built: HistoryFigure, points: HistoryPoint[] } | null} */
  let drawn = null;
  let awaitsSecond = false; // whether the next point chosen is the second one

  /** @param {string} id */
  const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(`history-${id}`));
  const target = () => /** @type {PlotlyElement} */ (byId("plot"));

  // Changes the address by hand of the reader, and draws again.
  /** @param {(query: URLSearchParams) => void} change */
  function ask(change) {
    const { view, query } = CB.state();
    if (view !== "history") return; // the strip waits a moment, in which a reader may leave
    change(query);
    CB.remember(view, query);
    CB.enter();
  }

  /** @param {HistoryRange} range */
  const askRange = (range) => ask((query) => {
    const meta = drawn?.meta;
    for (const [at, key] of ["from", "to"].entries()) {
      if (range && meta) query.set(key, meta.commits[range[at]][0].slice(0, 8)); else query.delete(key);
    }
  });

  function drawPoints() {
    if (!drawn?.points.length) { point.hide(); return; }
    const { meta, shown, built, points } = drawn;
    point.show(meta, shown, points);
    const { data: traces } = target();
    if (!traces) return;
    const marks = plot.cursors(shown, built, points);
    const pick = (/** @type {string} */ key) => marks.map((trace) => trace[key] ?? []);
    // New coordinates make Plotly guess the axes again, unless it is told.
    const { xaxis, yaxis } = built.figure;
    const kinds = { "xaxis.type": xaxis.type ?? "linear", "xaxis.range": xaxis.range, "yaxis.type": yaxis.type, "yaxis.range": yaxis.range };
    Plotly.update(target(), { x: pick("x"), y: pick("y"), text: pick("text"), mode: marks.map((trace) => trace.mode) }, kinds, [traces.length - 2, traces.length - 1]);
  }

  /** @param {HistoryPoint} at @param {boolean} second */
  function choosePoint(at, second) {
    if (!drawn || drawn.shown.lines[at[0]].y[at[1]] === null) return;
    const { meta, shown, points } = drawn;
    const suffix = second && points.length ? "2" : "";
    drawn.points = suffix ? [points[0], at] : [at, ...points.slice(1)];
    awaitsSecond = false;
    byId("second").setAttribute("aria-pressed", "false");
    const { query } = CB.state();
    const line = shown.lines[at[0]];
    query.set(`run${suffix}`, data.runOf(meta, line, at[1])[0]);
    query.set(`line${suffix}`, line.label);
    query.set(`of${suffix}`, meta.commits[line.commits[at[1]]][0].slice(0, 8));
    // What is compared with must be in the link as well, also where nobody chose it.
    if (suffix && !query.has("line")) {
      const [n, i] = points[0];
      query.set("run", data.runOf(meta, shown.lines[n], i)[0]);
      query.set("line", shown.lines[n].label);
      query.set("of", meta.commits[shown.lines[n].commits[i]][0].slice(0, 8));
    }
    CB.remember("history", query);
    drawPoints();
  }

  function forgetSecond() {
    if (!drawn || drawn.points.length < 2) return;
    drawn.points = drawn.points.slice(0, 1);
    const { query } = CB.state();
    for (const key of ["run2", "line2", "of2"]) query.delete(key);
    CB.remember("history", query);
    drawPoints();
  }

  /** @param {string} label @param {boolean} alone */
  function toggle(label, alone) {
    if (!drawn) return;
    const labels = drawn.shown.lines.map((line) => line.label);
    const { hidden } = drawn.shown;
    const others = labels.filter((one) => one !== label);
    const isAlone = !hidden.has(label) && others.every((one) => hidden.has(one));
    const next = alone ? new Set(isAlone ? [] : others) : new Set(labels.filter((one) => hidden.has(one) !== (one === label)));
    drawn.shown.hidden = next; // at once, for the second click of two
    ask((query) => {
      query.delete("hidden");
      for (const one of next) query.append("hidden", one);
    });
  }

  // Zooming in the plot is choosing a range.
  /** @param {Record<string, any>} change */
  function zoomed(change) {
    if (!drawn) return;
    if (change["xaxis.autorange"]) { askRange(null); return; }
    const ends = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    if (ends.some((end) => end === undefined)) return;
    const { shown } = drawn;
    // Plotly writes dates as UTC without saying so.
    const [left, right] = ends.map((end) => (typeof end === "string" ? Date.parse(`${end.replace(" ", "T")}${end.includes(":") ? "Z" : ""}`) : end));
    const inside = shown.positions.filter((position) => left <= shown.xOf(position) && shown.xOf(position) <= right);
    askRange(inside.length ? [inside[0], inside[inside.length - 1]] : shown.range);
  }

  // Before Plotly is there a sketch of what it will draw, or the picture that stands in the document.
  /** @param {HistoryFigure} built */
  async function sketch(built) {
    const chart = target().closest(".chart");
    if (!chart || chart.classList.contains("drawn")) return;
    chart.classList.remove("waiting");
    await CB.sketch(byId("still"), built.traces, built.figure);
  }

  /** @param {URLSearchParams} query */
  async function enter(query) {
    const turn = (drawing += 1);
    const meta = await CB.load("meta");
    const wanted = data.choose(meta, query).index;
    const isFirst = wanted === meta.first && (query.get("machine") || meta.machine || "all") === (meta.machine || "all") && !["along", "by", "values", "scale", "from", "to", "hidden"].some((key) => query.get(key));
    const chart = target().closest(".chart");
    if (!isFirst) chart?.classList.add("waiting");
    const found = await asked.gather(meta, query);
    if (turn !== drawing) return;
    const { shown, where } = asked.arrange(meta, query, found);
    asked.fill(byId("choices"), found.choices);
    asked.remember(found.choices, query, shown);
    samples.open(query.has("samples"));
    const { title, detail } = words.titles(meta, found.index, found.overlay);
    const built = plot.build(meta, shown, target().clientWidth || 1000);
    const extra = [
      ...(found.overlay && found.overlay.members.length > found.members.length
        ? [`${found.members.length} of ${found.overlay.members.length} are shown, the fastest by their newest values; ${found.overlay.label.toLowerCase()} adds another one`] : []),
      ...(built.thinned ? [`each ${built.thinned} commits are drawn as their least, middle and greatest value; a range of commits shows all`] : []),
    ];
    words.say(meta, shown, { title, detail: [detail, where].filter(Boolean).join(" · ") }, extra);
    const first = asked.named(meta, shown.lines, query, "") || asked.newest(shown);
    const second = first && asked.named(meta, shown.lines, query, "2");
    const points = first ? [first, ...(second ? [second] : [])] : [];
    drawn = { meta, shown, built, points };
    // The picture comes first, then what stands below it.
    if (!isFirst) await sketch(built);
    if (turn !== drawing) return;
    table.fill(meta, shown);
    brush.show(meta, shown, askRange);
    if (first) point.show(meta, shown, drawn.points); else point.hide();
    await CB.plot.draw(target(), [...built.traces, ...plot.cursors(shown, built, points)], built.figure);
    if (turn !== drawing) return;
    if (drawn.points !== points) drawPoints(); // others were chosen before the plot was there
    const box = target();
    for (const name of ["plotly_click", "plotly_relayout", "plotly_doubleclick"]) box.removeAllListeners(name);
    box.on("plotly_click", (event) => {
      const at = event.points.map(({ customdata }) => customdata).find(Boolean);
      if (at) choosePoint(at, awaitsSecond || event.event.shiftKey);
    });
    box.on("plotly_relayout", zoomed);
    box.on("plotly_doubleclick", () => { if (drawn?.shown.range) askRange(null); });
  }

  const section = document.querySelector(".view[data-view=history]");
  if (section instanceof HTMLElement) {
    section.addEventListener("click", (event) => {
      if (!(event.target instanceof Element) || !(event instanceof MouseEvent)) return;
      const pick = event.target.closest(".pick");
      if (pick instanceof HTMLElement) choosePoint([Number(pick.dataset.line), Number(pick.dataset.index)], awaitsSecond || event.shiftKey);
      const series = event.target.closest(".series");
      if (series instanceof HTMLElement) toggle(series.dataset.label ?? "", event.shiftKey);
    });
    section.addEventListener("dblclick", (event) => {
      const series = event.target instanceof Element && event.target.closest(".series");
      if (series instanceof HTMLElement) toggle(series.dataset.label ?? "", true);
    });
    // Whoever takes the table away as CSV takes all of it.
    section.addEventListener("click", (event) => { if (event.target instanceof Element && event.target.closest(".csv button")) table.all(); }, true);
    byId("more").addEventListener("click", table.all);
    byId("second").addEventListener("click", () => {
      awaitsSecond = !awaitsSecond;
      byId("second").setAttribute("aria-pressed", String(awaitsSecond));
    });
    byId("pair-forget").addEventListener("click", forgetSecond);
    section.addEventListener("keydown", (event) => { if (event.key === "Escape") forgetSecond(); });
  }
  CB.views.set("history", enter);
})();
