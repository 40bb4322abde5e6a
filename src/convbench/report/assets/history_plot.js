// The plot of the view History: traces, axes, marks of changes, tags, and the two points chosen.
"use strict";
CB.history.plot = (() => {
  const { readable } = CB;
  const { axes, data, thin } = CB.history;
  const MOST_BARS = 5;
  const MOST_POINTS = 2000; // of all lines together; beyond, buckets
  const LEAST_POINTS = 450; // of each line, however many there are

  /** @param {HistoryLine} line */
  const banded = (line) => line.x.map((_, i) => i).filter((i) => line.y[i] !== null && (line.low?.[i] ?? null) !== null && (line.high?.[i] ?? null) !== null);
  /** @param {HistoryLine} line */
  const isBarred = (line) => { const { length } = banded(line); return length > 0 && length <= MOST_BARS; };
  /** @param {number} value @param {[number, number]} limits */
  const clamped = (value, limits) => Math.max(Math.min(value, limits[1]), limits[0]);

  /** @param {Meta} meta @param {HistoryShown} shown @param {HistoryLine} line @param {number} i */
  function hover(meta, { unit, rawUnit }, line, i) {
    const { esc } = CB.plot;
    const [hash, date, subject] = meta.commits[line.commits[i]];
    const [, why] = data.runOf(meta, line, i);
    const drawn = line.y[i];
    const measured = line.raw?.y[i] ?? null;
    const value = drawn === null ? "" : `<b>${esc(readable.quantity(drawn, unit))}</b>${esc(CB.history.words.interval(line, i, unit))}`;
    const raw = measured === null ? "" : `<br>${esc(readable.quantity(measured, rawUnit))}`;
    const version = line.versions ? `, ${esc(line.versions[i])}` : "";
    return `${value}${raw}<br>${esc(line.label)}${version}${why ? `<br>⚠ disturbed: ${esc(why)}` : ""}<br>${esc(hash.slice(0, 8))} ${esc(date)}${subject ? `<br>${esc(subject.slice(0, 70))}` : ""}`;
  }

  /** @param {Meta} meta @param {HistoryShown} shown @param {number} n @param {number} size @param {[number, number]} limits @param {number} most */
  function lineTraces(meta, shown, n, size, limits, most) {
    const line = shown.lines[n];
    const shade = CB.plot.colour(`c${line.colour}`);
    const indices = thin.indices(line, shown.range, most);
    /** @type {PlotlyTrace[]} */
    const traces = [];
    const whole = banded(line);
    // With few commits an area would suggest a trend: each has a bar, side by side with the others'.
    const barred = isBarred(line);
    const has = new Set(whole);
    const band = indices.filter((i) => has.has(i));
    /** @param {"y" | "low" | "high"} key @param {number} i */
    const at = (key, i) => (line[key]?.[i] ?? NaN) / size;
    /** @param {number} i */
    const xAt = (i) => line.x[i] + (barred && shown.along !== "dates" ? line.dodge : 0);
    if (whole.length > MOST_BARS) {
      const back = [...band].reverse();
      traces.push({
        type: "scatter", mode: "lines", x: [...band, ...back].map((i) => line.x[i]), y: [...band.map((i) => at("high", i)), ...back.map((i) => at("low", i))],
        fill: "toself", fillcolor: `${shade}28`, line: { width: 0 }, hoverinfo: "skip",
      });
    }
    const text = new Map(indices.map((i) => [i, hover(meta, shown, line, i)]));
    const few = indices.filter((i) => line.y[i] !== null).length <= 60;
    const bars = (/** @type {"low" | "high"} */ key) => indices.map((i) => (has.has(i) ? Math.abs(at(key, i) - at("y", i)) : 0));
    const bar = barred ? {
      error_y: { type: "data", symmetric: false, color: shade, thickness: 1.5, width: 5, array: bars("high"), arrayminus: bars("low") },
    } : {};
    traces.push({
      type: "scatter", mode: few ? "lines+markers" : "lines", x: indices.map(xAt), y: indices.map((i) => (line.y[i] === null ? null : at("y", i))),
      line: { color: shade, width: 1.8, dash: line.dash }, marker: { color: shade, size: indices.length > 20 ? 5 : 8 },
      hoverinfo: "text", hovertext: indices.map((i) => text.get(i)), customdata: indices.map((i) => [n, i]), connectgaps: true, ...bar,
    });
    const spoilt = indices.filter((i) => data.isSpoilt(meta, line, i));
    if (spoilt.length) traces.push({
      type: "scatter", mode: "markers", x: spoilt.map(xAt), y: spoilt.map((i) => clamped(at("y", i), [limits[0] / size, limits[1] / size])),
      marker: { symbol: "circle-open", size: 16, color: CB.plot.colour("worse"), line: { width: 1.6 } }, hoverinfo: "skip", cliponaxis: false,
    });
    /** @param {number} position @param {string} symbol @param {number[]} those @param {(i: number) => string | undefined} words */
    const edge = (position, symbol, those, words) => those.length && traces.push({
      type: "scatter", mode: "markers", x: those.map((i) => line.x[i]), y: those.map(() => position / size),
      marker: { symbol, size: 9, color: shade }, hoverinfo: "text", hovertext: those.map(words), customdata: those.map((i) => [n, i]), cliponaxis: false,
    });
    const inside = indices.filter((i) => thin.within(shown.range, line.commits[i]));
    edge(limits[1], "triangle-up", inside.filter((i) => (line.y[i] ?? -Infinity) > limits[1]), (i) => text.get(i));
    edge(limits[0], "triangle-down", inside.filter((i) => (line.y[i] ?? Infinity) < limits[0]), (i) => text.get(i));
    const failed = new Set((line.bad || []).filter(([, status]) => status === "failed").map(([i]) => i));
    edge(limits[0], "x-thin-open", inside.filter((i) => failed.has(i)), (i) => `<b>failed</b>${text.get(i)}`);
    return traces;
  }

  /** @param {Meta} meta @param {HistoryShown} shown @param {number} width @returns {HistoryFigure} */
  function build(meta, shown, width) {
    const narrow = axes.isNarrow();
    const figure = CB.plot.layout(narrow ? 340 : 420);
    figure.shapes = [];
    figure.annotations = [];
    const lines = shown.lines.filter((line) => !shown.hidden.has(line.label));
    const limits = axes.limits(shown, lines);
    const values = lines.flatMap((line) => line.y).flatMap((value) => (value === null ? [] : [value]));
    const [name, size] = shown.values === "relative" ? ["×", 1] : readable.scale(values.length ? data.median(values) : 1, shown.unit);
    const log = shown.scale === "log";
    Object.assign(figure.yaxis, {
      visible: values.length > 0, fixedrange: true, type: log ? "log" : "linear",
      ...(log && limits[1] / limits[0] > 5 ? { dtick: limits[1] / limits[0] > 1e3 ? 1 : "D2" } : {}),
      range: limits.map((value) => (log ? Math.log10(value / size) : value / size)),
    });
    Object.assign(figure.xaxis, { tickangle: 0 }, axes.across(meta, shown, lines));
    if (shown.overlaid && !narrow) axes.ends(shown, lines, limits, figure);
    const [left, right] = /** @type {[number, number]} */ (figure.xaxis.range);
    const pixels = (width - figure.margin.l - figure.margin.r) / (right - left);
    axes.marks(shown, lines, figure, pixels);
    axes.tags(meta, shown, figure, pixels);
    if (values.length) figure.annotations.push({
      xref: "paper", yref: "paper", x: 0, y: 1, xanchor: "left", yanchor: "bottom", yshift: shown.values && figure.annotations.length ? 18 : 2, xshift: -44, showarrow: false,
      text: CB.plot.esc(axes.title(shown, name)), font: { color: CB.plot.colour("muted"), size: 13 },
    });
    else figure.annotations.push({ xref: "paper", yref: "paper", x: 0.5, y: 0.5, showarrow: false, text: lines.length ? "no values" : "all lines are hidden", font: { color: CB.plot.colour("muted"), size: 15 } });
    const most = Math.max(LEAST_POINTS, Math.floor(MOST_POINTS / Math.max(lines.length, 1)));
    const traces = shown.lines.flatMap((line, n) => (shown.hidden.has(line.label) ? [] : lineTraces(meta, shown, n, size, limits, most)));
    const longest = lines.reduce((a, line) => Math.max(a, line.commits.filter((position) => thin.within(shown.range, position)).length), 0);
    return { size, limits, traces, figure, thinned: longest > most ? Math.ceil(longest / Math.floor(most / 3)) : 0 };
  }

  // The points chosen: a ring each, and with two of them a line from top to bottom and its letter.
  /** @param {HistoryShown} shown @param {HistoryFigure} built @param {HistoryPoint[]} points @returns {[PlotlyTrace, PlotlyTrace]} */
  function cursors(shown, { size, limits }, points) {
    const ink = CB.plot.colour("ink");
    const those = points.map(([n, i], at) => ({ line: shown.lines[n], i, letter: "AB"[at] }))
      .filter(({ line, i }) => !shown.hidden.has(line.label) && (shown.along === "blas" || thin.within(shown.range, line.commits[i])));
    const x = those.map(({ line, i }) => line.x[i] + (isBarred(line) && shown.along !== "dates" ? line.dodge : 0));
    const pair = points.length > 1;
    return [
      {
        type: "scatter", mode: "lines", hoverinfo: "skip", line: { color: CB.plot.colour("muted"), width: 1, dash: "dot" },
        x: pair ? x.flatMap((one) => [one, one, null]) : [], y: pair ? x.flatMap(() => [limits[0] / size, limits[1] / size, null]) : [],
      },
      {
        type: "scatter", mode: pair ? "markers+text" : "markers", x, y: those.map(({ line, i }) => clamped(line.y[i] ?? 0, limits) / size),
        text: pair ? those.map(({ letter }) => letter) : [], textposition: "top right", textfont: { color: ink, size: 14 },
        marker: { symbol: "circle-open", size: 13, color: ink, line: { width: 2 } }, hoverinfo: "skip", cliponaxis: false,
      },
    ];
  }

  return { build, cursors };
})();
