// Cells of any two commits, lines or machines: what is compared, and verdicts as cell_verdicts.py reaches them.
"use strict";
(() => {
  const { readable } = CB;
  /** @type {CompareKey[]} */
  const KEYS = ["base", "head", "machine", "blas", "base_machine", "base_blas"];
  // In the order in which they need attention.
  const RANKS = ["slower", "failing", "suspect", "faster", "undecided", "same", "missing"];

  /** @typedef {{value: number, low: number | null, high: number | null}} Reading */
  /** @typedef {{cell: number, position: number, failed: boolean, reading: Reading | null}} Side a cell of -1 is no cell */
  /** @typedef {{at: number[] | number, y: string, bounds?: string, failed?: number[]}} Values */
  /** @typedef {{position: number, readings: Map<number, Reading>, failed: Set<number>}} Outcomes */

  /** @type {Meta} */
  let meta;
  /** @type {CompareShared} */
  let shared;
  /** @type {Map<number, CompareChange[]>} */
  let changes = new Map();
  /** @type {Map<string, number>} */
  let numbers = new Map();
  /** @type {Map<string, [position: number, exact: boolean]>} */
  let tags = new Map();
  /** @type {{key: string, rows: CompareRow[]}} */
  let compared = { key: "", rows: [] };

  /** @type {Map<number, [width: number, signed: boolean]>} */
  let widths = new Map();

  const { BASE, number } = CB.packed;

  /**
   * Reads packed numbers, one after the other.
   * @param {string} text
   */
  function reader(text) {
    let at = 0;
    /** @param {number} width */
    function next(width) {
      at += width;
      return number(text, at - width, width);
    }
    /** @param {number} digit */
    function step(digit) {
      if (digit < BASE - 2) return digit;
      const far = next(2);
      return far < BASE ** 2 - 1 ? far : next(5);
    }
    /**
     * The steps of two bounds; null where there are none.
     * @returns {[below: number, above: number] | null}
     */
    function steps() {
      const digit = text ? next(1) : BASE - 1;
      if (digit === BASE - 1) return null;
      const below = step(digit);
      return [below, step(next(1))];
    }
    return { next, steps };
  }

  /** Loads what all comparisons share; once. */
  async function load() {
    [meta, shared] = await Promise.all([CB.load("meta"), CB.load("c/cells")]);
    if (!numbers.size) {
      changes = new Map(shared.changes);
      widths = new Map(shared.wide.map(([cell, width, signed]) => [cell, [width, Boolean(signed)]]));
      tags = new Map(meta.tags.map(([position, tag, other]) => [tag, [position, !other]]));
      numbers = new Map(shared.series.map((series, cell) => {
        const [machine, line] = placeOf(cell);
        return [JSON.stringify([series, machine, line]), cell];
      }));
    }
    return { meta, shared };
  }

  /** @param {number} cell */
  const placeOf = (cell) => shared.places[shared.place[cell]];

  /** @param {string} unit */
  const isRate = (unit) => ["/s", "/sec", "/second", "per second"].some((end) => unit.endsWith(end));
  /** @param {number} cell */
  const unitOf = (cell) => meta.measures[meta.series[shared.series[cell]][0]][1];
  /** @param {number} ratio @param {string} unit */
  const direction = (ratio, unit) => ((ratio > 1) !== isRate(unit) ? "slower" : "faster");

  /** @param {number} position @returns {Promise<Outcomes>} */
  async function outcomes(position) {
    const file = shared.starts.filter((first) => first <= position).length - 1;
    /** @type {Values[]} */
    const commits = await CB.load(`c/${file}`);
    const { at, y, bounds, failed } = commits[position - shared.starts[file]];
    const runs = typeof at === "number" ? /** @type {number[]} */ (commits[at].at) : at;
    /** @type {Map<number, Reading>} */
    const readings = new Map();
    const [values, around] = [reader(y), reader(bounds || "")];
    for (let run = 0; run < runs.length; run += 2) {
      for (let cell = runs[run]; cell < runs[run] + runs[run + 1]; cell += 1) {
        const [width, signed] = widths.get(cell) || [shared.width, false];
        const number = values.next(width);
        const whole = !signed ? number : number % 2 ? -(number + 1) / 2 : number / 2;
        // Read as text: a power of ten times a whole number is not always the number it looks like.
        const value = Number(`${whole}e${shared.exponent[cell]}`);
        const steps = around.steps();
        readings.set(cell, {
          value,
          low: steps && value * (1 - shared.boundStep * steps[0]),
          high: steps && value * (1 + shared.boundStep * steps[1]),
        });
      }
    }
    return { position, readings, failed: new Set(failed || []) };
  }

  /** @param {Side} base @param {Side} head @returns {CompareJudged} */
  function judge(base, head) {
    const unit = unitOf(head.cell);
    const values = { base: base.reading?.value ?? null, head: head.reading?.value ?? null, ratio: null, low: null, high: null, changes: [] };
    if (head.failed) return { ...values, verdict: base.failed ? "missing" : "failing", known: base.failed ? "fails at both" : "fails at the head" };
    if (!base.reading || !head.reading) {
      /** @param {string} name @param {Side} side */
      const lacking = (name, side) => (side.reading ? [] : [`${side.failed ? "failed" : "no value"} at the ${name}`]);
      return { ...values, verdict: "missing", known: [...lacking("base", base), ...lacking("head", head)].join(", ") };
    }
    if (base.cell === head.cell) {
      const [older, newer] = [base.position, head.position].sort((a, b) => a - b);
      const found = (changes.get(head.cell) || []).filter(([position]) => older < position && position <= newer);
      if (found.length) return byChanges(found, base.position > head.position, unit);
    }
    return byNoise([base.cell, base.reading], [head.cell, head.reading], unit);
  }

  /** @param {CompareChange[]} found @param {boolean} backwards @param {string} unit @returns {CompareJudged} */
  function byChanges(found, backwards, unit) {
    const levels = [found[0][1], found[found.length - 1][2]];
    const [base, head] = backwards ? levels.reverse() : levels;
    if (base <= 0 || head <= 0) return { verdict: "undecided", base, head, ratio: null, low: null, high: null, known: "a level of 0 has no ratio", changes: [] };
    const ratio = head / base;
    // Independent errors: their squares add up.
    const width = Math.hypot(...found.map(([, , , low, high]) => (low === null || high === null || low <= 0 ? 0 : Math.log(high / low) / 2)));
    const [low, high] = [ratio * Math.exp(-width), ratio * Math.exp(width)];
    const known = `${readable.counted(found.length, "change")} found`;
    const judged = { base, head, ratio, low, high, changes: found };
    if (low <= 1 && 1 <= high) return { ...judged, verdict: "same", known: `${known}, and undone` };
    return { ...judged, verdict: direction(ratio, unit), known };
  }

  /** @param {[cell: number, reading: Reading]} base @param {[cell: number, reading: Reading]} head @param {string} unit @returns {CompareJudged} */
  function byNoise([baseCell, old], [headCell, now], unit) {
    const values = { base: old.value, head: now.value, changes: [] };
    if (old.value <= 0 || now.value <= 0) return { ...values, verdict: "undecided", ratio: null, low: null, high: null, known: "a value of 0 or below has no ratio" };
    const ratio = now.value / old.value;
    const low = now.low !== null && old.high ? now.low / old.high : null;
    const high = now.high !== null && old.low !== null ? now.high / old.low : null; // by 0: without end
    const judged = { ...values, ratio, low, high };
    const [before, after] = [shared.reach[baseCell], shared.reach[headCell]];
    if (before === null || after === null) {
      const fewest = Math.min(shared.measured[baseCell], shared.measured[headCell]);
      return { ...judged, verdict: "undecided", known: fewest < meta.minCommits ? `${fewest} of ${readable.counted(meta.minCommits, "commit")}` : "noise not known" };
    }
    const reach = shared.reachStep * Math.sqrt((before ** 2 + after ** 2) / 2);
    const farthest = reach >= Math.LN2 ? `×${readable.significant(Math.exp(reach), 2)}` : `±${readable.significant(100 * Math.expm1(reach), 2)}\u00a0%`;
    const noise = `noise explains up to ${farthest}`;
    if (Math.abs(Math.log(ratio)) <= reach) return { ...judged, verdict: "same", known: noise };
    if (low !== null && high !== null && low <= 1 && 1 <= high) return { ...judged, verdict: "same", known: "the intervals of both values overlap" };
    if (baseCell === headCell) return { ...judged, verdict: "suspect", known: `${noise}; no change found` };
    return { ...judged, verdict: direction(ratio, unit), known: noise };
  }

  /**
   * What a choice compares: each cell with an outcome at either side. The last one is kept, for filters.
   * @param {CompareChoice} choice
   */
  async function compare(choice) {
    const key = JSON.stringify([choice.positions, ...KEYS.slice(2).map((one) => choice.asked[one])]);
    if (compared.key !== key) compared = { key, rows: await judgeAll(choice) };
    return compared.rows;
  }

  /** @param {CompareChoice} choice @returns {Promise<CompareRow[]>} */
  async function judgeAll({ positions, asked }) {
    const [base, head] = await Promise.all([outcomes(positions.base), outcomes(positions.head)]);
    /** @param {Outcomes} of @param {number} cell @returns {Side} */
    const side = ({ position, readings, failed }, cell) => ({ cell, position, failed: failed.has(cell), reading: readings.get(cell) || null });
    const several = [isSeveral(0), isSeveral(1)];
    return shared.series.flatMap((series, cell) => {
      const [machine, line] = placeOf(cell);
      if ((asked.machine && machine !== asked.machine) || (asked.blas && line !== asked.blas)) return [];
      const other = numbers.get(JSON.stringify([series, asked.base_machine || machine, asked.base_blas || line])) ?? -1;
      if (other === cell && positions.base === positions.head) return [];
      const sides = [side(base, other), side(head, cell)];
      if (!sides.some(({ failed, reading }) => failed || reading)) return [];
      const judged = judge(sides[0], sides[1]);
      return [{ cell, ...named(cell, several), ...judged, rank: RANKS.indexOf(judged.verdict), size: judged.ratio ? Math.max(judged.ratio, 1 / judged.ratio) : 0 }];
    });
  }

  /**
   * Whether there are several machines (0), or lines (1).
   * @param {0 | 1} index
   */
  const isSeveral = (index) => new Set(shared.places.map((place) => place[index])).size > 1;

  /**
   * A cell's name, and what tells it from others; without words that are the same for all.
   * @param {number} cell @param {boolean[]} several
   */
  function named(cell, several) {
    const [measure, , , values] = meta.series[shared.series[cell]];
    const [machine, line] = placeOf(cell);
    const where = !several[0] ? line : several[1] ? `${machine} · ${line}` : machine;
    const strategy = values[meta.parameters.findIndex(([name]) => name === "strategy")] || "";
    const rest = values.filter((value, at) => value !== null && meta.parameters[at][0] !== "strategy");
    const name = meta.measures[measure][0];
    return { name: strategy || name, detail: [...rest, ...(strategy ? [name] : []), where].join(" · ") };
  }

  /**
   * A commit by its tag or any unambiguous beginning of its name; -1 for one that the store has not.
   * @param {string} name
   */
  function positionOf(name) {
    const tagged = tags.get(name);
    if (tagged || name.length < 4) return tagged ? tagged[0] : -1;
    const places = meta.commits.flatMap(([hash], at) => (hash.startsWith(name) ? [at] : []));
    return places.length ? places[places.length - 1] : -1;
  }

  /** @param {number} position */
  const nameOf = (position) => meta.commits[position]?.[0].slice(0, 8) ?? "";

  /** @param {number} position @returns {string[]} */
  const tagsOf = (position) => meta.tags.flatMap(([at, tag, other]) => (at === position && !other ? [tag] : []));

  /**
   * Reads a choice from the address, in which what is left out is as the page starts.
   * @param {URLSearchParams} query @returns {CompareChoice}
   */
  function choiceOf(query) {
    const bare = !KEYS.some((key) => query.has(key));
    /** @param {CompareKey} key */
    const read = (key) => query.get(key) || (bare || key === "base" || key === "head" ? shared.first[key] : "") || "";
    const asked = /** @type {Record<CompareKey, string>} */ (Object.fromEntries(KEYS.map((key) => [key, read(key)])));
    const positions = { base: positionOf(asked.base), head: positionOf(asked.head) };
    const names = { base: nameOf(positions.base) || asked.base, head: nameOf(positions.head) || asked.head };
    /** @type {("base" | "head")[]} */
    const sides = ["base", "head"];
    /** @param {CompareKey} key @param {0 | 1} index @param {string} words */
    const lacking = (key, index, words) => (asked[key] && !shared.places.some((place) => place[index] === asked[key]) ? [`The store has no ${words} ${asked[key]}.`] : []);
    const unknown = [
      ...sides.filter((key) => positions[key] < 0).map((key) => `The store has no values of commit ${names[key]}: it was not measured, or not collected yet.`),
      ...lacking("machine", 0, "machine"), ...lacking("base_machine", 0, "machine"),
      ...lacking("blas", 1, "build or environment"), ...lacking("base_blas", 1, "build or environment"),
    ];
    const notes = sides.filter((key) => tags.get(asked[key])?.[1] === false)
      .map((key) => `${asked[key]} itself was not measured: ${names[key]} is the first measured commit that has it.`);
    return { asked, positions, names, unknown, notes };
  }

  // As Python's shlex.quote does it.
  /** @param {string} word */
  const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`);

  /**
   * As compared_cells.py writes it; empty where one call of the command cannot compare the two.
   * @param {CompareChoice} choice
   */
  function commandOf({ asked, positions, names }) {
    if (asked.base_machine) return "";
    /** @param {string} line */
    const find = (line) => (line ? shared.places.find(([machine, one]) => one === line && ["", machine].includes(asked.machine)) : undefined);
    const head = find(asked.blas);
    const words = ["convbench", "compare"];
    if (!asked.base_blas) {
      words.push(names.base, names.head, ...(head ? ["--environment", head[3]] : []));
    } else {
      const base = find(asked.base_blas);
      if (positions.base !== positions.head || !head || !base) return "";
      /** @type {[string, 2 | 3]} */
      const [kind, index] = head[2] && base[2] && head[2] !== base[2] ? ["blas", 2] : ["environment", 3];
      words.push(`${kind}:${base[index]}`, `${kind}:${head[index]}`, "--at", names.head);
    }
    if (head && head[4]) words.push("--threads", "all");
    return words.map(quoted).join(" ");
  }

  /** @param {number} cell */
  function historyLink(cell) {
    const [measure, , , values] = meta.series[shared.series[cell]];
    const query = new URLSearchParams({ measure: meta.measures[measure][0] });
    meta.parameters.forEach(([, key], at) => {
      const value = values[at];
      if (value !== null) query.set(key, value);
    });
    query.set("machine", placeOf(cell)[0]);
    return `#/history?${query}`;
  }

  CB.compare = { RANKS, load, compare, choiceOf, commandOf, historyLink, isRate, isSeveral, nameOf, placeOf, tagsOf, unitOf };
})();
