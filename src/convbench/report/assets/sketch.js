// What Plotly will draw, drawn at once: lines, bands, bars, axes and words of a figure as a plain SVG
// that stands in the still picture's place until Plotly is there, at the same spot of the page.
"use strict";
CB.sketch = (() => {
  const TICKS = 6;
  const LINE_HEIGHT = 16;
  const SOON = 100; // milliseconds
  const OUTSIDE = 1e5; // pixels: as good as any place further away, which a path can't name
  /** @param {string} text as Plotly reads it: entities for & < >, <br> for a new line */
  const lines = (text) => text.split("<br>").map((part) => part.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&"));

  /** @param {string} tag @param {Record<string, string | number>} attributes @param {(Node | string)[]} children */
  function svg(tag, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
    element.append(...children);
    return element;
  }

  /** @param {number} x @param {number} y @param {string} words @param {string} anchor @param {{ color?: string, size?: number }} font */
  const text = (x, y, words, anchor, { color = "currentColor", size = 13 } = {}) => svg(
    "text", { x, y, "text-anchor": anchor, style: `fill: ${color}; font-size: ${size}px` },
    ...lines(words).map((line, i) => svg("tspan", { x, dy: i ? LINE_HEIGHT : 0 }, line)));

  // About as many round numbers as Plotly has.
  /** @param {number} low @param {number} high */
  function round(low, high) {
    const rough = (high - low) / TICKS;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5].map((m) => m * power).find((one) => one >= rough) ?? 10 * power;
    const first = Math.ceil(low / step - 1e-9);
    return Array.from({ length: Math.max(0, Math.floor(high / step + 1e-9) - first + 1) }, (_, i) => (first + i) * step);
  }

  /** @param {PlotlyAxis} axis @returns {[at: number, words: string][]} */
  function ticks(axis) {
    const [low, high] = axis.range;
    if (axis.tickvals) return axis.tickvals.map((/** @type {number} */ at, /** @type {number} */ i) => [at, axis.ticktext[i]]);
    if (axis.type === "date") {
      return [0.05, 0.35, 0.65, 0.95].map((part) => low + part * (high - low)).map((at) => [at, new Date(at).toISOString().slice(0, 10)]);
    }
    const values = axis.type === "log" && high - low > 1 ? round(low, high).filter(Number.isInteger) : round(low, high);
    return values.map((at) => [at, Number((axis.type === "log" ? 10 ** at : at).toPrecision(axis.type === "log" ? 2 : 10)).toLocaleString("en")]);
  }

  // A trace's parts; what is no finite number on its axis is left out.
  /** @param {PlotlyTrace} trace @param {(x: number) => number} px @param {(y: number) => number} py */
  function parts(trace, px, py) {
    /** @type {number[]} */
    const kept = trace.x.flatMap((/** @type {unknown} */ _, /** @type {number} */ i) => (trace.y[i] !== null && Number.isFinite(py(trace.y[i])) ? [i] : []));
    const spots = kept.map((i) => `${px(trace.x[i]).toFixed(1)} ${py(trace.y[i]).toFixed(1)}`);
    if (!spots.length) return [];
    const made = [];
    if (trace.fill === "toself") made.push(svg("path", { d: `M${spots.join("L")}Z`, style: `fill: ${trace.fillcolor}` }));
    else if (trace.mode.includes("lines")) {
      const dash = trace.line.dash === "dash" ? "9 9" : trace.line.dash === "dashdot" ? "9 3 3 3" : trace.line.dash === "dot" ? "3 3" : "none";
      made.push(svg("path", { d: `M${spots.join("L")}`, style: `fill: none; stroke: ${trace.line.color}; stroke-width: ${trace.line.width}px; stroke-linejoin: round; stroke-dasharray: ${dash}` }));
    }
    const { marker } = trace;
    if (trace.mode.includes("markers") && /^circle/.test(marker.symbol ?? "circle")) {
      const style = /open/.test(marker.symbol ?? "") ? `fill: none; stroke: ${marker.color}; stroke-width: ${marker.line?.width ?? 1}px` : `fill: ${marker.color}`;
      made.push(...kept.map((i) => svg("circle", { cx: px(trace.x[i]), cy: py(trace.y[i]), r: marker.size / 2, style })));
    }
    const bars = trace.error_y;
    // An end at or below 0 has no place on a logarithmic axis: it lies below the edge.
    const below = (/** @type {number} */ end) => (Number.isNaN(end) ? OUTSIDE : end);
    if (bars) made.push(...kept.map((i) => svg("path", {
      d: `M${px(trace.x[i])} ${below(py(trace.y[i] - bars.arrayminus[i]))}V${py(trace.y[i] + bars.array[i])}`, style: `stroke: ${bars.color}; stroke-width: ${bars.thickness}px`,
    })));
    return made;
  }

  /**
   * @param {HTMLElement} element whose content is replaced; as wide as the plot will be
   * @param {PlotlyTrace[]} traces scatter only, as given to Plotly
   * @param {PlotlyLayout} figure with ranges of both axes
   * @returns {Promise<void>} fulfilled when it is on the screen: evaluating Plotly would keep it from there
   */
  return function sketch(element, traces, figure) {
    const { height, margin, xaxis, yaxis } = figure;
    const width = element.clientWidth;
    const across = width - margin.l - margin.r;
    const down = height - margin.t - margin.b;
    const [[left, right], [low, high]] = [xaxis.range, yaxis.range];
    // Places within the plot; a date is a number here.
    const px = (/** @type {number} */ x) => ((x - left) / (right - left)) * across;
    const ofValue = (/** @type {number} */ y) => (1 - (y - low) / (high - low)) * down;
    const py = (/** @type {number} */ y) => Math.max(-OUTSIDE, Math.min(ofValue(yaxis.type === "log" ? Math.log10(y > 0 ? y : NaN) : y), OUTSIDE));
    const muted = { color: xaxis.tickfont?.color };
    const grid = `stroke: ${xaxis.gridcolor}`;
    const inside = svg("svg", { x: margin.l, y: margin.t, width: across, height: down, overflow: "hidden" });
    const picture = svg("svg", { class: "sketch", width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, inside);
    for (const [at, words] of ticks(xaxis)) {
      inside.append(svg("path", { d: `M${px(at)} 0V${down}`, style: grid }));
      picture.append(text(margin.l + px(at), height - margin.b + 17, words, "middle", muted));
    }
    if (yaxis.visible !== false) for (const [at, words] of ticks(yaxis)) {
      inside.append(svg("path", { d: `M0 ${ofValue(at)}H${across}`, style: grid }));
      picture.append(text(margin.l - 5, margin.t + ofValue(at) + 4, words, "end", muted));
    }
    for (const trace of traces) inside.append(...parts(trace, px, py));
    for (const { x0, x1, y0, y1, line } of /** @type {any[]} */ (figure.shapes ?? [])) {
      inside.append(svg("path", { d: `M${px(x0)} ${(1 - y0) * down}L${px(x1)} ${(1 - y1) * down}`, style: `stroke: ${line.color}; stroke-width: ${line.width}px; stroke-dasharray: ${line.dash === "dash" ? "9 9" : "none"}` }));
    }
    for (const { x, y, xref, xanchor, yanchor, xshift = 0, yshift = 0, text: words, font } of /** @type {any[]} */ (figure.annotations ?? [])) {
      const at = margin.l + (xref === "paper" ? x * across : px(x)) + xshift;
      const baseline = margin.t + (1 - y) * down - yshift + (yanchor === "bottom" ? -5 : 4);
      picture.append(text(at, baseline, words, xanchor === "left" ? "start" : "middle", font));
    }
    element.replaceChildren(picture);
    // A page that is not shown has no frames.
    return new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); setTimeout(resolve, SOON); });
  };
})();
