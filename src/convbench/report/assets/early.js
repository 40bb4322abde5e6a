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
  // What the view needs is fetched beside what all views need, not after it; from disk that gains nothing.
  if (location.protocol !== "file:") {
    for (const href of JSON.parse(root.dataset.needs || "{}")[root.dataset.view] || []) {
      document.head.append(Object.assign(document.createElement("link"), { rel: "preload", as: "script", href }));
    }
  }
  // From disk, storage may be forbidden; then the choice lasts as long as the page.
  try {
    const theme = localStorage.getItem("convbench-theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch { /* as the system */ }
})();
