"""What convbench measures: every strategy on every named problem, under the BLAS that is claimed.

asv imports this package once per environment and commit (launch method `forkserver`) and forks a
process per cell. So everything that must not be part of a timed call happens here, on import: the
number of threads, the imports, Numba's compilation, the check of the loaded BLAS. A cell's first
call then only builds its operands.

asv runs today's benchmarks on yesterday's convbench: what decides shapes and guards is loaded from
the current tree (`_today`), what computes comes from the installed package.
"""

from . import _process

_process.prepare()
