"""Words that belong to one view: of histories, comparing, choosing, the roofline, coverage."""

from convbench.report.glossary_entries import Group, Term

READING = Group(
    "Reading a history",
    (
        Term(
            "relative",
            "Each value over the median of its line's first 20 commits that are shown.",
            "It puts lines of very different times side by side; which of them is faster it does "
            "not say.",
            "history",
            "history",
        ),
        Term(
            "range",
            "The strip below the plot shows all commits, and between its two ends those that the "
            "plot shows. The ends move by mouse or keys, and by zooming in the plot.",
            "The link of the page keeps the range.",
            "history",
            "history",
        ),
        Term(
            "second point",
            "One value is chosen by a click; with Shift another one, and what lies between both "
            "is told: the ratio, the commits, and a link to Compare.",
            "The ratio of two values is no verdict on a change: Compare says what noise explains.",
            "history",
            "history",
        ),
        Term(
            "samples",
            "The single timings behind a value, each a dot, where the store has them: of the "
            "newest commits, a hundred of each value at most.",
            "Two heaps of dots are two modes of the machine, and their median either.",
            "history",
            "history",
        ),
        Term(
            "drawn as fewer",
            "Of more points than a screen can tell apart, each bucket's least, middle and greatest "
            "are drawn, and those next to a change.",
            "A narrower range shows them one by one; the CSV has all.",
            "history",
            "history",
        ),
    ),
)

COMPARING = Group(
    "Comparing two commits, builds or machines",
    (
        Term(
            "cell",
            "One history of the comparison with an outcome at the base or at the head: a "
            "benchmark with its parameters, on a machine and line.",
            "Every cell has one verdict, and the counts of verdicts add up to all cells.",
            "compare",
            "compare",
        ),
        Term(
            "slower, faster",
            "A change that was found lies between the two commits, and the interval of its levels' "
            "ratio excludes 1; or two machines or lines lie further apart than noise explains.",
            "The ratio of one history is that of its levels before and after, not of the two "
            "values at hand.",
            "compare",
            "compare",
        ),
        Term(
            "reach, noise explains",
            "How far two values of a history may lie apart by chance: its scatter about the median "
            "of each level, the farthest value left out, times what Student's t exceeds once in a "
            "thousand; 2 % at least.",
            "A noisy history reaches far, and little can be said of it: measure both sides "
            "together with convbench compare BASE HEAD.",
            "compare",
            "compare",
        ),
        Term(
            "within noise, unconfirmed",
            "Within noise: the two values differ by no more than the reach, or their intervals "
            "touch. Unconfirmed: they differ by more, but no change is found between the commits.",
            "Unconfirmed asks for a second measurement: convbench compare BASE HEAD.",
            "compare",
            "compare",
        ),
        Term(
            "not comparable",
            "A side has no value: it was not measured there, was skipped, or failed at both. A "
            "cell that fails at the head alone is failing.",
            "It is not counted as equal.",
            "compare",
            "compare",
        ),
    ),
)

CHOOSING = Group(
    "Choosing a strategy",
    (
        Term(
            "cost of always taking one",
            "The geometric mean, over the problems of a table, of a strategy's time over that of "
            "the fastest of each problem; beside it the worst of these ratios.",
            "1 would be the fastest everywhere. The interval takes those of the times as "
            "independent and adds their half-widths, in logarithms, in quadrature.",
            "matrix",
            "matrix",
        ),
        Term(
            "front",
            "Of accuracy against speed: the strategies to which no other is at least as fast and "
            "as accurate, and better in one of both.",
            "What is not on it is beaten by something that is. It is drawn of the values as they "
            "are, without their intervals.",
            "matrix",
            "matrix",
        ),
        Term(
            "overtakes",
            "In a family of problems that differ in one size alone, a strategy overtakes the "
            "fastest where it is faster beyond both intervals.",
            "Where about is read off straight lines between the sizes measured, on logarithmic "
            "axes.",
            "matrix",
            "matrix",
        ),
        Term(
            "workspace, peak memory",
            "Workspace is counted from a problem's sizes: what a strategy holds at its largest "
            "moment beside input, filters and output. Peak memory is measured, on few problems.",
            "The benchmark of peak memory subtracts what was there before the run; the output "
            "counts.",
            "matrix",
            "matrix",
        ),
    ),
)

ROOFLINE = Group(
    "Roofline",
    (
        Term(
            "executed GFLOP/s",
            "The operations that the strategy itself executes, over the time.",
            "Unlike the effective rate, it cannot exceed what the machine can do.",
            "roofline",
            "roofline",
        ),
        Term(
            "executed ÷ direct",
            "How many operations a strategy executes for each one of the direct algorithm: below 1 "
            "for Winograd's, above it where padding or transforms add some.",
            "In the picture it moves a point along a dotted diagonal, from effective (○) to "
            "executed (●).",
            "roofline",
            "roofline",
        ),
        Term(
            "operations per byte",
            "The arithmetic intensity: operations over the bytes of operands and output, each "
            "moved once.",
            "Low: the memory is the limit. High: the arithmetic is. A strategy that copies moves "
            "more bytes than are counted.",
            "roofline",
            "roofline",
        ),
        Term(
            "ceiling",
            "A line that no executed rate should cross: level, the measured peak of arithmetic; "
            "sloping, the measured bandwidth of one level of memory times the operations per byte.",
            "Where a slope meets the peak, memory and arithmetic take equally long: left of it "
            "memory may bind, right of it arithmetic does. A problem that fits a cache may lie "
            "above the slopes of the slower levels.",
            "roofline",
            "roofline",
        ),
    ),
)

COVERAGE = Group(
    "Coverage",
    (
        Term(
            "never measured",
            "A benchmark with its parameters that has an outcome on one line or machine, and none "
            "at any commit on another.",
            "What no line has ever measured is not known here, and not counted.",
            "coverage",
            "coverage",
        ),
        Term(
            "measured no more",
            "A line that its machine has not measured for many commits, such as an environment of "
            "an old version: it is told apart, and its cells are not called stale.",
            "",
            "coverage",
            "coverage",
        ),
        Term(
            "null p-value",
            "The p-value of a test between the samples of an A/A pair, which are of one call.",
            "If samples were independent, every tenth of the range would hold a tenth of them. A "
            "heap near 0 says that runs differ by more than their samples scatter.",
            "coverage",
            "trust",
        ),
    ),
)
