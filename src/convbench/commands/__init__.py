"""One module per subcommand: SUMMARY, add_arguments(parser), run(arguments, say) -> exit code.

The only layer that may import both what is measured and what is said about measurements.
"""
