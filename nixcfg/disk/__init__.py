"""The only writer of files: a project's own, the output folder, and one that is private."""
