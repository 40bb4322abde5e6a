// Operations against time: the picture that stands in the document, to explore.
"use strict";
(() => {
  const { readable } = CB;

  function rates(xs, ys, narrow) {
    const traces = [];
    const annotations = [];
    for (let exponent = -5; exponent < 5; exponent += 1) {
      const perSecond = 10 ** exponent * 1e9;
      const first = Math.max(xs[0], ys[0] * perSecond);
      const last = Math.min(xs[1], ys[1] * perSecond);
      if (first * 1.3 > last) continue;
      traces.push({
        type: "scatter", mode: "lines", x: [first, last], y: [first / perSecond, last / perSecond],
        line: { color: CB.plot.colour("still"), width: 1, dash: "dot" }, hoverinfo: "skip",
      });
      // On a phone only the lines that leave at the right side have room for their words.
      if (narrow && last < xs[1]) continue;
      annotations.push({
        x: Math.log10(last), y: Math.log10(last / perSecond), xanchor: "right", yanchor: "top", showarrow: false,
        text: `${readable.significant(10 ** exponent, 1)} GFLOP/s`, font: { size: 12, color: CB.plot.colour("muted") },
      });
    }
    return { traces, annotations };
  }

  // Labels right of their points, pushed apart; heights are in pixels, as shifts from the point.
  function labels(points, ys, height, reach) {
    const span = Math.log10(ys[1] / ys[0]);
    const pixel = (value) => (Math.log10(ys[1] / value) / span) * height;
    const columns = new Map();
    for (const point of points) {
      const key = [...columns.keys()].find((x) => Math.abs(Math.log10(x / point.x)) < reach) || point.x;
      columns.set(key, [...(columns.get(key) || []), point]);
    }
    const result = [];
    for (const column of columns.values()) {
      column.sort((a, b) => pixel(a.y) - pixel(b.y));
      const places = column.map((point) => pixel(point.y));
      for (let i = 1; i < places.length; i += 1) places[i] = Math.max(places[i], places[i - 1] + 17);
      if (places.at(-1) > height - 8) places[places.length - 1] = height - 8;
      for (let i = places.length - 2; i >= 0; i -= 1) places[i] = Math.min(places[i], places[i + 1] - 17);
      const right = Math.max(...column.map((point) => point.x));
      column.forEach((point, i) => result.push({ ...point, right, shift: places[i] - pixel(point.y), alone: column.length === 1 }));
    }
    return result;
  }

  function draw(data, target) {
    const { esc, colour, layout } = CB.plot;
    const narrow = innerWidth < 760;
    const [denseName, denseSeconds, denseFlops] = data.dense;
    const role = (name) => (name === data.asked ? "worse" : name === data.fastest ? "better" : "muted");
    const points = data.names.map((name, i) => ({ name, x: data.operations[i], y: data.seconds[i], shade: role(name) }));
    points.sort((a, b) => (a.shade === "muted" ? 0 : 1) - (b.shade === "muted" ? 0 : 1)); // the named ones on top
    points.push({ name: denseName, x: denseFlops, y: denseSeconds, shade: "better", dense: true });
    const all = (key) => points.map((point) => point[key]);
    const xs = [Math.min(...all("x")) / 2.2, Math.max(...all("x")) * (narrow ? 30 : 3.2)];
    const ys = [Math.min(...all("y")) / 2, Math.max(...all("y")) * 2];
    const figure = layout(narrow ? 460 : 500);
    figure.margin.t = 28;
    const lines = rates(xs, ys, narrow);
    const hover = (point) => `<b>${esc(point.name)}</b><br>${esc(readable.quantity(point.y, "seconds"))}, ${esc(point.x.toLocaleString("en"))} operations<br>${esc(readable.significant(point.x / point.y / 1e9))} GFLOP/s executed`;
    const spots = {
      type: "scatter", mode: "markers", x: all("x"), y: all("y"), hoverinfo: "text", hovertext: points.map(hover), cliponaxis: false,
      marker: {
        color: points.map((point) => colour(point.shade)), size: points.map((point) => (point.shade === "muted" ? 9 : 14)),
        symbol: points.map((point) => (point.dense ? "square" : "circle")), opacity: 1, line: { width: 0 },
      },
    };
    const inner = figure.height - figure.margin.t - figure.margin.b;
    const named = labels(points, ys, inner, narrow ? 3 : 0.35).map((point) => ({
      x: Math.log10(point.x), y: Math.log10(point.y), xanchor: "left", yanchor: "middle", align: "left",
      showarrow: !point.alone, arrowhead: 0, arrowwidth: 1, arrowcolor: colour("still"), standoff: 7,
      ax: narrow ? 26 : 46, ay: point.shift, ...(point.alone && { xshift: 10 }),
      // The rightmost label has the least room on a phone: its value goes below.
      text: narrow && point.dense ? `<b>${esc(point.name)}</b><br>${esc(readable.quantity(point.y, "seconds"))}` : `${point.shade === "muted" ? esc(point.name) : `<b>${esc(point.name)}</b>`} ${narrow && point.shade === "muted" ? "" : esc(readable.quantity(point.y, "seconds"))}`,
      font: { size: narrow ? 11 : 13, color: colour(point.shade === "muted" ? "ink" : point.shade) }, bgcolor: colour("box"), borderpad: 1,
    }));
    const asked = points.find((point) => point.name === data.asked);
    const arrow = asked && !narrow ? [{
      x: Math.log10(denseFlops), y: Math.log10(denseSeconds), axref: "x", ayref: "y", ax: Math.log10(asked.x), ay: Math.log10(asked.y),
      text: "", showarrow: true, arrowhead: 2, arrowsize: 1.1, arrowwidth: 1.5, arrowcolor: colour("worse"), standoff: 11, startstandoff: 11,
    }, {
      x: (Math.log10(asked.x) + Math.log10(denseFlops)) / 2, y: (Math.log10(asked.y) + Math.log10(denseSeconds)) / 2,
      text: esc(data.arrow), showarrow: false, yshift: 12, xshift: 40, bgcolor: colour("box"), font: { color: colour("worse"), size: 13 },
    }] : [];
    figure.annotations = [...lines.annotations, ...arrow, ...named];
    const decades = (low, high) => Array.from({ length: 24 }, (_, i) => 10 ** (i - 12)).filter((value) => value >= low && value <= high);
    const [xTicks, yTicks] = [decades(...xs), decades(...ys)];
    Object.assign(figure.xaxis, {
      type: "log", range: xs.map(Math.log10), tickvals: xTicks, ticktext: xTicks.map((value) => (value >= 1e6 ? `${value / 1e6} M` : value.toLocaleString("en"))), tickangle: 0,
    });
    figure.xaxis.title = { text: "floating-point operations executed", font: { color: colour("muted"), size: 13 } };
    Object.assign(figure.yaxis, { type: "log", range: ys.map(Math.log10), tickvals: yTicks, ticktext: yTicks.map((value) => readable.roundQuantity(value, "seconds")) });
    return CB.plot.draw(target, [...lines.traces, spots], figure);
  }

  CB.views.set("why", async (query, section) => {
    const data = await CB.load("why");
    const shown = [...section.querySelectorAll(".variant:not([hidden])")].find((one) => one.querySelector(".plot"));
    if (shown) await draw(data[Number(shown.dataset.index)], shown.querySelector(".plot"));
  });
})();
