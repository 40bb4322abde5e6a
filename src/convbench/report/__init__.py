"""The static site: figures (pure) -> pages (pure) -> site (writes).

Knows strategies, problems and BLAS builds as strings of the store, nothing of the code measured.
"""
