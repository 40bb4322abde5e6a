"""The detector bench: how well change points are found where the truth is known.

Noise of seven kinds (`noise`), histories with known changes (`steps`), what counts as found
(`scoring`), the detectors that are compared (`detectors`), the tests that they go through
(`protocols`, `injection`, `cost`), how often anything could succeed (`ceiling`), and what is said
about it (`figures`, `goals`, `table`). Everything here is a function of its arguments: the same
seed gives the same numbers on every machine, but for times, which `cost` takes by a given clock.
"""
