"""One module a command: arguments in, an exit code out.

A command asks the rooms, and prints what they answer. context.py finds what it works on,
output.py prints, running.py runs LiteLLM, watching.py waits
for a file to change.
"""

OK, PROBLEMS, USAGE, BUG = 0, 1, 2, 3

QUIET = "nixcfg.quiet"
"""The key in click's `Context.meta` that -q sets."""
