"""What a schema cannot say: what LiteLLM would do with a file, and what files do to each other.

registry.py lists the topics. A topic holds rules, each a line above the first function that finds
it, and checks, each below the scope in which it runs. docs/adding-a-rule.md shows how to add one.
"""
