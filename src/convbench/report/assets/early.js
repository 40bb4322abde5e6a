// Runs before the first paint: marks that scripts work, which view is shown and which colours.
"use strict";
(() => {
  const root = document.documentElement;
  const views = ["overview", "history", "matrix", "why", "trust"];
  const [, view] = location.hash.match(/^#\/([a-z]+)/) || [];
  root.classList.add("js");
  root.dataset.view = views.includes(view) ? view : "overview";
  // From disk, storage may be forbidden; then the choice lasts as long as the page.
  try {
    const theme = localStorage.getItem("convbench-theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch { /* as the system */ }
})();
