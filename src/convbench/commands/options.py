"""Options that several commands share."""

import argparse
from pathlib import Path


def add_config(parser: argparse._ActionsContainer) -> None:
    """Declare where asv's configuration is."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=Path("asv.conf.json"),
        help="asv's configuration (default: asv.conf.json)",
    )
