// The axes of the plot of the view History, and what is marked along them: changes, tags, names.
"use strict";
CB.history.axes = (() => {
  const { readable } = CB;
  const { data, thin } = CB.history;
  const LABEL_GAP = 16;
  const LEVEL = 3; // values that make a level
  const FEW = 12; // values of which none is an outlier, and whose intervals count
  const FARTHEST = 10; // an interval makes room up to this factor of the values

  const isNarrow = () => innerWidth < 760;
  /** @param {number} value @param {[number, number]} limits */
  const clamped = (value, limits) => Math.max(Math.min(value, limits[1]), limits[0]);

  // What many commits share is no outlier: each level between two changes, and the newest values.
  /** @param {HistoryLine} line @param {HistoryRange} range @returns {number[]} */
  function levels(line, range) {
    const cuts = (line.changes || []).map(([x]) => x);
    /** @type {Map<number, number[]>} */
    const parts = new Map();
    line.y.forEach((value, i) => {
      if (value === null || !thin.within(range, line.commits[i])) return;
      const part = cuts.filter((x) => x <= line.commits[i]).length;
      const known = parts.get(part);
      if (known) known.push(value); else parts.set(part, [value]);
    });
    const all = [...parts.values()];
    return [...all.filter((values) => values.length >= LEVEL), ...all.slice(-1).map((values) => values.slice(-LEVEL))].map(data.median);
  }

  // The range of axes.robust_range: few values show their intervals, many not their outliers.
  /** @param {HistoryLine[]} lines @param {HistoryRange} range @returns {[number, number]} */
  function robust(lines, range) {
    /** @param {"y" | "low" | "high"} key */
    const numbers = (key) => lines.flatMap((line) => (line[key] || []).filter((_, i) => thin.within(range, line.commits[i])))
      .flatMap((value) => (value === null ? [] : [value]));
    const values = numbers("y");
    if (!values.length) return [0, 1];
    const few = values.length <= FEW;
    const middle = data.median(values);
    const distance = data.median(values.map((value) => Math.abs(value - middle)));
    const limit = few || distance === 0 ? Infinity : 12 * distance;
    const farthest = FARTHEST * values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || Infinity;
    const ends = (few ? [...numbers("low"), ...numbers("high")] : []).map((end) => clamped(end, [-farthest, farthest]));
    const kept = [...values.filter((value) => Math.abs(value - middle) <= limit), ...lines.flatMap((line) => levels(line, range)), ...ends];
    let low = kept.reduce((a, b) => Math.min(a, b));
    let high = kept.reduce((a, b) => Math.max(a, b));
    const missing = 0.2 * Math.abs(middle) - (high - low);
    if (missing > 0) [low, high] = [low - missing / 2, high + missing / 2];
    if (low === high) [low, high] = [low - 1, high + 1];
    const margin = 0.08 * (high - low);
    return [values.some((value) => value < 0) ? low - margin : Math.max(low - margin, 0), high + margin];
  }

  // Of lines over each other each counts: none is an outlier of the others.
  /** @param {HistoryShown} shown @param {HistoryLine[]} lines @returns {[number, number]} */
  function limits({ scale, range, overlaid }, lines) {
    if (scale === "log") {
      const inside = (/** @type {"y" | "low" | "high"} */ key) => lines.flatMap((line) => (line[key] || []).filter((_, i) => thin.within(range, line.commits[i])))
        .flatMap((value) => (value && value > 0 ? [value] : []));
      const values = inside("y");
      if (!values.length) return [0.1, 1];
      /** @param {number[]} numbers @returns {[number, number]} */
      const extent = (numbers) => [numbers.reduce((a, b) => Math.min(a, b)), numbers.reduce((a, b) => Math.max(a, b))];
      const [least, greatest] = extent(values);
      // As on the other axes few values show their intervals.
      const shown = values.length <= FEW ? [...inside("low"), ...inside("high")] : [];
      const [low, high] = extent([...values, ...shown.map((end) => clamped(end, [least / FARTHEST, greatest * FARTHEST]))]);
      const margin = Math.max((high / low) ** 0.06, 1.08);
      return [low / margin, high * margin];
    }
    const each = overlaid ? lines.filter((line) => line.y.some((value, i) => value !== null && thin.within(range, line.commits[i]))).map((line) => robust([line], range)) : [];
    /** @type {[number, number]} */
    const found = each.length ? [Math.min(...each.map(([low]) => low)), Math.max(...each.map(([, high]) => high))] : robust(lines, range);
    if (scale === "zero") found[0] = Math.min(0, found[0]);
    return found;
  }

  // Words need room: of those that stand close, the first of the list keep theirs.
  /** @param {number} pixels of a step on the axis @param {number} room */
  function roomFor(pixels, room) {
    /** @type {number[]} */
    const taken = [];
    return (/** @type {number} */ x) => {
      if (taken.some((other) => Math.abs(other - x) * pixels < room)) return false;
      taken.push(x);
      return true;
    };
  }

  // Lines that moved at one commit share its mark, which shows the largest change.
  /** @param {HistoryShown} shown @param {HistoryLine[]} lines @param {PlotlyLayout} figure @param {number} pixels */
  function marks({ range, xOf, along }, lines, figure, pixels) {
    if (along === "blas") return;
    /** @type {Map<number, HistoryChange>} */
    const largest = new Map();
    /** @param {HistoryChange} change */
    const size = (change) => Math.max(change[3], 1 / change[3]);
    for (const change of lines.flatMap((line) => line.changes || []).filter(([x]) => thin.within(range, x))) {
      const known = largest.get(change[0]);
      if (!known || size(change) > size(known)) largest.set(change[0], change);
    }
    const hasRoom = roomFor(pixels, 76);
    for (const [position, change] of [...largest].sort((a, b) => size(b[1]) - size(a[1]))) {
      const x = xOf(position);
      const shade = CB.plot.colour(change[4] === "regression" ? "worse" : "better");
      figure.shapes?.push({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line: { color: shade, width: 1.2, dash: "dash" } });
      if (hasRoom(x)) figure.annotations?.push({
        x, yref: "paper", y: 1, yanchor: "bottom", showarrow: false,
        text: `${change[3] > 1 ? "▲" : "▼"} ${readable.percent(change[3])}`, font: { color: shade, size: 13 },
      });
    }
  }

  // A tag stands at the foot of the plot; newer ones keep their words where room is short.
  /** @param {Meta} meta @param {HistoryShown} shown @param {PlotlyLayout} figure @param {number} pixels */
  function tags(meta, { positions, range, xOf, along }, figure, pixels) {
    if (along === "blas" || !meta.tags.length || !positions.length) return;
    const [first, last] = range || [positions[0], positions[positions.length - 1]];
    /** @type {Map<number, string[]>} */
    const named = new Map();
    for (const [position, tag] of meta.tags) {
      if (first <= position && position <= last) named.set(position, [...(named.get(position) || []), tag]);
    }
    const muted = CB.plot.colour("muted");
    const hasRoom = roomFor(pixels, 64);
    for (const [position, names] of [...named].reverse()) {
      const x = xOf(position);
      figure.shapes?.push({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 0.035, line: { color: muted, width: 1.4 } });
      if (hasRoom(x)) figure.annotations?.push({
        x, yref: "paper", y: 0.035, yanchor: "bottom", showarrow: false, font: { color: muted, size: 11 },
        text: CB.plot.esc(names[names.length - 1].slice(0, 12)), hovertext: CB.plot.esc(names.join(", ")),
      });
    }
  }

  /** @param {string} unit */
  const better = (unit) => (/(\/s|\/sec|\/second|per second)$/.test(unit) ? " (higher is better)" : unit === "seconds" ? " (lower is better)" : "");

  /** @param {HistoryShown} shown @param {string} name */
  function title({ values, unit, rawUnit }, name) {
    const narrow = isNarrow();
    if (values === "relative") return narrow ? "× the first" : `× the median of each line's first 20 commits${better(rawUnit)}`;
    if (values === "rate") return narrow ? name : `effective ${name}: direct operations ÷ time (higher is better)`;
    return narrow ? name : name + better(unit);
  }

  // Each word of a version has a line of its own: so they fit side by side, all of them.
  /** @param {HistoryShown} shown @param {HistoryLine[]} lines */
  function versionAxis({ positions }, lines) {
    const versions = new Map(lines.flatMap((line) => (line.versions || []).map((version, i) => /** @type {[number, string]} */ ([line.x[i], version]))));
    const places = [...versions.keys()].sort((a, b) => a - b);
    return {
      range: [(places[0] ?? positions[0] ?? 0) - 0.5, (places[places.length - 1] ?? 0) + 0.5], fixedrange: true, tickvals: places,
      ticktext: places.map((x) => CB.plot.esc(versions.get(x)).split(" ").join("<br>")),
    };
  }

  /** @param {Meta} meta @param {HistoryShown} shown */
  function commitAxis(meta, { positions, range }) {
    const narrow = isNarrow();
    const those = positions.filter((x) => thin.within(range, x));
    const most = narrow ? 3 : 8;
    const step = Math.max(1, Math.ceil(those.length / most));
    const ticks = those.filter((_, i) => i % step === 0);
    const few = those.length <= most;
    // Many labels, or the last one, have no room for number and date in one line.
    const stacked = narrow || those.length > 5;
    // Where a day has no room for its year, months of several years have.
    const years = new Set(ticks.map((x) => meta.commits[x][1].slice(0, 4))).size > 1;
    const first = those[0] ?? 0;
    const last = those[those.length - 1] ?? 0;
    const margin = those.length > 1 ? (last - first) * (narrow && few ? 0.16 : 0.03) + 0.12 : 1;
    return {
      range: [first - margin, last + margin], tickvals: ticks,
      ticktext: ticks.map((x, i) => {
        const [hash, day] = meta.commits[x];
        // Of many commits of one day only the first is named by it.
        const date = few || i === 0 || meta.commits[ticks[i - 1]][1] !== day ? day : "";
        return CB.plot.esc(few ? `${hash.slice(0, 8)}${stacked ? "\n" : " "}${date}` : (!narrow ? date : years ? date.slice(0, 7) : date.slice(5)) || hash.slice(0, 8)).replace("\n", "<br>");
      }),
    };
  }

  /** @param {HistoryShown} shown */
  function dateAxis({ positions, range, xOf }) {
    const times = positions.filter((position) => thin.within(range, position)).map(xOf);
    const [first, last] = [times.reduce((a, b) => Math.min(a, b), Infinity), times.reduce((a, b) => Math.max(a, b), -Infinity)];
    const margin = (last - first) * 0.03 || 43_200_000;
    return { type: "date", range: [first - margin, last + margin], hoverformat: "%Y-%m-%d" };
  }

  /** @param {Meta} meta @param {HistoryShown} shown @param {HistoryLine[]} lines */
  const across = (meta, shown, lines) => (shown.along === "blas" ? versionAxis(shown, lines) : shown.along === "dates" ? dateAxis(shown) : commitAxis(meta, shown));

  // Names at the right ends of lines over each other, pushed apart.
  /** @param {HistoryShown} shown @param {HistoryLine[]} lines @param {[number, number]} limits @param {PlotlyLayout} figure */
  function ends({ scale, range }, lines, limits, figure) {
    const height = figure.height - figure.margin.t - figure.margin.b;
    /** @param {number} value */
    const part = (value) => (scale === "log" ? Math.log(value / limits[0]) / Math.log(limits[1] / limits[0]) : (value - limits[0]) / (limits[1] - limits[0]));
    const placed = lines.flatMap((line) => {
      const values = line.y.filter((value, i) => value !== null && thin.within(range, line.commits[i]));
      const last = values[values.length - 1];
      return last === undefined || last === null ? [] : [{ line, at: height * clamped(part(last), [0, 1]) }];
    }).sort((a, b) => a.at - b.at);
    placed.forEach((end, i) => { if (i) end.at = Math.max(end.at, placed[i - 1].at + LABEL_GAP); });
    for (let i = placed.length - 1, top = height; i >= 0; i -= 1, top -= LABEL_GAP) placed[i].at = Math.min(placed[i].at, top);
    figure.margin.r = Math.min(24 + 7 * Math.max(0, ...lines.map((line) => line.label.length)), 190);
    for (const { line, at } of placed) figure.annotations?.push({
      xref: "paper", x: 1, xanchor: "left", xshift: 4, yref: "paper", y: at / height, yanchor: "middle", showarrow: false,
      text: CB.plot.esc(line.label.length > 24 ? `${line.label.slice(0, 23)}…` : line.label), font: { color: CB.plot.colour(`c${line.colour}`), size: 12.5 },
    });
  }

  return { isNarrow, limits, across, title, ends, marks, tags };
})();
