"""Every strategy by its permanent name; a new one is one file and one row here."""

from collections.abc import Mapping
from types import MappingProxyType

from convbench.errors import UnknownStrategy
from convbench.strategies import (
    auto,
    einsum,
    fft,
    im2col,
    loops,
    loops_dot,
    numba_direct,
    scipy_correlate2d,
    shifted,
    tensordot,
    toeplitz,
)
from convbench.strategies._strategy import Strategy

__all__ = ["STRATEGIES", "Strategy", "get_strategy"]

STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {
        strategy.name: strategy
        for strategy in (
            loops.STRATEGY,
            loops_dot.STRATEGY,
            scipy_correlate2d.STRATEGY,
            shifted.STRATEGY,
            einsum.STRATEGY,
            tensordot.STRATEGY,
            im2col.STRATEGY,
            fft.STRATEGY,
            numba_direct.STRATEGY,
            toeplitz.STRATEGY,
            auto.STRATEGY,
        )
    }
)


def get_strategy(name: str) -> Strategy:
    """Look up a strategy by its permanent name."""
    try:
        return STRATEGIES[name]
    except KeyError:
        raise UnknownStrategy(
            f"unknown strategy {name!r}; choose one of: {', '.join(STRATEGIES)}"
        ) from None
