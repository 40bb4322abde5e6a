// Runs before the first paint: marks that scripts work, which view is shown and which colours.
// The views are those of the document, named by its first element: the rest is not read yet.
"use strict";
(() => {
  const root = document.documentElement;
  const views = (root.dataset.views || "").split(" ");
  const [, named = ""] = location.hash.match(/^#\/([a-z]+)/) || [];
  const view = named === "trust" ? "coverage" : named; // an address of older sites
  root.classList.add("js");
  root.dataset.view = views.includes(view) ? view : "overview";
  // From disk, storage may be forbidden; then the choice lasts as long as the page.
  try {
    const theme = localStorage.getItem("convbench-theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch { /* as the system */ }
})();
