// Which history the view History shows, and its lines: from data/meta.js and data/h/*.js.
"use strict";
CB.history = /** @type {HistoryScripts} */ ({});
CB.history.data = (() => {
  const COLOURS = 8;
  const MOST_LINES = 8; // of one parameter's values, over each other
  const FIRST_COMMITS = 20; // whose median relative values are relative to

  // The first parameter lists all its values, the next those that exist with it, and so on;
  // so every choice that can be made exists. One that was always skipped says so.
  /** @param {Meta} meta @param {URLSearchParams} query */
  function choose(meta, query) {
    let rows = meta.series.map((row, index) => ({ row, index }));
    const first = meta.series[meta.first];
    /** @type {HistoryChoice[]} */
    const choices = [];
    /** @param {string} key @param {string} label @param {(row: Meta["series"][number]) => string | null} valueOf */
    function narrow(key, label, valueOf) {
      const values = [...new Set(rows.map(({ row }) => valueOf(row)))].flatMap((value) => (value === null ? [] : [value]));
      if (!values.length) return;
      const live = new Set(rows.filter(({ row }) => !row[4]).map(({ row }) => valueOf(row)));
      const wished = [query.get(key), valueOf(first)].find((one) => one !== null && values.includes(one));
      const value = wished ?? values.find((one) => live.has(one)) ?? values[0];
      const names = new Map(values.map((one) => [one, live.has(one) ? one : `${one} (skipped)`]));
      rows = rows.filter(({ row }) => valueOf(row) === value);
      choices.push({ key, label, values, value, names });
    }
    narrow("measure", "Measure", (row) => meta.measures[row[0]][0]);
    meta.parameters.forEach(([, key, label], at) => narrow(key, label, (row) => row[3][at]));
    return { choices, index: rows[0].index };
  }

  // The parameters that other series differ in alone, each with these series.
  /** @param {Meta} meta @param {number} index */
  function overlays(meta, index) {
    const [measure, , , own] = meta.series[index];
    return meta.parameters.flatMap(([, key, label], at) => {
      if (own[at] === null) return [];
      const members = meta.series.flatMap(([other, , , values, skipped], number) => (other === measure && (!skipped || number === index)
        && values[at] !== null && values.every((value, i) => i === at || value === own[i]) ? [number] : []));
      return members.length > 1 ? [{ key, label, at, members }] : [];
    });
  }

  /** @param {string} unit */
  const isRate = (unit) => /(\/s|\/sec|\/second|per second)$/.test(unit);

  // The fastest by their newest values, but always the chosen one; in the order of the data.
  /** @param {Meta} meta @param {number[]} members @param {number} chosen */
  async function fastest(meta, members, chosen) {
    if (members.length <= MOST_LINES) return members;
    /** @type {(number | null)[]} */
    const sizes = await CB.load("sizes");
    const sign = isRate(meta.measures[meta.series[chosen][0]][1]) ? -1 : 1;
    /** @param {number} index */
    const rank = (index) => { const size = sizes[index]; return size === null ? Infinity : sign * size; };
    const ordered = members.filter((index) => index !== chosen).sort((a, b) => rank(a) - rank(b) || a - b);
    return [chosen, ...ordered.slice(0, MOST_LINES - 1)].sort((a, b) => a - b);
  }

  // Points of few commits stand side by side.
  /** @param {HistoryLine[]} lines */
  function dodged(lines) {
    const positions = lines.flatMap((line) => line.x);
    const span = positions.reduce((a, b) => Math.max(a, b), -Infinity) - positions.reduce((a, b) => Math.min(a, b), Infinity) || 2;
    return lines.map((line, i) => ({ ...line, dodge: (i - (lines.length - 1) / 2) * 0.012 * span }));
  }

  /** @param {Meta} meta @param {HistoryLine[]} lines */
  function labelled(meta, lines) {
    const machines = new Set(lines.map((line) => line.machine)).size > 1;
    const names = new Set(lines.map((line) => line.name)).size > 1;
    return dodged(lines.map((line) => ({
      ...line,
      label: machines && names ? `${line.machine} · ${line.name}` : machines ? line.machine : line.name,
      // A build keeps its colour on every page; with one build, machines have colours.
      colour: (names || !machines ? meta.lines.indexOf(line.like || line.name) : meta.machines.indexOf(line.machine)) % COLOURS,
      dash: machines && names ? ["solid", "dash", "dot", "dashdot"][meta.machines.indexOf(line.machine) % 4] : "solid",
    })));
  }

  // Lines of one parameter's values: a value keeps its colour, unless another one that is shown has it.
  /** @param {Meta} meta @param {{ index: number, lines: HistoryLine[] }[]} members @param {number} at */
  function overlaid(meta, members, at) {
    const values = [...new Set(meta.series.map((row) => row[3][at]))];
    /** @type {Set<number>} */
    const taken = new Set();
    return dodged(members.flatMap(({ index, lines }) => {
      const value = meta.series[index][3][at] ?? "";
      let colour = values.indexOf(value) % COLOURS;
      for (let tries = 0; tries < COLOURS && taken.has(colour); tries += 1) colour = (colour + 1) % COLOURS;
      taken.add(colour);
      return lines.map((line) => ({ ...line, label: value, colour, dash: "solid" }));
    }));
  }

  /** @param {Meta} meta @param {HistoryLine} line @param {number} i */
  const runOf = (meta, line, i) => meta.runs[Array.isArray(line.runs) ? line.runs[i] : line.runs + i];
  /** @param {Meta} meta @param {HistoryLine} line @param {number} i */
  const isSpoilt = (meta, line, i) => line.y[i] !== null && runOf(meta, line, i).length > 1;

  // Families with a line for each version become lines over the versions: a point for each, at
  // one commit or at the version's newest. Points keep the commit and the run that they come from.
  /** @param {HistoryLine[]} lines */
  function families(lines) {
    /** @type {Map<string, HistoryLine[]>} */
    const found = new Map();
    for (const line of lines.filter(({ family }) => family)) {
      const key = JSON.stringify([line.machine, line.family]);
      found.set(key, [...(found.get(key) || []), line]);
    }
    return [...found.values()];
  }
  /** @param {Meta} meta @param {HistoryLine[]} lines */
  const versions = (meta, lines) => meta.versions.filter((one) => lines.some((line) => line.identity === one));

  /** @param {Meta} meta @param {HistoryLine[][]} found @param {number | null} wanted */
  function byVersion(meta, found, wanted) {
    const rank = new Map(versions(meta, found.flat()).map((one, at) => [one, at]));
    return found.map((members) => {
      const points = versions(meta, members).flatMap((version) => {
        const these = members.filter((line) => line.identity === version).flatMap((line) => line.x.map((x, i) => ({ line, x, i })))
          .filter(({ line, x, i }) => (wanted === null ? line.y[i] !== null : x === wanted));
        // Environments that share a version have a point each.
        const last = Math.max(...these.map(({ x }) => x));
        return these.filter(({ x }) => x === last);
      });
      /** @param {"y" | "low" | "high"} name */
      const column = (name) => points.map(({ line, i }) => line[name]?.[i] ?? null);
      const { changes, searched, samples, ...shared } = members[0];
      return {
        ...shared, name: members[0].family ?? "", like: members[0].name, versions: points.map(({ line }) => line.identity),
        x: points.map(({ line }) => rank.get(line.identity) ?? 0), commits: points.map(({ x }) => x), y: column("y"), low: column("low"), high: column("high"),
        runs: points.map(({ line, i }) => (Array.isArray(line.runs) ? line.runs[i] : line.runs + i)),
        bad: points.flatMap(({ line, i }, at) => (line.bad || []).filter(([bad]) => bad === i).map(([, status]) => /** @type {[number, string]} */ ([at, status]))),
        names: points.map(({ line, i }) => pointName(meta, line, i)),
      };
    }).filter((line) => line.x.length);
  }

  // Commits at which a family has more than one version: there the BLAS alone differs.
  /** @param {HistoryLine[][]} found */
  function sharedCommits(found) {
    /** @type {Set<number>} */
    const shared = new Set();
    for (const members of found) {
      /** @type {Map<number, string>} */
      const seen = new Map();
      for (const line of members) {
        for (const x of line.x) {
          if ((seen.get(x) ?? line.identity) !== line.identity) shared.add(x);
          seen.set(x, line.identity);
        }
      }
    }
    return [...shared].sort((a, b) => b - a);
  }

  /** @param {Meta} meta @param {HistoryLine} line @param {number} i @returns {string} */
  function pointName(meta, line, i) {
    if (line.names) return line.names[i];
    const [run] = runOf(meta, line, i);
    return run ? run + line.ofRun : (line.ofCommit || ["", ""]).join(meta.commits[line.commits[i]][0].slice(0, 8));
  }

  // Numbers of so many digits each, from the least on; 0 is none.
  /** @param {PackedNumbers} packed */
  function unpack([least, width, text]) {
    /** @type {(number | null)[]} */
    const numbers = [];
    for (let at = 0; at < text.length; at += width) {
      const far = CB.packed.number(text, at, width);
      numbers.push(far ? least + far - 1 : null);
    }
    return numbers;
  }
  /** @param {number | PackedCounts} packed @param {number} length */
  function counts(packed, length) {
    if (typeof packed === "number") return Array.from({ length }, (_, i) => packed + i);
    const [first, ...steps] = packed;
    let last = first;
    return [first, ...unpack(steps).map((step) => (last += step ?? 0))];
  }

  // A line as packed_columns.py writes it, as numbers. Read as text: a power of ten times a whole number is not always the number it looks like.
  /** @param {StoredLine} stored @returns {ReadLine} */
  function read({ x, runs, ...stored }) {
    /** @param {ReadLine["y"]} y */
    const placed = (y) => ({ x: counts(x, y.length), runs: typeof runs === "number" ? runs : counts(runs, y.length) });
    if (!("exponent" in stored)) return { ...stored, ...placed(stored.y) };
    const { exponent, y, low, high, ...shared } = stored;
    const whole = unpack(y);
    /** @param {number | null} number */
    const value = (number) => (number === null ? null : Number(`${number}e${exponent}`));
    /** @param {PackedNumbers} packed @param {1 | -1} sign */
    const end = (packed, sign) => unpack(packed).map((far, i) => value(far === null ? null : (whole[i] ?? 0) + sign * far));
    return { ...shared, ...placed(whole), y: whole.map(value), ...(low && high ? { low: end(low, -1), high: end(high, 1) } : {}) };
  }

  /** @param {number[]} values */
  const median = (values) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

  // The direct algorithm's operations, where a series is a time of so many.
  /** @param {Meta} meta @param {number} index */
  function flopsOf(meta, index) {
    const [measure, , , values] = meta.series[index];
    if (meta.measures[measure][0] !== meta.rates.measure || meta.measures[measure][1] !== "seconds") return undefined;
    const problem = values[meta.parameters.findIndex(([name]) => name === "problem")];
    return meta.rates.flops.find(([name]) => name === problem)?.[1];
  }

  // Values as they are to be drawn, with what was measured kept as `raw`.
  /** @param {HistoryLine[]} lines @param {HistoryValues} values */
  function valued(lines, values) {
    if (!values) return lines;
    return lines.map((line) => {
      const raw = { y: line.y, low: line.low, high: line.high };
      if (values === "relative") {
        const base = median(line.y.flatMap((value) => (value === null ? [] : [value])).slice(0, FIRST_COMMITS));
        /** @param {number | null} value */
        const over = (value) => (value === null || !(base > 0) ? null : value / base);
        return { ...line, raw, y: line.y.map(over), low: line.low?.map(over), high: line.high?.map(over) };
      }
      /** @param {number | null | undefined} value */
      const rate = (value) => (value && value > 0 && line.flops ? line.flops / value : null);
      // More time is a lower rate: ends of intervals and signs of changes turn round.
      return {
        ...line, raw, y: line.y.map(rate), low: line.high?.map(rate), high: line.low?.map(rate),
        changes: line.changes?.map(([x, before, after, ratio, kind, low, high, ...event]) => /** @type {HistoryChange} */ (
          [x, rate(before) ?? 0, rate(after) ?? 0, 1 / ratio, kind, high ? 1 / high : high, low ? 1 / low : low, ...event])),
      };
    });
  }

  return { read, choose, overlays, fastest, labelled, overlaid, families, versions, byVersion, sharedCommits, valued, flopsOf, runOf, isSpoilt, pointName, median };
})();

// Of very many points each bucket's least, middle and greatest are drawn, and those at changes.
CB.history.thin = (() => {
  /** @param {HistoryRange} range @param {number} position */
  const within = (range, position) => !range || (range[0] <= position && position <= range[1]);

  // The points of a line that are drawn, from left to right.
  /** @param {HistoryLine} line @param {HistoryRange} range @param {number} most */
  function indices(line, range, most) {
    const ordered = line.x.map((_, i) => i).sort((a, b) => line.x[a] - line.x[b] || a - b);
    const inside = ordered.map((i) => within(range, line.commits[i]));
    // One more at either end, so that lines go on to the edge.
    const kept = ordered.filter((_, at) => inside[at] || inside[at - 1] || inside[at + 1]);
    if (kept.length <= most) return kept;
    const changes = new Set((line.changes || []).map(([position]) => position));
    const bad = new Set((line.bad || []).map(([i]) => i));
    const size = Math.ceil(kept.length / Math.floor(most / 3));
    const chosen = new Set(kept.filter((i, at) => bad.has(i) || changes.has(line.commits[i]) || changes.has(line.commits[kept[at + 1]])));
    for (let start = 0; start < kept.length; start += size) {
      const bucket = kept.slice(start, start + size).filter((i) => line.y[i] !== null)
        .sort((a, b) => /** @type {number} */ (line.y[a]) - /** @type {number} */ (line.y[b]));
      if (bucket.length) for (const i of [bucket[0], bucket[Math.floor((bucket.length - 1) / 2)], bucket[bucket.length - 1]]) chosen.add(i);
    }
    return kept.filter((i) => chosen.has(i));
  }

  return { indices, within };
})();
