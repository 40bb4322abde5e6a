// One event in full, from data/events/<id>.js.
"use strict";
(() => {
  const { el } = CB;
  /** @typedef {{ event: string, what: string, happened: string, kind: string, change: string, interval: string, levels: string, recovered: boolean, name: string, detail: string, link: string, cause: string, evidence: string, extent: string, triage: string, reason: string, commit: string, commit_url: string, date: string, subject: string, between: string, unrepeatable: string }} Facts */
  /** @typedef {{ width: number, height: number, left: number, right: number, top: number, bottom: number }} Frame */
  /** @typedef {{ frame: Frame, band: string, dots: [number, number, string, number][], failures: [number, number][], levels: [number, number, number, string][], witnesses: [string, string][], mark: number, doubt: [number, number] | null, others: [number, number][], x_ticks: [number, string][], y_ticks: [number, string][], y_title: string }} Picture */
  /** @typedef {[string, [number, number, number][], number, [number, number] | null, number[]]} Small path, levels, mark, doubt, failures */
  /** @typedef {Record<string, (string | boolean | null)[]>} Columns */

  const SMALL = { width: 200, height: 44 };
  const FIRST = 10; // histories that are shown until all are asked for: CSS hides the others
  let asked = 0; // only the newest of overlapping entries may finish

  /** @param {string} id @returns {HTMLElement} */
  const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(`event-${id}`));

  /** @param {string} tag @param {Record<string, unknown>} attributes @param {...(Node | string)} children @returns {SVGElement} */
  function svg(tag, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
    element.append(...children);
    return element;
  }

  /** @param {string} text @returns {string} */
  const asClass = (text) => text.replaceAll(" ", "-");

  /** @param {string} sha @param {string} url @returns {HTMLElement} */
  const commit = (sha, url) => (url ? el("a", { href: url, rel: "noopener" }, el("code", {}, sha)) : el("code", {}, sha));

  /**
   * What both sizes of picture share: doubt, the mark, the values, levels.
   * @param {{ top: number, bottom: number }} frame @param {string} kind @param {string} path
   * @param {(Picture["levels"] | Small[1])} levels @param {number} mark @param {[number, number] | null} doubt @returns {SVGElement[]}
   */
  function strokes(frame, kind, path, levels, mark, doubt) {
    const { top, bottom } = frame;
    return [
      ...(doubt ? [svg("rect", { class: "doubt-range", x: doubt[0], y: top, width: doubt[1] - doubt[0], height: bottom - top })] : []),
      svg("path", { class: `mark ${asClass(kind)}`, d: `M${mark} ${top}V${bottom}` }),
      svg("g", { class: "c0" }, svg("path", { class: "curve", d: path })),
      ...levels.map(([x, end, y]) => svg("path", { class: "level", d: `M${x} ${y}H${end}` })),
    ];
  }

  /** @param {Picture} picture @param {string} kind @param {string} label @returns {SVGElement} */
  function large({ frame, ...picture }, kind, label) {
    const { left, right, top, bottom } = frame;
    /** @param {SVGElement} shape @param {string} words @param {number} [position] of the commit that the words go on with */
    const titled = (shape, words, position = -1) => {
      const title = svg("title", {}, words);
      if (position >= 0) title.dataset.commit = String(position);
      shape.append(title);
      return shape;
    };
    const path = picture.dots.map(([x, y], i) => `${i ? "L" : "M"}${x} ${y}`).join("");
    const [behind, ...rest] = strokes(frame, kind, path, picture.levels, picture.mark, picture.doubt);
    const leftOf = picture.mark > right - 120;
    return svg("svg", { class: "picture", viewBox: `0 0 ${frame.width} ${frame.height}`, "aria-hidden": "true" },
      ...picture.y_ticks.flatMap(([at, words]) => [
        svg("path", { class: "grid", d: `M${left} ${at}H${right}` }), svg("text", { class: "tick end", x: left - 8, y: at + 4 }, words)]),
      ...picture.x_ticks.map(([at, words]) => svg("text", { class: "tick middle", x: at, y: bottom + 20 }, words)),
      svg("text", { class: "tick", x: left, y: top - 12 }, picture.y_title),
      behind,
      ...picture.others.map(([x, position]) => titled(svg("path", { class: "mark", d: `M${x} ${top}V${bottom}` }), "another change", position)),
      ...picture.witnesses.map(([path, words]) => titled(svg("path", { class: "witness", d: path }), words)),
      svg("g", { class: "c0" }, svg("path", { class: "band bars", d: picture.band })),
      ...rest,
      svg("g", { class: "c0" }, ...picture.dots.map(([x, y, words, position]) => titled(svg("circle", { cx: x, cy: y, r: 3.5 }), words, position)),
        ...picture.failures.map(([x, position]) => titled(svg("text", { class: "label middle", x, y: bottom - 4 }, "✕"), "failed", position))),
      ...picture.levels.map(([x, end, y, words], i) => svg("text", { class: `level-name${i ? " end" : ""}`, x: i ? end : x, y: y - 9 }, words)),
      svg("text", { class: `label ${asClass(kind)}${leftOf ? " end" : ""}`, x: picture.mark + (leftOf ? -6 : 6), y: top - 12 }, label),
    );
  }

  /**
   * Names the commits of a picture, which is drawn before their names are there.
   * @param {Element} picture
   */
  async function nameCommits(picture) {
    /** @type {{ commits: [string, string, string][] }} */
    const { commits } = await CB.load("meta");
    for (const title of /** @type {NodeListOf<SVGElement>} */ (picture.querySelectorAll("title[data-commit]"))) {
      const [sha, ...rest] = commits[Number(title.dataset.commit)];
      title.textContent += `, ${[sha.slice(0, 8), ...rest].filter(Boolean).join(" ")}`;
    }
  }

  /** @param {Small} picture @param {string} kind @returns {SVGElement} */
  function small([path, levels, mark, doubt, failures], kind) {
    return svg("svg", { class: "picture step", viewBox: `0 0 ${SMALL.width} ${SMALL.height}`, width: SMALL.width, height: SMALL.height, "aria-hidden": "true" },
      ...strokes({ top: 2, bottom: SMALL.height - 2 }, kind, path, levels, mark, doubt),
      ...failures.map((x) => svg("text", { class: "label middle", x, y: SMALL.height - 4 }, "✕")));
  }

  /**
   * Rows of columns: a column that was left out is empty throughout.
   * @param {Columns} columns @returns {Record<string, any>[]}
   */
  function rows(columns) {
    const first = Object.values(columns)[0] || [];
    return first.map((_, i) => Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[i]])));
  }

  /** @param {string} label @param {Node | string} main @param {...(Node | string | undefined | false)} more @returns {HTMLElement} */
  const fact = (label, main, ...more) => el("div", {}, el("span", {}, label), el("b", {}, main),
    ...more.flatMap((one) => (one ? [el("small", {}, one)] : [])));

  /** @param {Facts} event */
  function showFacts(event) {
    byId("facts").replaceChildren(
      fact("Change", el("span", { class: asClass(event.kind) }, event.change), event.interval && `95 % interval ${event.interval}`,
        event.extent, event.recovered && "recovered since"),
      fact("First commit", commit(event.commit, event.commit_url), [event.date, event.subject].filter(Boolean).join(" · "), event.between && `or one of ${event.between}`),
      fact("Cause", event.cause, event.evidence),
      fact("Decision", event.triage, event.reason || (event.triage === "open" && "nobody has decided yet; the command is below")),
    );
  }

  /** @param {{ histories: Columns, moreHistories: number, kind: string }} event */
  function showHistories(event) {
    /** @param {string} label @param {string} words */
    const cell = (label, words) => el("td", { class: "number", ...(words ? { "data-label": label } : {}) }, words || "");
    byId("histories").querySelector("tbody")?.replaceChildren(...rows(event.histories).map((one) => el("tr", {},
      el("td", {}, one.link ? el("a", { class: "name", href: one.link }, ...CB.breakable(one.name)) : el("span", { class: "name" }, ...CB.breakable(one.name)),
        el("small", {}, one.detail), ...(one.notes ? [el("small", {}, one.notes)] : [])),
      el("td", {}, ...(one.picture ? [small(one.picture, event.kind)] : [])),
      cell("before", one.before), cell("after", one.after),
      el("td", { class: "number" }, el("strong", { class: asClass(event.kind) }, one.change), ...(one.commit ? [el("small", {}, "at ", one.commit)] : [])),
      cell("95 % interval", one.interval), cell("p, adjusted", one.p))));
    const { length } = byId("histories").querySelectorAll("tbody tr");
    byId("whole").hidden = length <= FIRST;
    byId("whole").textContent = `All ${length} histories`;
    byId("histories").classList.toggle("cut", length > FIRST);
    byId("more").textContent = event.moreHistories ? `The clearest are listed; ${event.moreHistories.toLocaleString("en")} more are in the store's table changes.` : "";
  }

  /** @param {{ commits: Columns, moreCommits: number }} event */
  function showCommits(event) {
    const listed = rows(event.commits);
    byId("commits").querySelector("tbody")?.replaceChildren(...listed.map((one) => el("tr", { class: one.likeliest ? "likeliest" : "" },
      el("td", {}, commit(one.commit, one.url), ...(one.tags ? [el("small", {}, one.tags)] : []),
        ...(one.likeliest && listed.length > 1 ? [el("small", { class: "worse" }, "the likeliest")] : [])),
      el("td", { class: "date" }, one.date || "", ...(one.measured ? [] : [el("small", {}, "not measured")])),
      el("td", {}, one.subject || "", ...(one.author ? [el("small", {}, one.author)] : [])))));
    byId("commits").classList.toggle("bare", !listed.some((one) => one.subject || one.author));
    byId("more-commits").textContent = !listed.length ? "The store knows no commits of this project beyond those measured."
      : event.moreCommits ? `${event.moreCommits.toLocaleString("en")} more commits of the range are in the store's table commits.` : "";
  }

  /** @param {[string, string, string, [string, string, string][]][]} environments */
  function showEnvironments(environments) {
    byId("environments").replaceChildren(...environments.flatMap(([where, histories, same, differing]) => [
      el("p", { class: "event-where" }, el("b", {}, where), ` ${histories}`),
      ...(differing.length ? [el("div", { class: "scroll" }, el("table", { class: "list" },
        el("thead", {}, el("tr", {}, ...["Fact", "Before", "After"].map((head) => el("th", { scope: "col" }, head)))),
        el("tbody", {}, ...differing.map(([name, before, after]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, before), el("td", {}, after))))))] : []),
      el("p", { class: "how" }, same ? `${differing.length ? "The same" : "Nothing that is known differs; the same"}: ${same}.`
        : differing.length ? "" : "Not known: the results of these commits do not tell their environments."),
    ]));
  }

  /** @param {{ commands: [string, string][], unrepeatable: string }} event */
  function showCommands({ commands, unrepeatable }) {
    byId("commands").replaceChildren(...commands.flatMap(([text, does]) => [
      el("p", { class: "command" }, el("code", {}, text), el("button", { class: "copy needs-js", type: "button" }, "Copy")),
      el("p", { class: "how" }, does)]), ...(unrepeatable ? [el("p", { class: "how" }, unrepeatable)] : []));
  }

  /** @param {[string, string, string, string, string, string][]} others */
  function showOthers(others) {
    byId("others-part").hidden = !others.length;
    byId("others").replaceChildren(...others.map(([event, change, kind, name, cause, triage]) => el("li", {},
      el("a", { href: `#/event?id=${event}` }, el("strong", { class: asClass(kind) }, change), " ", ...CB.breakable(name)), ` ${cause}, ${triage}`)));
  }

  /** @param {any} event */
  function show(event) {
    byId("title").replaceChildren(...CB.breakable(event.what), ` ${event.happened.replace(" %", "\u00a0%")}`);
    showFacts(event);
    byId("figure").hidden = !event.picture;
    byId("doubt").hidden = !event.picture?.doubt;
    /** @type {Picture["witnesses"]} */
    const witnesses = event.picture?.witnesses || [];
    byId("witnesses").hidden = !witnesses.length;
    byId("witnesses-names").textContent = witnesses.map(([, words]) => words).join(", ");
    if (event.picture) {
      // The event's change is the median of all; a picture says its own history's.
      const [one = event, ...others] = rows(event.histories);
      const clearest = others.length ? "The clearest: " : "";
      byId("caption").replaceChildren(clearest, el("b", {}, one.link ? el("a", { href: one.link }, one.name) : one.name), ` ${one.detail}`);
      const box = byId("picture");
      const drawn = large(event.picture, event.kind, `${one.change} at ${one.commit || event.commit}`);
      box.replaceChildren(drawn);
      nameCommits(drawn);
      // Where the picture is wider than the screen, the change is in sight.
      box.scrollLeft = (event.picture.mark / event.picture.frame.width) * box.scrollWidth - box.clientWidth / 2;
    }
    showHistories(event);
    showCommits(event);
    showEnvironments(event.environments);
    showCommands(event);
    showOthers(event.others);
  }

  /**
   * Loads an event; one that has another name by now is known by its old one as well.
   * @param {string} id
   */
  async function find(id) {
    // Another text could name any file.
    if (!/^[0-9a-z]+$/.test(id)) return null;
    try {
      const event = await CB.load(`events/${id}`);
      return event?.now ? await CB.load(`events/${event.now}`) : event;
    } catch {
      return null;
    }
  }

  /** @param {URLSearchParams} query */
  async function enter(query) {
    const id = query.get("id") || "";
    const turn = (asked += 1);
    const event = id ? await find(id) : null;
    if (turn !== asked) return;
    byId("all").hidden = !event;
    byId("none").hidden = Boolean(event);
    if (event) show(event);
    else {
      byId("title").textContent = id ? "No such event" : "One event in full";
      if (id) byId("why").replaceChildren(`These results have no event ${id}. `, el("a", { href: "#/changes" }, "All events"));
    }
    CB.entitle("event", byId("title").textContent || "");
  }
  CB.views.set("event", enter);
  byId("whole")?.addEventListener("click", () => {
    byId("whole").hidden = true;
    byId("histories").classList.remove("cut");
  });
})();
