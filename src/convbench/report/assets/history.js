// One series over the commits: choices, plot, words and table from data/h/*.js.
"use strict";
(() => {
  const { readable, el } = CB;
  let meta = null;
  let drawing = 0; // only the newest of overlapping drawings may finish

  const COLOURS = 8;
  const MOST_BARS = 5;
  const SCALES = [["", "zoomed"], ["zero", "from zero"], ["log", "logarithmic"]];

  // The first parameter lists all its values, the next those that exist with it, and so on;
  // so every choice that can be made exists. One that was always skipped says so.
  function choose(query) {
    let rows = meta.series.map((row, index) => ({ row, index }));
    const first = meta.series[meta.first];
    const choices = [];
    function narrow(key, label, valueOf, wanted) {
      const values = [...new Set(rows.map(({ row }) => valueOf(row)))].filter((value) => value !== null);
      if (!values.length) return;
      const live = new Set(rows.filter(({ row }) => !row[4]).map(({ row }) => valueOf(row)));
      const wished = [wanted, valueOf(first)].find((one) => values.includes(one));
      const value = wished ?? values.find((one) => live.has(one)) ?? values[0];
      const names = new Map(values.map((one) => [one, live.has(one) ? one : `${one} (skipped)`]));
      rows = rows.filter(({ row }) => valueOf(row) === value);
      choices.push({ key, label, values, value, names });
    }
    const measure = (row) => meta.measures[row[0]][0];
    narrow("measure", "Measure", measure, query.get("measure"));
    meta.parameters.forEach(([, key, label], at) => narrow(key, label, (row) => row[3][at], query.get(key)));
    return { choices, index: rows[0].index };
  }

  function fill(form, choices) {
    form.replaceChildren(...choices.map(({ key, label, values, value, names }) => {
      const options = values.map((one) => {
        const option = el("option", { value: one }, names ? names.get(one) : one);
        option.selected = one === value;
        return option;
      });
      return el("label", {}, el("span", {}, label), el("select", { "data-state": key }, ...options));
    }));
  }

  function label(lines) {
    const positions = lines.flatMap((line) => line.x);
    const span = Math.max(...positions) - Math.min(...positions) || 2;
    const machines = new Set(lines.map((line) => line.machine)).size > 1;
    const names = new Set(lines.map((line) => line.name)).size > 1;
    return lines.map((line, i) => ({
      ...line,
      dodge: (i - (lines.length - 1) / 2) * 0.012 * span,
      label: machines && names ? `${line.machine} · ${line.name}` : machines ? line.machine : line.name,
      // A build keeps its colour on every page; with one build, machines have colours.
      colour: (names || !machines ? meta.lines.indexOf(line.name) : meta.machines.indexOf(line.machine)) % COLOURS,
      dash: machines && names ? ["solid", "dash", "dot", "dashdot"][meta.machines.indexOf(line.machine) % 4] : "solid",
    }));
  }

  function verdict(line) {
    const measured = line.searched ?? line.y.filter((value) => value !== null).length;
    const changes = line.changes || [];
    if (line.y.length === (line.bad || []).filter(([, status]) => status === "skipped").length) {
      return `${line.label}: skipped at every commit`;
    }
    if (changes.length) {
      return `${line.label}: ${readable.counted(changes.length, "change")} found (${changes.map((change) => readable.percent(change[3])).join(", ")})`;
    }
    if (measured < meta.minCommits) {
      return `${line.label}: ${measured} of ${readable.counted(meta.minCommits, "commit")}: no verdict yet`;
    }
    if (!meta.detected) return `${line.label}: no verdict yet, convbench detect has not run`;
    return `${line.label}: no change found in ${readable.counted(measured, "commit")}`;
  }

  const interval = (line, i, unit) => (line.low && line.low[i] !== null && line.high[i] !== null
    ? ` [${readable.quantity(line.low[i], unit)}, ${readable.quantity(line.high[i], unit)}]` : "");

  function commitCell(hash) {
    const code = el("code", {}, hash.slice(0, 8));
    return meta.repoUrl ? el("a", { href: `${meta.repoUrl}/commit/${encodeURIComponent(hash)}`, rel: "noopener" }, code) : code;
  }

  function fillTable(lines, unit) {
    const table = document.getElementById("history-table");
    const at = lines.map((line) => new Map(line.x.map((x, i) => [x, i])));
    const bad = lines.map((line) => new Map(line.bad || []));
    const positions = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => b - a);
    const value = (line, n, x) => {
      const i = at[n].get(x);
      if (i === undefined) return "–";
      if (line.y[i] === null) return bad[n].get(i) === "ok" ? "no number" : bad[n].get(i);
      return readable.quantity(line.y[i], unit) + interval(line, i, unit);
    };
    table.tHead.replaceChildren(el("tr", {},
      ...["Commit", "Date", "Subject"].map((name) => el("th", { scope: "col" }, name)),
      ...lines.map((line) => el("th", { scope: "col", class: "number" }, line.label))));
    table.tBodies[0].replaceChildren(...positions.map((x) => {
      const [hash, date, subject] = meta.commits[x];
      return el("tr", {}, el("td", {}, commitCell(hash)), el("td", {}, date), el("td", { class: "subject" }, subject),
        ...lines.map((line, n) => el("td", { class: "number" }, value(line, n, x))));
    }));
  }

  // The range of axes.robust_range: few values show their whole intervals, many not their outliers.
  function range(lines) {
    const numbers = (key) => lines.flatMap((line) => line[key] || []).filter((value) => value !== null);
    const median = (list) => [...list].sort((a, b) => a - b)[Math.floor((list.length - 1) / 2)];
    const values = numbers("y");
    if (!values.length) return [0, 1];
    const few = values.length <= 12;
    const middle = median(values);
    const distance = median(values.map((value) => Math.abs(value - middle)));
    const limit = few || distance === 0 ? Infinity : 12 * distance;
    const kept = [...values.filter((value) => Math.abs(value - middle) <= limit), ...(few ? [...numbers("low"), ...numbers("high")] : [])];
    let [low, high] = [Math.min(...kept), Math.max(...kept)];
    const missing = 0.2 * Math.abs(middle) - (high - low);
    if (missing > 0) [low, high] = [low - missing / 2, high + missing / 2];
    if (low === high) [low, high] = [low - 1, high + 1];
    const margin = 0.08 * (high - low);
    return [Math.min(...values) < 0 ? low - margin : Math.max(low - margin, 0), high + margin];
  }

  function lineTraces(line, unit, size, limits) {
    const { esc, colour } = CB.plot;
    const shade = colour(`c${line.colour}`);
    const traces = [];
    const banded = line.x.map((_, i) => i).filter((i) => line.low && line.y[i] !== null && line.low[i] !== null && line.high[i] !== null);
    if (banded.length > MOST_BARS) {
      const x = [...banded.map((i) => line.x[i]), ...banded.map((i) => line.x[i]).reverse()];
      const y = [...banded.map((i) => line.high[i] / size), ...banded.map((i) => line.low[i] / size).reverse()];
      traces.push({ type: "scatter", mode: "lines", x, y, fill: "toself", fillcolor: `${shade}28`, line: { width: 0 }, hoverinfo: "skip" });
    }
    const text = line.x.map((x, i) => {
      const [hash, date, subject] = meta.commits[x];
      const value = line.y[i] === null ? "" : `<b>${esc(readable.quantity(line.y[i], unit))}</b>${esc(interval(line, i, unit))}`;
      return `${value}<br>${esc(line.label)}<br>${esc(hash.slice(0, 8))} ${esc(date)}${subject ? `<br>${esc(subject.slice(0, 70))}` : ""}`;
    });
    const few = line.y.filter((value) => value !== null).length <= 60;
    // With few commits an area would suggest a trend: each has a bar, side by side with the others'.
    const barred = banded.length > 0 && banded.length <= MOST_BARS;
    const bars = (key) => line.x.map((_, i) => (banded.includes(i) ? Math.abs(line[key][i] - line.y[i]) / size : 0));
    const bar = barred ? {
      error_y: { type: "data", symmetric: false, color: shade, thickness: 1.5, width: 5, array: bars("high"), arrayminus: bars("low") },
    } : {};
    traces.push({
      type: "scatter", mode: few ? "lines+markers" : "lines", x: barred ? line.x.map((x) => x + line.dodge) : line.x, y: line.y.map((value) => (value === null ? null : value / size)),
      line: { color: shade, width: 1.8, dash: line.dash }, marker: { color: shade, size: line.x.length > 20 ? 5 : 8 }, hoverinfo: "text", hovertext: text, connectgaps: true, ...bar,
    });
    const edge = (position, symbol, indices, words) => indices.length && traces.push({
      type: "scatter", mode: "markers", x: indices.map((i) => line.x[i]), y: indices.map(() => position / size),
      marker: { symbol, size: 9, color: shade }, hoverinfo: "text", hovertext: indices.map(words), cliponaxis: false,
    });
    const indices = line.x.map((_, i) => i);
    if (limits) {
      edge(limits[1], "triangle-up", indices.filter((i) => line.y[i] !== null && line.y[i] > limits[1]), (i) => text[i]);
      edge(limits[0], "triangle-down", indices.filter((i) => line.y[i] !== null && line.y[i] < limits[0]), (i) => text[i]);
      edge(limits[0], "x-thin-open", (line.bad || []).filter(([, status]) => status === "failed").map(([i]) => i), (i) => `<b>failed</b>${text[i]}`);
    }
    return traces;
  }

  // Lines that moved at one commit share its mark, which shows the largest change.
  function marks(lines, figure) {
    const { colour } = CB.plot;
    const largest = new Map();
    const size = (change) => Math.max(change[3], 1 / change[3]);
    for (const change of lines.flatMap((line) => line.changes || [])) {
      const known = largest.get(change[0]);
      if (!known || size(change) > size(known)) largest.set(change[0], change);
    }
    figure.shapes = [];
    figure.annotations = [];
    // Words need room: where marks stand close, the largest change keeps its words.
    const positions = lines.flatMap((line) => line.x);
    const pixels = (document.getElementById("history-plot").clientWidth - 90) / Math.max(Math.max(...positions) - Math.min(...positions), 1);
    const worded = [];
    for (const [x, change] of [...largest].sort((a, b) => size(b[1]) - size(a[1]))) {
      const shade = colour(change[4] === "regression" ? "worse" : "better");
      figure.shapes.push({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line: { color: shade, width: 1.2, dash: "dash" } });
      if (worded.some((other) => Math.abs(other - x) * pixels < 76)) continue;
      worded.push(x);
      figure.annotations.push({
        x, yref: "paper", y: 1, yanchor: "bottom", showarrow: false,
        text: `${change[3] > 1 ? "▲" : "▼"} ${readable.percent(change[3])}`, font: { color: shade, size: 13 },
      });
    }
  }

  function axes(lines, unit, scale, figure) {
    const values = lines.flatMap((line) => line.y).filter((value) => value !== null).sort((a, b) => a - b);
    const middle = values.length ? values[Math.floor((values.length - 1) / 2)] : 1;
    const [name, size] = readable.scale(middle, unit);
    const limits = scale === "log" ? null : range(lines);
    if (limits && scale === "zero") limits[0] = Math.min(0, limits[0]);
    const positions = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => a - b);
    const narrow = innerWidth < 760;
    const step = Math.max(1, Math.ceil(positions.length / (narrow ? 3 : 8)));
    const shown = positions.filter((_, i) => i % step === 0);
    const few = positions.length <= (narrow ? 3 : 8);
    // Many labels, or the last one, have no room for number and date in one line.
    const stacked = narrow || positions.length > 5;
    const margin = positions.length > 1 ? (positions.at(-1) - positions[0]) * (narrow && few ? 0.16 : 0.03) + 0.12 : 1;
    if (!values.length) {
      figure.annotations.push({ xref: "paper", yref: "paper", x: 0.5, y: 0.5, showarrow: false, text: "no values", font: { color: CB.plot.colour("muted"), size: 15 } });
    }
    Object.assign(figure.yaxis, { visible: values.length > 0, type: scale === "log" ? "log" : "linear", ...(limits && { range: limits.map((value) => value / size) }) });
    if (values.length) figure.annotations.push({
      xref: "paper", yref: "paper", x: 0, y: 1, xanchor: "left", yanchor: "bottom", yshift: 2, xshift: -44, showarrow: false,
      text: CB.plot.esc(unit === "seconds" && !narrow ? `${name} (lower is better)` : name), font: { color: CB.plot.colour("muted"), size: 13 },
    });
    Object.assign(figure.xaxis, {
      range: [positions[0] - margin, positions.at(-1) + margin], tickvals: shown, tickangle: 0,
      ticktext: shown.map((x, i) => {
        const [hash, day] = meta.commits[x];
        // Of many commits of one day only the first is named by it.
        const date = few || i === 0 || meta.commits[shown[i - 1]][1] !== day ? day : "";
        return CB.plot.esc(few ? `${hash.slice(0, 8)}${stacked ? "\n" : " "}${date}` : date.slice(narrow ? 5 : 0) || hash.slice(0, 8)).replace("\n", "<br>");
      }),
    });
    return { size, limits };
  }

  function words(index, lines, machine) {
    const row = meta.series[index];
    const value = (name) => { const at = meta.parameters.findIndex(([one]) => one === name); return at < 0 ? null : row[3][at]; };
    const measure = meta.measures[row[0]][0];
    const own = value("strategy") && value("problem") ? ["strategy", "problem"] : [];
    const rest = meta.parameters.map(([name], at) => (own.includes(name) || row[3][at] === null ? null : own.length ? row[3][at] : `${name}=${row[3][at]}`));
    const kept = rest.filter((text) => text !== null);
    document.getElementById("history-title").replaceChildren(
      ...CB.breakable(own.length ? `${value("strategy")} on ${value("problem")}` : measure));
    const detail = own.length ? [...kept, measure] : [kept.join(", ") || meta.measures[row[0]][1]];
    document.getElementById("history-detail").textContent = [...detail, machine].filter(Boolean).join(" · ");
    document.getElementById("history-notes").replaceChildren(...lines.map((line) => el("li", {}, verdict(line))));
    document.getElementById("history-legend").replaceChildren(...lines.map((line) => {
      const identity = line.identity && line.identity !== line.label ? ` ${line.identity}` : "";
      return el("span", { class: `c${line.colour}` }, el("i"), line.label, el("span", { class: "muted" }, identity));
    }));
  }

  async function enter(query) {
    const turn = ++drawing;
    meta = await CB.load("meta");
    const { choices, index } = choose(query);
    const [, file, at] = meta.series[index];
    const still = document.getElementById("history-still");
    const chart = still.closest(".chart");
    if (index !== meta.first) chart.classList.add("waiting");
    const series = (await CB.load(`h/${file}`))[at];
    if (turn !== drawing) return;
    const machines = [...new Set(series.lines.map((line) => line.machine))];
    let machine = query.has("machine") ? query.get("machine") : meta.machine;
    if (machine === "all") machine = "";
    if (machine && !machines.includes(machine)) machine = machines[0];
    if (machines.length > 1) {
      const names = new Map([["all", "all machines"], ...machines.map((one) => [one, one])]);
      choices.push({ key: "machine", label: "Machine", values: [...names.keys()], value: machine || "all", names });
    }
    const scale = SCALES.some(([name]) => name === query.get("scale")) ? query.get("scale") : "";
    choices.push({ key: "scale", label: "Axis", values: SCALES.map(([name]) => name), value: scale, names: new Map(SCALES) });
    fill(document.getElementById("history-choices"), choices);
    CB.remember("history", new URLSearchParams(choices.filter(({ value }) => value).map(({ key, value }) => [key, value])));
    const lines = label(series.lines.filter((line) => !machine || line.machine === machine));
    words(index, lines, machine || (machines.length === 1 ? machines[0] : ""));
    fillTable(lines, series.unit);
    document.title = `${document.getElementById("history-title").textContent} · ${meta.project}`;
    const figure = CB.plot.layout(innerWidth < 760 ? 340 : 420);
    marks(lines, figure);
    const { size, limits } = axes(lines, series.unit, scale, figure);
    const traces = lines.flatMap((line) => lineTraces(line, series.unit, size, limits));
    await CB.plot.draw(document.getElementById("history-plot"), traces, figure);
  }
  CB.views.set("history", enter);
})();
