// Plotly: fetched ahead, evaluated on the first entry to a view that plots.
"use strict";
CB.plot = (() => {
  // Plotly reads pseudo-HTML in every text; names from data must stay names.
  const ENTITIES = new Map([["&", "&amp;"], ["<", "&lt;"], [">", "&gt;"]]);
  /** @param {unknown} text */
  const esc = (text) => String(text).replace(/[&<>]/g, (character) => ENTITIES.get(character) || "");

  let paper = false;
  const PAPER_WIDTH = 680;

  // The property itself reads light-dark(…, …); a colour that takes it is the one that is shown.
  const probe = CB.el("i", { hidden: "" });
  /** @param {string} channel */
  const hex = (channel) => Number(channel).toString(16).padStart(2, "0");
  /** @param {string} name */
  function colour(name) {
    if (!probe.isConnected) document.body.append(probe);
    probe.style.colorScheme = paper ? "light" : "";
    probe.style.color = `var(--${name})`;
    return `#${(getComputedStyle(probe).color.match(/\d+/g) || []).slice(0, 3).map(hex).join("")}`;
  }
  const CONFIG = {
    responsive: true,
    displaylogo: false,
    // The default mode bar can post the data to Plotly's cloud.
    plotlyServerURL: "",
    modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d", "toggleSpikelines"],
  };

  /** @param {number} height @returns {PlotlyLayout} */
  function layout(height) {
    const axis = {
      gridcolor: colour("rule"), linecolor: colour("rule"), zeroline: false, automargin: true,
      tickfont: { color: colour("muted") }, title: { font: { color: colour("muted"), size: 13 } },
    };
    return {
      height, autosize: !paper, ...(paper && { width: PAPER_WIDTH }), showlegend: false, hovermode: "closest", dragmode: "zoom",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: colour("ink") },
      margin: { l: 60, r: 16, t: 46, b: 46 },
      hoverlabel: { bgcolor: colour("soft"), bordercolor: colour("rule"), font: { color: colour("ink"), size: 13, family: getComputedStyle(document.body).fontFamily }, align: "left" },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("undecided"), activecolor: colour("focus") },
      xaxis: { ...axis }, yaxis: { ...axis },
    };
  }

  /** @param {HTMLElement} target @param {PlotlyTrace[]} traces @param {PlotlyLayout} figure */
  async function draw(target, traces, figure) {
    await CB.script("plotly.min.js");
    await Plotly.react(target, traces, figure, CONFIG);
    const chart = target.closest(".chart");
    chart?.classList.add("drawn");
    chart?.classList.remove("waiting");
  }

  // Paper is light and has a width of its own: what is shown is drawn for it, then for the screen again.
  /** @param {boolean} isPaper */
  function drawFor(isPaper) {
    paper = isPaper;
    const { view } = CB.state();
    if (document.querySelector(`.view[data-view="${view}"] .drawn .plot`)) CB.enter();
  }
  addEventListener("beforeprint", () => drawFor(true));
  addEventListener("afterprint", () => drawFor(false));

  return { esc, colour, layout, draw };
})();
