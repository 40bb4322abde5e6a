// Operations against time: the picture that stands in the document, to explore.
"use strict";
(() => {
  const { readable } = CB;
  /** @typedef {[low: number, high: number]} Domain */
  /** @typedef {[across: number, up: number, anchor: string]} Place parts of the plot's width and height */
  /** @typedef {[name: string, perSecond: number | null, seconds: number, across: number, up: number, anchor: string]} Roof */
  /** @typedef {{ name: string, x: number, y: number, shade: string, label: Place, dense?: boolean }} Spot */
  /**
   * @typedef {{
   *   names: string[], seconds: number[], operations: number[], labels: Place[], asked: string | null, fastest: string,
   *   dense: [name: string, seconds: number, flops: number], domains: [Domain, Domain], height: number, roofs: Roof[],
   *   arrow: [label: string, across: number, up: number] | null,
   * }} Picture
   */

  /**
   * The place of a part of a logarithmic axis.
   * @type {(domain: Domain, part: number) => number}
   */
  const along = ([low, high], part) => Math.log10(low) + part * Math.log10(high / low);

  /** @param {Domain} xs @param {Domain} ys @param {boolean} narrow @param {number} peak */
  function rates(xs, ys, narrow, peak) {
    const traces = [];
    const annotations = [];
    for (let exponent = -5; exponent < 5; exponent += 1) {
      const perSecond = 10 ** exponent * 1e9;
      if (perSecond > peak) continue;
      const first = Math.max(xs[0], ys[0] * perSecond);
      const last = Math.min(xs[1], ys[1] * perSecond);
      if (first * 1.3 > last) continue;
      traces.push({
        type: "scatter", mode: "lines", x: [first, last], y: [first / perSecond, last / perSecond],
        line: { color: CB.plot.colour("still"), width: 1, dash: "dot" }, hoverinfo: "skip",
      });
      // On a phone only the lines that leave at the right side have room for their words.
      if (narrow && last < xs[1]) continue;
      // Words end where their line ends: of one in the left corner they would leave the plot.
      if (Math.log(last / xs[0]) < 0.1 * Math.log(xs[1] / xs[0])) continue;
      annotations.push({
        x: Math.log10(last), y: Math.log10(last / perSecond), xanchor: "right", yanchor: "top", showarrow: false,
        text: `${readable.significant(10 ** exponent, 1)} GFLOP/s`, font: { size: 12, color: CB.plot.colour("muted") },
      });
    }
    return { traces, annotations };
  }

  // The measured ceilings: a peak's line slants, a bandwidth's is level. A phone has no room for their words.
  /** @param {Roof[]} list @param {Domain} xs @param {Domain} ys @param {Picture["domains"]} domains @param {boolean} narrow */
  function roofs(list, xs, ys, domains, narrow) {
    const { esc, colour } = CB.plot;
    const traces = list.map(([name, perSecond, seconds]) => {
      const x = perSecond ? [Math.max(xs[0], ys[0] * perSecond), Math.min(xs[1], ys[1] * perSecond)] : xs;
      const y = perSecond ? x.map((operations) => operations / perSecond) : [seconds, seconds];
      return { type: "scatter", mode: "lines", x, y, line: { color: colour("muted"), width: 1 }, hoverinfo: "text", hovertext: esc(name) };
    });
    const annotations = narrow ? [] : list.map(([name, , , across, up, anchor]) => ({
      x: along(domains[0], across), y: along(domains[1], up), xanchor: anchor === "end" ? "right" : "left", yanchor: "middle", showarrow: false,
      text: esc(name), font: { size: 12, color: colour("muted") }, bgcolor: colour("box"), borderpad: 0,
    }));
    return { traces, annotations };
  }

  // Where the document's picture has the words; in a narrow one only what matters has words.
  /** @param {Spot[]} points @param {Domain} xs @param {Domain} ys @param {boolean} narrow */
  function words(points, xs, ys, narrow) {
    const { esc, colour } = CB.plot;
    return points.filter((point) => !narrow || point.shade !== "muted").map((point) => {
      const [across, up, anchor] = point.label;
      const name = point.shade === "muted" ? esc(point.name) : `<b>${esc(point.name)}</b>`;
      const place = !narrow
        ? { showarrow: true, axref: "x", ayref: "y", ax: along(xs, across), ay: along(ys, up), xanchor: anchor === "end" ? "right" : "left" }
        : point.dense ? { showarrow: false, xanchor: "center", yanchor: "bottom", yshift: 9 } : { showarrow: false, xanchor: "left", xshift: 9 };
      return {
        x: Math.log10(point.x), y: Math.log10(point.y), yanchor: "middle", align: "left", ...place,
        arrowhead: 0, arrowwidth: 1, arrowcolor: colour("still"), standoff: 6,
        text: `${name}${narrow ? "<br>" : " "}${esc(readable.quantity(point.y, "seconds"))}`,
        font: { size: narrow ? 12 : 13, color: colour(point.shade === "muted" ? "ink" : point.shade) },
        // Words have room of their own; their grounds must not hide a neighbour's leader line.
        ...(narrow && { bgcolor: colour("box") }), borderpad: 1,
      };
    });
  }

  /** @param {Picture} data @param {HTMLElement} target */
  function draw(data, target) {
    const { esc, colour, layout } = CB.plot;
    const figure = layout(data.height + 4);
    const narrow = (figure.width ?? innerWidth) < 1000; // on paper a figure has a width of its own
    if (narrow) figure.height = 460;
    const [denseName, denseSeconds, denseFlops] = data.dense;
    /** @param {string} name */
    const role = (name) => (name === data.asked ? "worse" : name === data.fastest ? "better" : "muted");
    /** @type {Spot[]} */
    const points = data.names.map((name, i) => ({ name, x: data.operations[i], y: data.seconds[i], shade: role(name), label: data.labels[i] }));
    points.push({ name: denseName, x: denseFlops, y: denseSeconds, shade: "better", dense: true, label: data.labels[data.labels.length - 1] });
    points.sort((a, b) => (a.shade === "muted" ? 0 : 1) - (b.shade === "muted" ? 0 : 1)); // the named ones on top
    /** @param {"x" | "y"} key */
    const all = (key) => points.map((point) => point[key]);
    const [wide, ys] = data.domains;
    /** @type {Domain} */
    const xs = narrow ? [Math.min(...all("x")) / 2.2, Math.max(...all("x")) * 3.2] : wide;
    figure.margin.t = 28;
    const lines = rates(xs, ys, narrow, Math.max(...data.roofs.map(([, perSecond]) => perSecond || 0)) || Infinity);
    const above = roofs(data.roofs, xs, ys, data.domains, narrow);
    /** @param {Spot} point */
    const hover = (point) => `<b>${esc(point.name)}</b><br>${esc(readable.quantity(point.y, "seconds"))}, ${esc(point.x.toLocaleString("en"))} operations<br>${esc(readable.significant(point.x / point.y / 1e9))} GFLOP/s executed`;
    const spots = {
      type: "scatter", mode: "markers", x: all("x"), y: all("y"), hoverinfo: "text", hovertext: points.map(hover), cliponaxis: false,
      marker: {
        color: points.map((point) => colour(point.shade)), size: points.map((point) => (point.shade === "muted" ? 9 : 14)),
        symbol: points.map((point) => (point.dense ? "square" : "circle")), opacity: 1, line: { width: 0 },
      },
    };
    const asked = points.find((point) => point.name === data.asked);
    const arrow = asked && data.arrow && !narrow ? [{
      x: Math.log10(denseFlops), y: Math.log10(denseSeconds), axref: "x", ayref: "y", ax: Math.log10(asked.x), ay: Math.log10(asked.y),
      text: "", showarrow: true, arrowhead: 2, arrowsize: 1.1, arrowwidth: 1.5, arrowcolor: colour("worse"), standoff: 11, startstandoff: 11,
    }, {
      xref: "paper", yref: "paper", x: data.arrow[1], y: data.arrow[2], xanchor: "center", yanchor: "bottom",
      text: esc(data.arrow[0]), showarrow: false, bgcolor: colour("box"), font: { color: colour("worse"), size: 13 },
    }] : [];
    figure.annotations = [...lines.annotations, ...above.annotations, ...words(points, xs, ys, narrow), ...arrow];
    /** @type {(...domain: Domain) => number[]} */
    const decades = (low, high) => Array.from({ length: 24 }, (_, i) => 10 ** (i - 12)).filter((value) => value >= low && value <= high);
    const [xTicks, yTicks] = [decades(...xs), decades(...ys)];
    Object.assign(figure.xaxis, {
      type: "log", range: xs.map(Math.log10), tickvals: xTicks, ticktext: xTicks.map((value) => (value >= 1e6 ? `${value / 1e6} M` : value.toLocaleString("en"))), tickangle: 0,
    });
    figure.xaxis.title = { text: "floating-point operations executed", font: { color: colour("muted"), size: 13 } };
    Object.assign(figure.yaxis, { type: "log", range: ys.map(Math.log10), tickvals: yTicks, ticktext: yTicks.map((value) => readable.roundQuantity(value, "seconds")) });
    return CB.plot.draw(target, [...lines.traces, ...above.traces, spots], figure);
  }

  CB.views.set("why", async (_, section) => {
    /** @type {Picture[]} */
    const data = await CB.load("why");
    /** @type {HTMLElement | null} */
    const chart = section.querySelector(".chart");
    /** @type {HTMLElement | null | undefined} */
    const plot = chart?.querySelector(".plot");
    if (chart && plot) await draw(data[Number(chart.dataset.index)], plot);
  });
})();
