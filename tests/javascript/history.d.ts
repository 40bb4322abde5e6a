// What the scripts of the view History share with each other: CB.history.

/** A change as data_files.py writes it. */
type HistoryChange = [
  position: number, before: number, after: number, ratio: number, kind: string,
  low?: number | null, high?: number | null, event?: string, cause?: string, triage?: string,
];

/** A line of `data/h/N.js`. */
interface ReadLine {
  machine: string; name: string; identity: string; family?: string;
  x: number[]; y: (number | null)[]; low?: (number | null)[]; high?: (number | null)[];
  /** The number of each point's run; one number where they count up from it. */
  runs: number | number[];
  ofRun?: string; ofCommit?: [before: string, after: string];
  bad?: [index: number, status: string][];
  searched?: number; changes?: HistoryChange[];
  /** The points that have samples; one number where all from it on have. */
  samples?: number | number[];
}
/** Whole numbers of so many digits each, as packed_columns.py writes them. */
type PackedNumbers = [least: number, width: number, text: string];
/** A number, and the steps to the next ones; one number where they count up from it. */
type PackedCounts = [first: number, ...steps: PackedNumbers];
/** The line in its file: whole numbers of one unit, ends of intervals as distances; without a unit as they are. */
type StoredLine = Omit<ReadLine, "x" | "runs" | "y" | "low" | "high"> & { x: number | PackedCounts; runs: number | PackedCounts }
  & ({ exponent: number; y: PackedNumbers; low?: PackedNumbers; high?: PackedNumbers } | Pick<ReadLine, "y" | "low" | "high">);
interface StoredSeries { unit: string; lines: StoredLine[] }

/** A line as it is drawn: `x` is where its points stand, `commits` whose they are. */
interface HistoryLine extends Omit<ReadLine, "x"> {
  x: number[]; commits: number[];
  label: string; colour: number; dash: string; dodge: number;
  /** Its series in the data: file, place in it, and which of its lines it is. */
  from: { file: number; at: number; line: number };
  /** The values as they were measured, where others are drawn. */
  raw?: { y: (number | null)[]; low?: (number | null)[]; high?: (number | null)[] };
  /** Operations of the direct algorithm. */
  flops?: number;
  versions?: string[]; names?: string[]; like?: string;
}

interface HistoryChoice { key: string; label: string; values: string[]; value: string; names?: Map<string, string> }
/** A point: the number of its line and its index on it. */
type HistoryPoint = [line: number, index: number];
/** Positions of the first and the last commit that are shown; null for all. */
type HistoryRange = [first: number, last: number] | null;
type HistoryValues = "" | "relative" | "rate";

/** Everything that is drawn. */
interface HistoryShown {
  lines: HistoryLine[];
  /** Labels of lines that the legend hides. */
  hidden: Set<string>;
  /** Of the values that are drawn and that were measured. */
  unit: string; rawUnit: string;
  values: HistoryValues; scale: string; along: string; range: HistoryRange;
  /** All commits that a line has, in order. */
  positions: number[];
  /** Where a commit stands on the axis. */
  xOf: (position: number) => number;
  /** Whether lines are those of one parameter: then their ends have their names. */
  overlaid: boolean;
  index: number;
}

interface HistoryOverlay { key: string; label: string; at: number; members: number[] }
/** What was loaded for an address. */
interface HistoryFound {
  choices: HistoryChoice[]; index: number; overlays: HistoryOverlay[]; overlay: HistoryOverlay | undefined;
  members: number[]; loaded: { unit: string; lines: HistoryLine[] }[]; dates: number[] | null;
}

interface HistoryFigure { size: number; limits: [number, number]; traces: PlotlyTrace[]; figure: PlotlyLayout; thinned: number }

interface HistoryScripts {
  data: {
    read(stored: StoredLine): ReadLine;
    choose(meta: Meta, query: URLSearchParams): { choices: HistoryChoice[]; index: number };
    overlays(meta: Meta, index: number): HistoryOverlay[];
    fastest(meta: Meta, members: number[], chosen: number): Promise<number[]>;
    labelled(meta: Meta, lines: HistoryLine[]): HistoryLine[];
    overlaid(meta: Meta, members: { index: number; lines: HistoryLine[] }[], at: number): HistoryLine[];
    families(lines: HistoryLine[]): HistoryLine[][];
    versions(meta: Meta, lines: HistoryLine[]): string[];
    byVersion(meta: Meta, families: HistoryLine[][], wanted: number | null): HistoryLine[];
    sharedCommits(families: HistoryLine[][]): number[];
    valued(lines: HistoryLine[], values: HistoryValues): HistoryLine[];
    flopsOf(meta: Meta, index: number): number | undefined;
    runOf(meta: Meta, line: HistoryLine, i: number): Meta["runs"][number];
    isSpoilt(meta: Meta, line: HistoryLine, i: number): boolean;
    pointName(meta: Meta, line: HistoryLine, i: number): string;
    median(values: number[]): number;
  };
  thin: {
    indices(line: HistoryLine, range: HistoryRange, most: number): number[];
    within(range: HistoryRange, position: number): boolean;
  };
  axes: {
    isNarrow(): boolean;
    limits(shown: HistoryShown, lines: HistoryLine[]): [number, number];
    across(meta: Meta, shown: HistoryShown, lines: HistoryLine[]): PlotlyAxis;
    title(shown: HistoryShown, name: string): string;
    ends(shown: HistoryShown, lines: HistoryLine[], limits: [number, number], figure: PlotlyLayout): void;
    marks(shown: HistoryShown, lines: HistoryLine[], figure: PlotlyLayout, pixels: number): void;
    tags(meta: Meta, shown: HistoryShown, figure: PlotlyLayout, pixels: number): void;
  };
  plot: {
    build(meta: Meta, shown: HistoryShown, width: number): HistoryFigure;
    cursors(shown: HistoryShown, built: HistoryFigure, points: HistoryPoint[]): [PlotlyTrace, PlotlyTrace];
  };
  asked: {
    fill(form: HTMLElement, choices: HistoryChoice[]): void;
    gather(meta: Meta, query: URLSearchParams): Promise<HistoryFound>;
    arrange(meta: Meta, query: URLSearchParams, found: HistoryFound): { shown: HistoryShown; where: string };
    remember(choices: HistoryChoice[], query: URLSearchParams, shown: HistoryShown): void;
    named(meta: Meta, lines: HistoryLine[], query: URLSearchParams, suffix: "" | "2"): HistoryPoint | null;
    newest(shown: HistoryShown): HistoryPoint | null;
  };
  words: {
    interval(line: HistoryLine, i: number, unit: string): string;
    value(line: HistoryLine, i: number, unit: string): string;
    say(meta: Meta, shown: HistoryShown, names: { title: string; detail: string }, extra: string[]): void;
    titles(meta: Meta, index: number, overlay: { label: string; at: number } | undefined): { title: string; detail: string };
    legend(shown: HistoryShown): void;
  };
  table: {
    fill(meta: Meta, shown: HistoryShown): void;
    all(): void;
    press(points: HistoryPoint[]): void;
  };
  point: {
    show(meta: Meta, shown: HistoryShown, points: HistoryPoint[]): void;
    hide(): void;
  };
  brush: {
    show(meta: Meta, shown: HistoryShown, choose: (range: HistoryRange) => void): void;
    hide(): void;
  };
  samples: {
    offer(meta: Meta, line: HistoryLine, i: number): void;
    hide(): void;
    /** Whether they are shown wherever there are some. */
    open(wanted: boolean): void;
  };
}

interface Convbench { history: HistoryScripts }
interface Meta {
  /** Whether the date of every commit is known; then `data/times.js` has them to the minute. */
  dated: boolean;
  /** The first measured commit that has a tag; 1 where the tagged commit itself was not measured. */
  tags: [position: number, tag: string, later?: 1][];
  sampleStep: number;
  /** The measure that is a time of so many operations. */
  rates: { measure: string; flops: [problem: string, flops: number][] };
}
