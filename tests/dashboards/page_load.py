"""What a reader waits for: one load of a page in a fresh context of the browser, measured."""

from dataclasses import dataclass
from typing import Any

from static_server import Server

LONG, SETTLED, MOST_WAITS = 50, 1500, 20
"""Milliseconds of a task that is felt, and without one after which a page is taken for ready."""

# Runs before the page's own scripts. `content` is the first frame in which the selector is shown.
OBSERVER = """
(selector) => {
  const seen = window.__seen = { long: [], shift: 0, content: null };
  const watch = (type, add) => new PerformanceObserver((list) => list.getEntries().forEach(add))
    .observe({ type, buffered: true });
  watch("longtask", (one) => seen.long.push([one.startTime, one.duration]));
  watch("layout-shift", (one) => { if (!one.hadRecentInput) seen.shift += one.value; });
  const look = () => {
    const found = document.querySelector(selector);
    if (found && found.getClientRects().length) seen.content = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
"""

# From the click to the frame after the one in which each selector is shown.
CLICK = """
async ([link, selectors]) => {
  const start = performance.now();
  document.querySelector(link).click();
  const frame = () => new Promise(requestAnimationFrame);
  const isShown = (selector) => !!document.querySelector(selector)?.getClientRects().length;
  const seen = new Set();
  const times = selectors.map(() => null);
  for (;;) {
    await frame();
    const passed = performance.now() - start;
    selectors.forEach((selector, at) => {
      if (seen.has(at)) times[at] ??= passed;
      else if (isShown(selector)) seen.add(at);
    });
    if (!times.includes(null) || passed > 30000) return times;
  }
}
"""


@dataclass(frozen=True)
class Load:
    """Times in milliseconds from the start of navigation; bytes as sent, compressed."""

    content: float
    interactive: float
    blocking: float
    shift: float
    bytes: int
    bytes_of_bundle: int
    requests: int
    nodes: int
    errors: tuple[str, ...]
    outside: tuple[str, ...]


@dataclass(frozen=True)
class Conditions:
    """How the page is loaded."""

    slow_link: bool = False
    cpu_throttle: int = 1
    width: int = 1280


class Visit:
    """A page in a context of its own: nothing is cached, nothing is remembered."""

    def __init__(self, browser: Any, server: Server, conditions: Conditions) -> None:
        self._server = server
        self._context = browser.new_context(viewport={"width": conditions.width, "height": 900})
        self.page = self._context.new_page()
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._on_request)
        # Chromium's own emulation of a slow line is not felt here by requests to loopback.
        server.slow = conditions.slow_link
        if conditions.cpu_throttle > 1:
            session = self._context.new_cdp_session(self.page)
            session.send("Emulation.setCPUThrottlingRate", {"rate": conditions.cpu_throttle})

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()
        self._server.slow = False

    def load(self, path: str, selector: str) -> Load:
        """Load a page until its content is shown and no long task was seen for a while."""
        self._server.sent.clear()
        self.page.add_init_script(f"({OBSERVER})({selector!r})")
        self.page.goto(self._server.address + path)
        self.page.wait_for_function("window.__seen.content !== null", timeout=120_000)
        seen = self._settled()
        content = float(seen["content"])
        ends = [start + length for start, length in seen["long"]]
        sent = list(self._server.sent)
        bundle = sum(size for name, size in sent if name == "plotly.min.js")
        return Load(
            content=content,
            interactive=max([content, *ends]),
            blocking=sum(max(length - LONG, 0) for _, length in seen["long"]),
            shift=float(seen["shift"]),
            bytes=sum(size for _, size in sent) - bundle,
            bytes_of_bundle=bundle,
            requests=len(sent),
            nodes=int(self.page.evaluate("document.querySelectorAll('*').length")),
            errors=tuple(self.errors),
            outside=tuple(self.outside),
        )

    def click(self, link: str, *selectors: str) -> list[float]:
        """Click a link; the milliseconds until each of what it leads to is shown."""
        passed = self.page.evaluate(CLICK, [link, selectors])
        for selector, time in zip(selectors, passed, strict=True):
            assert time is not None, f"a click on {link} led to no {selector}"
        return [float(time) for time in passed]

    def _settled(self) -> dict[str, Any]:
        """Wait until no long task was seen for a while; one that never rests is taken as it is."""
        known = -1
        for _ in range(MOST_WAITS):
            seen: dict[str, Any] = self.page.evaluate("window.__seen")
            if len(seen["long"]) == known:
                break
            known = len(seen["long"])
            self.page.wait_for_timeout(SETTLED)
        return seen

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _on_request(self, request: Any) -> None:
        if not request.url.startswith((self._server.address, "data:", "blob:")):
            self.outside.append(request.url)
