// What the view History says of its lines: title, legend, verdicts, events.
"use strict";
CB.history.words = (() => {
  const { readable, el } = CB;
  const { data } = CB.history;

  /** @param {string} id */
  const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(`history-${id}`));

  /** @param {HistoryLine} line @param {number} i @param {string} unit */
  function interval(line, i, unit) {
    const [low, high] = [line.low?.[i] ?? null, line.high?.[i] ?? null];
    return low === null || high === null ? "" : ` [${readable.quantity(low, unit)}, ${readable.quantity(high, unit)}]`;
  }

  /** @param {HistoryLine} line @param {number} i @param {string} unit @returns {string} */
  function value(line, i, unit) {
    const number = line.y[i];
    if (number !== null) return readable.quantity(number, unit) + interval(line, i, unit);
    const [, status = "ok"] = (line.bad || []).find(([bad]) => bad === i) || [];
    return status === "ok" ? "no number" : status;
  }

  /** @param {Meta} meta @param {HistoryLine} line */
  function verdict(meta, line) {
    if (line.versions) {
      const hashes = [...new Set(line.commits.map((x) => meta.commits[x][0].slice(0, 8)))];
      const where = hashes.length > 1 ? `each at its newest commit (${hashes.join(", ")}), so the code may differ too` : `at commit ${hashes[0]}`;
      return `${line.label}: ${readable.counted(new Set(line.versions).size, "BLAS version")}, ${where}`;
    }
    const measured = line.searched ?? line.y.filter((one) => one !== null).length;
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
    if (meta.unsearched) return `${line.label}: no verdict yet, ${meta.unsearched}`;
    return `${line.label}: no change found in ${readable.counted(measured, "commit")}`;
  }

  // As history.py writes them: what is known of each change's event, and the way to it.
  /** @param {Meta} meta @param {HistoryLine[]} lines */
  function eventNotes(meta, lines) {
    const changes = lines.flatMap((line) => line.changes || []).filter((change) => change.length > 5);
    const events = new Map(changes.sort((a, b) => b[0] - a[0]).map((change) => [change[7], change]));
    return [...events.values()].sort((a, b) => b[0] - a[0]).map(([x, , , ratio, kind, low = null, high = null, event, cause, triage]) => {
      const between = low !== null && high !== null ? ` (${readable.percent(low)} to ${readable.percent(high)})` : "";
      const words = `${ratio > 1 ? "▲" : "▼"} ${readable.percent(ratio)}${between} at ${meta.commits[x][0].slice(0, 8)}`;
      return el("li", {}, el("a", { href: `#/event?id=${event}`, class: kind }, words), `: ${[cause, triage].filter(Boolean).join(", ")}`);
    });
  }

  // As history.disturbed_notes does it.
  /** @param {Meta} meta @param {HistoryLine[]} lines */
  function spoiltNotes(meta, lines) {
    const marked = lines.flatMap((line) => line.x.map((_, i) => i).filter((i) => data.isSpoilt(meta, line, i))
      .map((i) => /** @type {[number, string]} */ ([line.commits[i], data.runOf(meta, line, i)[1]])));
    if (!marked.length) return [];
    const [, why] = marked.reduce((a, b) => (b[0] > a[0] || (b[0] === a[0] && b[1] > a[1]) ? b : a));
    return [`⚠ ${readable.counted(marked.length, "ringed value")} of disturbed runs; the newest: ${why}`];
  }

  /** @param {Meta} meta @param {number} index @param {{ label: string, at: number } | undefined} overlay */
  function titles(meta, index, overlay) {
    const row = meta.series[index];
    const measure = meta.measures[row[0]][0];
    const varied = overlay ? meta.parameters[overlay.at][0] : "";
    /** @param {string} name */
    const own = (name) => { const at = meta.parameters.findIndex(([one]) => one === name); return at < 0 || name === varied ? null : row[3][at]; };
    const [strategy, problem] = [own("strategy"), own("problem")];
    const main = strategy && problem ? `${strategy} on ${problem}` : varied === "strategy" && problem ? problem : varied === "problem" && strategy ? strategy : "";
    const named = main ? ["strategy", "problem"] : [];
    const rest = meta.parameters.flatMap(([name], at) => (named.includes(name) || name === varied || row[3][at] === null ? []
      : [main ? `${row[3][at]}` : `${name}=${row[3][at]}`]));
    const title = `${main || measure}${overlay ? ` by ${overlay.label.toLowerCase()}` : ""}`;
    return { title, detail: main ? [...rest, measure].join(" · ") : rest.join(", ") || meta.measures[row[0]][1] };
  }

  // A line's name hides and shows it; with Shift, or twice, it stands alone.
  /** @param {HistoryShown} shown */
  function legend({ lines, hidden, overlaid }) {
    const several = lines.length > 1;
    const buttons = /** @type {HTMLElement[]} */ ([...byId("legend").querySelectorAll(".series")]);
    if (several && JSON.stringify(buttons.map((one) => one.dataset.label)) === JSON.stringify(lines.map((line) => line.label))) {
      // The button that was pressed stays, and with it where the keyboard is.
      lines.forEach((line, i) => { buttons[i].setAttribute("aria-pressed", String(!hidden.has(line.label))); });
      buttons.forEach((button, i) => { if (button.parentElement) button.parentElement.className = `c${lines[i].colour}`; });
      return;
    }
    byId("legend").replaceChildren(...lines.map((line) => {
      const identity = line.identity && !overlaid && !line.label.includes(line.identity) && !line.versions ? ` ${line.identity}` : "";
      const name = [el("i", { class: line.dash !== "solid" && "dash" }), line.label];
      return el("span", { class: `c${line.colour}` },
        ...(several ? [el("button", { type: "button", class: "series", "aria-pressed": String(!hidden.has(line.label)), "data-label": line.label, title: "Hide or show this line; with Shift, or twice: this line alone" }, ...name)] : name),
        el("span", { class: "muted" }, identity));
    }));
  }

  /** @param {Meta} meta @param {HistoryShown} shown @param {{ title: string, detail: string }} names @param {string[]} extra */
  function say(meta, shown, { title, detail }, extra) {
    byId("title").replaceChildren(...CB.breakable(title));
    byId("detail").textContent = detail;
    const notes = [...extra, ...shown.lines.map((line) => verdict(meta, line)), ...spoiltNotes(meta, shown.lines)];
    byId("notes").replaceChildren(...notes.map((note) => el("li", {}, note)));
    byId("events").replaceChildren(...eventNotes(meta, shown.lines));
    legend(shown);
    CB.entitle("history", title);
  }

  return { interval, value, say, titles, legend };
})();

// The values as a table, newest first; a value chooses its point, as a click in the plot does.
CB.history.table = (() => {
  const { el } = CB;
  const { data, words, thin } = CB.history;
  const FIRST_ROWS = 60;
  /** @type {() => HTMLElement[]} the rows that are not in the table yet */
  let further = () => [];
  /** @type {HistoryPoint[]} */
  let pressed = [];

  const table = () => /** @type {HTMLTableElement} */ (document.getElementById("history-table"));

  /** @param {Meta} meta @param {number} position */
  function commitCell(meta, position) {
    const [hash] = meta.commits[position];
    const code = el("code", {}, hash.slice(0, 8));
    return meta.commitUrl ? el("a", { href: meta.commitUrl.replaceAll("{commit}", encodeURIComponent(hash)), rel: "noopener" }, code) : code;
  }

  /** @param {Meta} meta @param {HistoryShown} shown @param {number} n @param {number} i */
  function valueCell(meta, shown, n, i) {
    const line = shown.lines[n];
    const text = words.value(line, i, shown.unit);
    if (line.y[i] === null) return el("td", { class: "number" }, text);
    const [, why] = data.runOf(meta, line, i);
    const spoilt = why ? [el("span", { class: "doubtful", title: why }, "⚠ ")] : [];
    return el("td", { class: "number", "data-value": String(line.y[i]) }, ...spoilt, el("button", { type: "button", class: "pick", "data-line": n, "data-index": i }, text));
  }

  /** @param {Meta} meta @param {HistoryShown} shown */
  function versionRows(meta, shown) {
    return shown.lines.flatMap((line, n) => line.x.map((_, i) => () => el("tr", {}, el("td", {}, line.versions?.[i] ?? ""), el("td", {}, line.label),
      el("td", {}, commitCell(meta, line.commits[i])), valueCell(meta, shown, n, i))));
  }

  /** @param {Meta} meta @param {HistoryShown} shown */
  function commitRows(meta, shown) {
    const at = shown.lines.map((line) => new Map(line.commits.map((position, i) => [position, i])));
    return shown.positions.filter((position) => thin.within(shown.range, position)).reverse().map((position) => () => {
      const [, date, subject] = meta.commits[position];
      return el("tr", {}, el("td", {}, commitCell(meta, position)), el("td", {}, date), el("td", { class: "subject" }, subject),
        ...at.map((points, n) => { const i = points.get(position); return i === undefined ? el("td", { class: "number" }, "–") : valueCell(meta, shown, n, i); }));
    });
  }

  /** @param {Meta} meta @param {HistoryShown} shown */
  function fill(meta, shown) {
    const versions = shown.along === "blas";
    const heads = versions ? ["BLAS version", "Line", "Commit", "Value"] : ["Commit", "Date", "Subject", ...shown.lines.map((line) => line.label)];
    table().tHead?.replaceChildren(el("tr", {}, ...heads.map((name, i) => el("th", { scope: "col", class: i > 2 && "number" }, name))));
    const rows = versions ? versionRows(meta, shown) : commitRows(meta, shown);
    table().tBodies[0].replaceChildren(...rows.slice(0, FIRST_ROWS).map((row) => row()));
    further = () => rows.slice(FIRST_ROWS).map((row) => row());
    const more = /** @type {HTMLElement} */ (document.getElementById("history-more"));
    more.hidden = rows.length <= FIRST_ROWS;
    more.textContent = `All ${rows.length.toLocaleString("en")} rows`;
  }

  function all() {
    table().tBodies[0].append(...further());
    further = () => [];
    /** @type {HTMLElement} */ (document.getElementById("history-more")).hidden = true;
    press(pressed);
  }

  /** @param {HistoryPoint[]} points */
  function press(points) {
    pressed = points;
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#history-table .pick"))) {
      button.setAttribute("aria-pressed", String(points.some(([n, i]) => button.dataset.line === String(n) && button.dataset.index === String(i))));
    }
  }

  return { fill, all, press };
})();
