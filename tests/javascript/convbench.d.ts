// What the scripts of the site share: the object CB, the data files' shapes, the calls of Plotly that we make.
// Checked by `tsc -p tests/javascript`. In JSDoc a tag that follows words needs a line of its own.

/** The choices in an address: `#/view?key=value`. */
interface ViewState { view: string; query: URLSearchParams }

/** Called on every entry to a view and every change of its choices; a rejection is shown to the reader. */
type EnterView = (query: URLSearchParams, section: HTMLElement) => void | Promise<void>;

/** `data/meta.js`: what all histories share. */
interface Meta {
  project: string;
  minCommits: number;
  /** Why no history was searched for changes, or empty. */
  unsearched: string;
  /** An address with `{commit}` in it, or empty. */
  commitUrl: string;
  /** Hash, date, subject, in order. */
  commits: [hash: string, date: string, subject: string][];
  /** Name in the data, key in the address, label. */
  parameters: [name: string, key: string, label: string][];
  measures: [name: string, unit: string][];
  /** Names of BLAS builds or environments. */
  lines: string[];
  machines: string[];
  machine: string;
  /** The series shown first, -1 without any. */
  first: number;
  /** Measure, file `h/N`, place in it, a value (or none) per parameter; 1 where all is skipped. */
  series: [measure: number, file: number, at: number, values: (string | null)[], skipped?: 1][];
  /** Name, and why the run was disturbed. */
  runs: ([name: string] | [name: string, why: string])[];
  versions: string[];
}

type ReadableScale = [name: string, size: number];

/** The same rules as readable.py. */
interface Readable {
  significant(value: number | null, digits?: number): string;
  scale(value: number, unit: string): ReadableScale;
  quantity(value: number, unit: string): string;
  roundQuantity(value: number, unit: string): string;
  times(ratio: number): string;
  percent(ratio: number): string;
  counted(number: number, noun: string): string;
}

interface Plot {
  /** For every text given to Plotly, which reads pseudo-HTML. */
  esc(text: unknown): string;
  /** The value of a CSS variable: `colour("c0")`, `colour("muted")`. */
  colour(name: string): string;
  layout(height: number): PlotlyLayout;
  /** Draws or redraws; the chart's still picture goes. */
  draw(target: HTMLElement, traces: PlotlyTrace[], figure: PlotlyLayout): Promise<void>;
}

type CompareKey = "base" | "head" | "machine" | "blas" | "base_machine" | "base_blas";

/** A change found in a history: its position, levels, the bounds of their ratio, and its event. */
type CompareChange = [position: number, before: number, after: number, low: number | null, high: number | null, event: string];

/** `data/c/cells.js`: what all comparisons share, in columns by cell. */
interface CompareShared {
  /** The choice that the document shows. */
  first: Partial<Record<CompareKey, string>>;
  /** The first commit of each file. */
  starts: number[];
  boundStep: number;
  reachStep: number;
  places: [machine: string, line: string, blas: string, environment: string, allThreads: 0 | 1][];
  series: number[];
  place: number[];
  reach: (number | null)[];
  exponent: number[];
  /** Digits of a packed value, and the cells that have others, or values below 0. */
  width: number;
  wide: [cell: number, width: number, signed: 0 | 1][];
  measured: number[];
  changes: [cell: number, changes: CompareChange[]][];
}

/** What is compared: as the address has it, and as the store knows it; a position of -1 is no commit. */
interface CompareChoice {
  asked: Record<CompareKey, string>;
  positions: { base: number; head: number };
  names: { base: string; head: string };
  unknown: string[];
  notes: string[];
}

interface CompareJudged {
  verdict: string; base: number | null; head: number | null; ratio: number | null; low: number | null; high: number | null;
  known: string; changes: CompareChange[];
}
interface CompareRow extends CompareJudged { cell: number; name: string; detail: string; rank: number; size: number }

interface Comparison {
  RANKS: string[];
  load(): Promise<{ meta: Meta; shared: CompareShared }>;
  compare(choice: CompareChoice): Promise<CompareRow[]>;
  choiceOf(query: URLSearchParams): CompareChoice;
  commandOf(choice: CompareChoice): string;
  historyLink(cell: number): string;
  isRate(unit: string): boolean;
  isSeveral(index: 0 | 1): boolean;
  nameOf(position: number): string;
  placeOf(cell: number): CompareShared["places"][number];
  tagsOf(position: number): string[];
  unitOf(cell: number): string;
}

/** The object that all scripts share. A script adds its part here when others use it. */
interface Convbench {
  /** Data files call it: `CB.put("h/3", …)`. */
  put(name: string, value: unknown): void;
  /** Loads a script of the site once. */
  script(address: string): Promise<void>;
  packed: { BASE: number; number(text: string, at: number, width: number): number };
  /** Loads `data/NAME.js` once and gives what it put. */
  load(name: "meta"): Promise<Meta>;
  load(name: string): Promise<any>;
  /** Makes an element. No attribute for undefined and false; children may be text, which stays text. */
  el<Tag extends keyof HTMLElementTagNameMap>(
    tag: Tag, attributes?: Record<string, unknown>, ...children: (Node | string)[]
  ): HTMLElementTagNameMap[Tag];
  /** All elements of a selector. */
  all(within: ParentNode, selector: string): HTMLElement[];
  /** The first element of a selector; without one an error, which the view then tells the reader. */
  one<Element extends HTMLElement = HTMLElement>(within: ParentNode, selector: string): Element;
  /** Rows in the order of the document, whatever order they stand in by now. */
  ranked(rows: HTMLElement[]): HTMLElement[];
  /** A long name that may wrap after its dots and underscores. */
  breakable(text: string): (Node | string)[];
  /** Writes a view's choices into the address, without a step in the browser's history. */
  remember(view: string, query: URLSearchParams): void;
  /** Names the page after what a view shows, unless the reader has left that view. */
  entitle(view: string, title: string): void;
  state(): ViewState;
  /** Shows what the address says; again, after something else changed. */
  enter(): Promise<void>;
  views: Map<string, EnterView>;
  readable: Readable;
  plot: Plot;
  compare: Comparison;
  /** Draws a figure at once, before Plotly is there; fulfilled when it is on the screen. */
  sketch(element: HTMLElement, traces: PlotlyTrace[], figure: PlotlyLayout): Promise<void>;
}

// As an interface of the window and as a global, as classic scripts see it.
interface Window { CB: Convbench }
declare const CB: Convbench;

// Plotly: traces and layouts are written as its reference says; their many keys are not repeated here.
type PlotlyTrace = Record<string, any>;
interface PlotlyAxis { [key: string]: any }
interface PlotlyLayout {
  xaxis: PlotlyAxis; yaxis: PlotlyAxis; margin: { l: number; r: number; t: number; b: number };
  shapes?: Record<string, unknown>[]; annotations?: Record<string, unknown>[];
  [key: string]: any;
}
interface PlotlyPoint { x: any; y: any; curveNumber: number; pointNumber: number; customdata?: any }
interface PlotlyClick { points: PlotlyPoint[]; event: MouseEvent }
/** An element that Plotly has drawn into. */
interface PlotlyElement extends HTMLElement {
  data?: PlotlyTrace[];
  layout?: PlotlyLayout;
  on(name: "plotly_click", listener: (event: PlotlyClick) => void): void;
  on(name: "plotly_relayout", listener: (change: Record<string, any>) => void): void;
  on(name: string, listener: (event: any) => void): void;
  removeAllListeners(name: string): void;
}
declare const Plotly: {
  react(target: HTMLElement, traces: PlotlyTrace[], layout: PlotlyLayout, config: Record<string, unknown>): Promise<PlotlyElement>;
  restyle(target: HTMLElement, change: Record<string, unknown>, traces?: number[]): Promise<PlotlyElement>;
  relayout(target: HTMLElement, change: Record<string, unknown>): Promise<PlotlyElement>;
  update(target: HTMLElement, change: Record<string, unknown>, layout: Record<string, unknown>, traces?: number[]): Promise<PlotlyElement>;
  Fx: { hover(target: HTMLElement, points: { curveNumber: number; pointNumber: number }[]): void };
};
