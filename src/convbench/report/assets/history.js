// One series over the commits: choices, plot, words and table from data/h/*.js.
"use strict";
(() => {
  const { readable, el } = CB;
  let meta = null;
  let drawing = 0; // only the newest of overlapping drawings may finish
  let chosen = null; // the point below the chart: its lines, how they are drawn, and [line, index]

  const COLOURS = 8;
  const MOST_BARS = 5;
  const ALONG = [["", "commits"], ["blas", "BLAS versions"]];
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
      commits: line.commits || line.x,
      dodge: (i - (lines.length - 1) / 2) * 0.012 * span,
      label: machines && names ? `${line.machine} · ${line.name}` : machines ? line.machine : line.name,
      // A build keeps its colour on every page; with one build, machines have colours.
      colour: (names || !machines ? meta.lines.indexOf(line.like || line.name) : meta.machines.indexOf(line.machine)) % COLOURS,
      dash: machines && names ? ["solid", "dash", "dot", "dashdot"][meta.machines.indexOf(line.machine) % 4] : "solid",
    }));
  }

  const runOf = (line, i) => meta.runs[Array.isArray(line.runs) ? line.runs[i] : line.runs + i];
  const isSpoilt = (line, i) => line.y[i] !== null && runOf(line, i).length > 1;

  // Families with a line for each version become lines over the versions: a point for each, at
  // one commit or at the version's newest. Points keep the commit and the run that they come from.
  function familiesOf(lines) {
    const families = new Map();
    for (const line of lines.filter(({ family }) => family)) {
      const key = JSON.stringify([line.machine, line.family]);
      families.set(key, [...(families.get(key) || []), line]);
    }
    return [...families.values()];
  }
  const versionsOf = (lines) => meta.versions.filter((one) => lines.some((line) => line.identity === one));

  function byVersion(families, wanted) {
    const rank = new Map(versionsOf(families.flat()).map((one, at) => [one, at]));
    return families.map((members) => {
      const points = versionsOf(members).flatMap((version) => {
        const found = members.filter((line) => line.identity === version).flatMap((line) => line.x.map((x, i) => ({ line, x, i })))
          .filter(({ line, x, i }) => (wanted === null ? line.y[i] !== null : x === wanted));
        // Environments that share a version have a point each.
        const last = Math.max(...found.map(({ x }) => x));
        return found.filter(({ x }) => x === last);
      });
      const column = (name) => points.map(({ line, i }) => (line[name] ? line[name][i] : null));
      return {
        machine: members[0].machine, name: members[0].family, like: members[0].name, versions: points.map(({ line }) => line.identity),
        x: points.map(({ line }) => rank.get(line.identity)), commits: points.map(({ x }) => x), y: column("y"), low: column("low"), high: column("high"),
        runs: points.map(({ line, i }) => (Array.isArray(line.runs) ? line.runs[i] : line.runs + i)),
        bad: points.flatMap(({ line, i }, at) => (line.bad || []).filter(([bad]) => bad === i).map(([, status]) => [at, status])),
        names: points.map(({ line, i }) => pointName(line, i)),
      };
    }).filter((line) => line.x.length);
  }

  // Commits at which a family has more than one version: there the BLAS alone differs.
  function sharedCommits(families) {
    const counts = new Map();
    for (const members of families) {
      for (const x of new Set(members.flatMap((line) => line.x))) {
        const versions = new Set(members.filter((line) => line.x.includes(x)).map((line) => line.identity));
        if (versions.size > 1) counts.set(x, versions.size);
      }
    }
    return [...counts.keys()].sort((a, b) => b - a);
  }

  function pointName(line, i) {
    if (line.names) return line.names[i];
    const [run] = runOf(line, i);
    return run ? run + line.ofRun : line.ofCommit.join(meta.commits[line.x[i]][0].slice(0, 8));
  }

  // As points.command does it: double quotes unless a shell would read something between them.
  const command = (point) => `convbench reproduce ${/["$`\\!\n]/.test(point) ? `'${point.replaceAll("'", `'"'"'`)}'` : `"${point}"`}`;

  function verdict(line) {
    if (line.versions) {
      const hashes = [...new Set(line.commits.map((x) => meta.commits[x][0].slice(0, 8)))];
      const where = hashes.length > 1 ? `each at its newest commit (${hashes.join(", ")}), so the code may differ too` : `at commit ${hashes[0]}`;
      return `${line.label}: ${readable.counted(new Set(line.versions).size, "BLAS version")}, ${where}`;
    }
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

  function inWords(line, i, unit) {
    if (line.y[i] !== null) return readable.quantity(line.y[i], unit) + interval(line, i, unit);
    const [, status] = (line.bad || []).find(([bad]) => bad === i) || [];
    return status === "ok" ? "no number" : status;
  }

  // A value in the table chooses its point, as a click in the chart does: also by keyboard.
  function valueCell(lines, n, i, unit) {
    const line = lines[n];
    const words = inWords(line, i, unit);
    const spoilt = isSpoilt(line, i) ? [el("span", { class: "doubtful", title: runOf(line, i)[1] }, "⚠ ")] : [];
    if (line.y[i] === null) return el("td", { class: "number" }, words);
    return el("td", { class: "number" }, ...spoilt, el("button", { type: "button", class: "pick", "data-line": n, "data-index": i }, words));
  }

  function fillTable(lines, unit) {
    const table = document.getElementById("history-table");
    const versions = lines.some((line) => line.versions);
    const heads = versions ? ["BLAS version", "Line", "Commit", "Value"] : ["Commit", "Date", "Subject", ...lines.map((line) => line.label)];
    table.tHead.replaceChildren(el("tr", {}, ...heads.map((name, i) => el("th", { scope: "col", class: i > 2 && "number" }, name))));
    table.tBodies[0].replaceChildren(...(versions ? versionRows(lines, unit) : commitRows(lines, unit)));
  }

  function versionRows(lines, unit) {
    return lines.flatMap((line, n) => line.x.map((_, i) => el("tr", {}, el("td", {}, line.versions[i]), el("td", {}, line.label),
      el("td", {}, commitCell(meta.commits[line.commits[i]][0])), valueCell(lines, n, i, unit))));
  }

  function commitRows(lines, unit) {
    const at = lines.map((line) => new Map(line.x.map((x, i) => [x, i])));
    const positions = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => b - a);
    return positions.map((x) => {
      const [hash, date, subject] = meta.commits[x];
      return el("tr", {}, el("td", {}, commitCell(hash)), el("td", {}, date), el("td", { class: "subject" }, subject),
        ...lines.map((_, n) => (at[n].has(x) ? valueCell(lines, n, at[n].get(x), unit) : el("td", { class: "number" }, "–"))));
    });
  }

  // The point below the chart: what it is, and the command that measures it again.
  function showPoint({ lines, unit, size, limits, at: [n, i] }) {
    const line = lines[n];
    const [run, why] = runOf(line, i);
    const [hash, date] = meta.commits[line.commits[i]];
    const [words, code] = document.querySelectorAll("#history-point > p");
    const version = line.versions ? `, ${line.versions[i]}` : "";
    words.replaceChildren(el("b", {}, inWords(line, i, unit)), " ",
      el("span", {}, `${line.label}${version}, `, el("code", {}, hash.slice(0, 8)), `${date ? ` ${date}` : ""}${run ? `, run ${run}` : ""}`),
      ...(why ? [" ", el("span", { class: "worse" }, `⚠ disturbed: ${why}`)] : []));
    code.querySelector("code").textContent = command(pointName(line, i));
    code.querySelector("button").textContent = "Copy";
    for (const button of document.querySelectorAll("#history-table .pick")) {
      button.setAttribute("aria-pressed", button.dataset.line === String(n) && button.dataset.index === String(i));
    }
    const plot = document.getElementById("history-plot");
    if (plot.data) Plotly.restyle(plot, { x: [[line.x[i] + (isBarred(line) ? line.dodge : 0)]], y: [[clamped(line.y[i], limits) / size]] }, [plot.data.length - 1]);
  }

  function choosePoint(at) {
    chosen = { ...chosen, at };
    const [n, i] = at;
    const { query } = CB.state();
    query.set("run", runOf(chosen.lines[n], i)[0]);
    query.set("line", chosen.lines[n].label);
    query.set("of", meta.commits[chosen.lines[n].commits[i]][0].slice(0, 8));
    CB.remember("history", query);
    showPoint(chosen);
  }

  // The point that the link names, else the newest value of the first line.
  function pointOf(lines, query) {
    const all = lines.flatMap((line, n) => line.x.map((_, i) => [n, i])).filter(([n, i]) => lines[n].y[i] !== null);
    const hash = query.get("of");
    const named = query.has("line") && all.find(([n, i]) => lines[n].label === query.get("line")
      && runOf(lines[n], i)[0] === (query.get("run") || "") && (!hash || meta.commits[lines[n].commits[i]][0].startsWith(hash)));
    if (named) return named;
    return all.filter(([n]) => n === all[0][0]).at(-1);
  }

  async function copy(button) {
    const code = button.parentNode.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      // From disk or without permission: then it is selected, and one keystroke copies it.
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
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

  const bandOf = (line) => line.x.map((_, i) => i).filter((i) => line.low && line.y[i] !== null && line.low[i] !== null && line.high[i] !== null);
  const clamped = (value, limits) => (limits ? Math.max(Math.min(value, limits[1]), limits[0]) : value);
  const isBarred = (line) => { const { length } = bandOf(line); return length > 0 && length <= MOST_BARS; };

  function lineTraces(line, n, unit, size, limits) {
    const { esc, colour } = CB.plot;
    const shade = colour(`c${line.colour}`);
    const traces = [];
    const banded = bandOf(line);
    if (banded.length > MOST_BARS) {
      const x = [...banded.map((i) => line.x[i]), ...banded.map((i) => line.x[i]).reverse()];
      const y = [...banded.map((i) => line.high[i] / size), ...banded.map((i) => line.low[i] / size).reverse()];
      traces.push({ type: "scatter", mode: "lines", x, y, fill: "toself", fillcolor: `${shade}28`, line: { width: 0 }, hoverinfo: "skip" });
    }
    const text = line.x.map((_, i) => {
      const [hash, date, subject] = meta.commits[line.commits[i]];
      const [, why] = runOf(line, i);
      const value = line.y[i] === null ? "" : `<b>${esc(readable.quantity(line.y[i], unit))}</b>${esc(interval(line, i, unit))}`;
      const version = line.versions ? `, ${esc(line.versions[i])}` : "";
      return `${value}<br>${esc(line.label)}${version}${why ? `<br>⚠ disturbed: ${esc(why)}` : ""}<br>${esc(hash.slice(0, 8))} ${esc(date)}${subject ? `<br>${esc(subject.slice(0, 70))}` : ""}`;
    });
    const few = line.y.filter((value) => value !== null).length <= 60;
    // With few commits an area would suggest a trend: each has a bar, side by side with the others'.
    const barred = isBarred(line);
    const points = line.x.map((_, i) => [n, i]);
    const bars = (key) => line.x.map((_, i) => (banded.includes(i) ? Math.abs(line[key][i] - line.y[i]) / size : 0));
    const bar = barred ? {
      error_y: { type: "data", symmetric: false, color: shade, thickness: 1.5, width: 5, array: bars("high"), arrayminus: bars("low") },
    } : {};
    traces.push({
      type: "scatter", mode: few ? "lines+markers" : "lines", x: barred ? line.x.map((x) => x + line.dodge) : line.x, y: line.y.map((value) => (value === null ? null : value / size)),
      line: { color: shade, width: 1.8, dash: line.dash }, marker: { color: shade, size: line.x.length > 20 ? 5 : 8 }, hoverinfo: "text", hovertext: text, customdata: points, connectgaps: true, ...bar,
    });
    const spoilt = line.x.map((_, i) => i).filter((i) => isSpoilt(line, i));
    if (spoilt.length) traces.push({
      type: "scatter", mode: "markers", x: spoilt.map((i) => line.x[i] + (barred ? line.dodge : 0)),
      y: spoilt.map((i) => clamped(line.y[i], limits) / size),
      marker: { symbol: "circle-open", size: 16, color: colour("worse"), line: { width: 1.6 } }, hoverinfo: "skip", cliponaxis: false,
    });
    const edge = (position, symbol, indices, words) => indices.length && traces.push({
      type: "scatter", mode: "markers", x: indices.map((i) => line.x[i]), y: indices.map(() => position / size),
      marker: { symbol, size: 9, color: shade }, hoverinfo: "text", hovertext: indices.map(words), customdata: indices.map((i) => [n, i]), cliponaxis: false,
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

  const better = (unit) => (/(\/s|\/sec|\/second|per second)$/.test(unit) ? " (higher is better)" : unit === "seconds" ? " (lower is better)" : "");

  function axes(lines, unit, scale, figure) {
    const values = lines.flatMap((line) => line.y).filter((value) => value !== null).sort((a, b) => a - b);
    const middle = values.length ? values[Math.floor((values.length - 1) / 2)] : 1;
    const [name, size] = readable.scale(middle, unit);
    const limits = scale === "log" ? null : range(lines);
    if (limits && scale === "zero") limits[0] = Math.min(0, limits[0]);
    const positions = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => a - b);
    const narrow = innerWidth < 760;
    const versions = new Map(lines.flatMap((line) => (line.versions || []).map((version, i) => [line.x[i], version])));
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
      text: CB.plot.esc(narrow ? name : name + better(unit)), font: { color: CB.plot.colour("muted"), size: 13 },
    });
    // Each word of a version has a line of its own: so they fit side by side, all of them.
    Object.assign(figure.xaxis, { tickangle: 0 }, versions.size ? {
      range: [positions[0] - 0.5, positions.at(-1) + 0.5], tickvals: positions, ticktext: positions.map((x) => CB.plot.esc(versions.get(x)).split(" ").join("<br>")),
    } : {
      range: [positions[0] - margin, positions.at(-1) + margin], tickvals: shown,
      ticktext: shown.map((x, i) => {
        const [hash, day] = meta.commits[x];
        // Of many commits of one day only the first is named by it.
        const date = few || i === 0 || meta.commits[shown[i - 1]][1] !== day ? day : "";
        return CB.plot.esc(few ? `${hash.slice(0, 8)}${stacked ? "\n" : " "}${date}` : date.slice(narrow ? 5 : 0) || hash.slice(0, 8)).replace("\n", "<br>");
      }),
    });
    return { size, limits };
  }

  // As history.disturbed_notes does it.
  function spoiltNotes(lines) {
    const marked = lines.flatMap((line) => line.x.map((_, i) => i).filter((i) => isSpoilt(line, i)).map((i) => [line.commits[i], runOf(line, i)[1]]));
    if (!marked.length) return [];
    const [, why] = marked.reduce((a, b) => (b[0] > a[0] || (b[0] === a[0] && b[1] > a[1]) ? b : a));
    return [`⚠ ${readable.counted(marked.length, "ringed value")} of disturbed runs; the newest: ${why}`];
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
    const notes = [...lines.map(verdict), ...spoiltNotes(lines)];
    document.getElementById("history-notes").replaceChildren(...notes.map((note) => el("li", {}, note)));
    document.getElementById("history-legend").replaceChildren(...lines.map((line) => {
      const identity = line.identity && !line.label.includes(line.identity) ? ` ${line.identity}` : "";
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
    if (index !== meta.first || query.get("along")) chart.classList.add("waiting");
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
    const shown = series.lines.filter((line) => !machine || line.machine === machine);
    const families = familiesOf(shown);
    let along = "";
    let hash = "";
    if (families.some((members) => versionsOf(members).length > 1)) {
      along = ALONG.some(([name]) => name === query.get("along")) ? query.get("along") : "";
      choices.push({ key: "along", label: "Along", values: ALONG.map(([name]) => name), value: along, names: new Map(ALONG) });
    }
    const commits = along ? sharedCommits(families).map((x) => [meta.commits[x][0].slice(0, 8), `${meta.commits[x][0].slice(0, 8)} ${meta.commits[x][1]}`]) : [];
    if (commits.length) {
      hash = commits.some(([one]) => one === query.get("at")) ? query.get("at") : "";
      choices.push({ key: "at", label: "At commit", values: ["", ...commits.map(([one]) => one)], value: hash, names: new Map([["", "newest of each version"], ...commits]) });
    }
    const scale = SCALES.some(([name]) => name === query.get("scale")) ? query.get("scale") : "";
    choices.push({ key: "scale", label: "Axis", values: SCALES.map(([name]) => name), value: scale, names: new Map(SCALES) });
    fill(document.getElementById("history-choices"), choices);
    const wanted = hash ? meta.commits.findIndex(([one]) => one.startsWith(hash)) : null;
    const lines = label(along ? byVersion(families, wanted) : shown);
    const point = pointOf(lines, query);
    const state = new URLSearchParams(choices.filter(({ value }) => value).map(({ key, value }) => [key, value]));
    for (const key of ["run", "line", "of"]) if (query.get(key)) state.set(key, query.get(key));
    CB.remember("history", state);
    words(index, lines, machine || (machines.length === 1 ? machines[0] : ""));
    fillTable(lines, series.unit);
    document.title = `${document.getElementById("history-title").textContent} · ${meta.project}`;
    const figure = CB.plot.layout(innerWidth < 760 ? 340 : 420);
    marks(lines, figure);
    const { size, limits } = axes(lines, series.unit, scale, figure);
    const traces = lines.flatMap((line, n) => lineTraces(line, n, series.unit, size, limits));
    traces.push({ type: "scatter", mode: "markers", x: [], y: [], marker: { symbol: "circle-open", size: 13, color: CB.plot.colour("ink"), line: { width: 2 } }, hoverinfo: "skip", cliponaxis: false });
    document.getElementById("history-point").hidden = !point;
    chosen = point && { lines, unit: series.unit, size, limits, at: point };
    const plot = document.getElementById("history-plot");
    await CB.plot.draw(plot, traces, figure);
    if (turn !== drawing) return;
    if (point) showPoint(chosen);
    plot.removeAllListeners("plotly_click");
    plot.on("plotly_click", (event) => {
      const [found] = event.points.map(({ customdata }) => customdata).filter(Boolean);
      if (found && chosen.lines[found[0]].y[found[1]] !== null) choosePoint(found);
    });
  }
  addEventListener("DOMContentLoaded", () => document.querySelector(".view[data-view=history]")?.addEventListener("click", (event) => {
    const pick = event.target.closest(".pick");
    if (pick) choosePoint([Number(pick.dataset.line), Number(pick.dataset.index)]);
    const button = event.target.closest(".copy");
    if (button) copy(button);
  }));
  CB.views.set("history", enter);
})();
