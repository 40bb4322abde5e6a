"""Snakemake whose SLURM plugin looks at its jobs every second, for tests.

The plugin (2.8.0) waits ten seconds longer after every look that finds nothing finished.
"""

import sys

from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor

Executor.next_seconds_between_status_checks = property(lambda _: 1, lambda *_: None)

if __name__ == "__main__":
    sys.exit(main())
