"""Adoption: what another asv project gets, so that its changes are gated and its nights measured.

`ci_files` holds the very files that this project's own continuous integration runs; a test keeps
them alike.
"""
