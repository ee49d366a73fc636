"""An editor's questions about a file that is being written, answered by the rooms below.

server.py speaks the protocol, and alone knows pygls; everything else is pure but for `files`, which
reads what no editor has open. Positions here are lines and columns from 0, in characters.
"""
