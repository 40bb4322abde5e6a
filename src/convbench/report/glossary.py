"""The words of the site: what each means, how to read it, and where it is met."""

from convbench.report.glossary_entries import Group, Term, ViewLink
from convbench.report.glossary_views import CHOOSING, COMPARING, COVERAGE, READING, ROOFLINE

VIEWS = (
    ViewLink("overview", "Overview", "What needs attention, and what the newest values are"),
    ViewLink("changes", "Changes", "What became slower or faster, at which commit, and why"),
    ViewLink("history", "History", "How one benchmark did over the commits"),
    ViewLink("matrix", "Strategies × problems", "Who wins where, and by how much"),
    ViewLink("roofline", "Roofline", "How near a strategy comes to what the machine can do"),
    ViewLink("blas", "BLAS", "What the BLAS build makes of it"),
    ViewLink("compare", "Compare", "How two commits, environments or machines differ"),
    ViewLink("why", "Why is it slow?", "Why a small convolution takes longer than a large product"),
    ViewLink("machines", "Machines", "What each machine is, how noisy, and how they compare"),
    ViewLink(
        "coverage",
        "Coverage and A/A",
        "What failed, is stale or was never measured; how often equal calls look different; runs",
    ),
)
"""The views that can be opened without saying what of them."""

GROUPS = (
    Group(
        "Numbers",
        (
            Term(
                "value",
                "The median of a benchmark's samples in one run, as asv computed it: seconds of "
                "one call, bytes, or what else its unit says.",
                "Three digits are shown; the store has all.",
            ),
            Term(
                "interval",
                "asv's 99 % interval of that median, from the samples of the one run; the "
                "quartiles where it had too few samples for one; none where it stored neither.",
                "It tells how much the samples of one run scatter, not how much runs differ. "
                "Between runs values scatter more: see noise.",
                "history",
            ),
            Term(
                "history",
                "The values of one benchmark with one set of parameters, in one environment with "
                "one BLAS build and number of threads, on one machine, in the order of the "
                "commits.",
                "Another version of a benchmark begins a new history; the newest one is drawn. "
                "The tiles of Overview count every history once, by its newest commit.",
                "history",
            ),
            Term(
                "noise",
                "How much a history scatters about its level, as a standard deviation in "
                "percent, estimated from differences between neighbouring commits.",
                "A change much smaller than this cannot be seen, whatever the intervals say.",
                "machines",
            ),
            Term(
                "geometric mean",
                "Of ratios: the number whose logarithm is the mean of their logarithms. Twice as "
                "fast on one and half as fast on another makes 1.",
                "Of one mean no single benchmark can be told: look at the spread beside it.",
            ),
            Term(
                "failed, skipped, not measured",
                "Failed: the benchmark raised an error, ran out of time or was refused by the "
                "guard. Skipped: it said that it does not apply, or the run left it out. Not "
                "measured: no run tried.",
                "Three different things, and none of them is a value.",
            ),
            Term(
                "stale",
                "A value whose machine has measured a newer commit since, without this one (†: "
                "from an earlier commit).",
                "It is relative to the newest run, never to today's date.",
            ),
        ),
    ),
    Group(
        "Changes",
        (
            Term(
                "change",
                "A commit at which a history moved to another level and stayed there, as "
                "convbench detect found it over the whole history; ▲ slower or worse, ▼ faster or "
                "better. How much, is a ratio with its 95 % interval.",
                "A new level is told from its fourth value on at the earliest. Two values that "
                "differ are no change.",
                "changes",
            ),
            Term(
                "no verdict yet",
                "Too few commits with a value to tell a level from scatter, or changes were not "
                "searched for.",
                "It is not the same as unchanged.",
                "overview",
            ),
            Term(
                "event",
                "What one cause did: changes in one direction and of similar size, at one commit, "
                "in the histories of one strategy or family of benchmarks, or of everything where "
                "much changed at once.",
                "Its size is the median of its histories. An event keeps its id when further "
                "histories join it.",
                "changes",
                "changes",
            ),
            Term(
                "cause",
                "Who did it, as far as the other histories tell. code: seen on several machines "
                "or builds. machine: most of what one machine measures, nothing elsewhere. BLAS "
                "or environment: one only, while others of the machine stayed. measurement: a "
                "disturbed run, or the old level was back at once. Else undecided.",
                "A history without the change is a witness only where it would have shown it.",
                "changes",
                "changes",
            ),
            Term(
                "starts failing, works again",
                "A benchmark that has failed twice in succession after values, or the reverse.",
                "",
                "changes",
                "changes",
            ),
            Term(
                "decision",
                "What the team wrote of an event into triage.toml. acknowledged: known, still "
                "told. expected, ignored: not told any more, but pale among Changes.",
                "Such an entry may have an end; then the event is open again.",
                "changes",
                "changes",
            ),
        ),
    ),
    READING,
    COMPARING,
    Group(
        "Strategies and rates",
        (
            Term(
                "winner, tie",
                "★ has the lowest time of its column. ≈ and hatched is a tie: its interval and the "
                "winner's touch, so the two may be equal.",
                "No tie is claimed where there is no interval, where one reaches over more than a "
                "factor of 2, or where one is of a disturbed run: then it cannot be told (?).",
                "matrix",
                "matrix",
            ),
            Term(
                "effective GFLOP/s",
                "The operations of the direct algorithm over the time, whatever the strategy "
                "really executed; a multiply-add counts as two.",
                "It orders strategies as their times do. Winograd and FFT execute fewer "
                "operations and may exceed what the machine can do.",
                "matrix",
                "matrix",
            ),
            Term(
                "control of a BLAS comparison",
                "Strategies that call no BLAS: between two builds they should not differ.",
                "How much they do is what a comparison of builds is off by; a smaller difference "
                "is no evidence of the BLAS.",
                "blas",
                "blas",
            ),
            Term(
                "measured peak, bandwidth",
                "The highest rate that a benchmark of this suite reached: a large matrix product "
                "by the BLAS (GEMM), multiply-adds in registers (FMA), and a triad of arrays that "
                "one level of memory holds.",
                "Measured in the same runs, not taken from a data sheet.",
                "machines",
                "matrix",
            ),
            Term(
                "% of peak",
                "Effective GFLOP/s over the highest measured GEMM or FMA with the same data type "
                "and number of threads.",
                "Above 100 % means fewer operations, not a faster machine.",
                "machines",
                "matrix",
            ),
        ),
    ),
    CHOOSING,
    ROOFLINE,
    COVERAGE,
    Group(
        "Machines and trust",
        (
            Term(
                "A/A pair, A/A rate",
                "One call measured twice in a run under the labels a and b. The rate is the share "
                "of pairs that are called different, because their intervals do not touch.",
                "Every one is a false alarm. The bound beside it is exact (Clopper and Pearson), "
                "if pairs are independent.",
                "coverage",
                "trust",
            ),
            Term(
                "A/A spread",
                "How far the two values of such a pair lie apart: larger ÷ smaller − 1.",
                "A difference of that size between two strategies or builds says nothing.",
                "coverage",
                "trust",
            ),
            Term(
                "disturbed",
                "⚠: while this was measured, other processes or the hypervisor took CPU time, or "
                "the clock of a fixed kernel moved; it was measured again where the budget "
                "allowed, and stayed disturbed.",
                "Its numbers are shown, and doubtful.",
                "coverage",
                "trust",
            ),
            Term(
                "proven",
                "✓: the measuring process found the claimed BLAS mapped, and no other, before it "
                "measured. A number under a wrong label is not stored.",
                "",
                "coverage",
                "trust",
            ),
            Term(
                "identity",
                "Name, version and kernels of the BLAS that was really loaded.",
                "Another identity at the same commit is another point; nothing is overwritten.",
                "coverage",
                "trust",
            ),
            Term(
                "time at equal peak",
                "The ratio of two machines' times × the ratio of their measured peaks.",
                "Above 1 the machine makes less of what it has than the other, below 1 more.",
                "machines",
                "matrix",
            ),
        ),
    ),
)
