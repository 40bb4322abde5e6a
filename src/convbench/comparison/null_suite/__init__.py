"""Small kernels under two labels that are equal: an asv suite of its own, for the null study."""
