"""The median of absolute deviations as a standard deviation, where noise is Gaussian."""

MEDIAN_TO_DEVIATION = 1.4826
"""Standard deviation over the median absolute deviation."""
