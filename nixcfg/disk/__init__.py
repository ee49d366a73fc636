"""The only writer of files: a project's own, the output folder, and one that is private.

shipped.py says where the files are that come with nixcfg.
"""
