"""One module a command: arguments in, an exit code out.

A command asks the rooms, and prints what they answer. context.py says what it works on, output.py
how it prints, running.py how it runs LiteLLM.
"""

OK, PROBLEMS, USAGE, BUG = 0, 1, 2, 3
