"""How much of a YAML file is read: far more than a configuration has, and little enough to hold."""

MAX_BYTES = 2 * 1024 * 1024
"""A provider file of 10,000 models has 1 MB; whatever is larger is not a configuration."""
MAX_DEPTH = 64
MAX_KEYS = 4_000
MAX_LINE = 10_000
"""Of longer lines no problem shows a piece: what in it is secret takes the whole line to say."""
MAX_NUMBER = 100
MAX_PROBLEMS = 300
"""Errors in one file, after which no one reads on and nothing more is looked for."""
TOO_MANY = (
    "too many errors in this file",
    "Fix those before it; what comes after was not checked.",
)
"""What is said there, and how to fix it."""
MAX_VALUES = 250_000
"""Values after aliases are expanded, which is what every later step walks over."""
