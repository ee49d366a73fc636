"""Understand a Nix expression without running it: as much of the language as modules are made of.

The text is parsed by tree-sitter. What the expression says is then worked out by the rules of Nix:
let, rec, with, inherit, functions, `//`, `++`, if, string interpolation and the few functions of
`lib` and `builtins` that modules use. No file is read and nothing is built: the content of a file
is the value `Content`, the result of whatever is not known here is `Opaque`.
"""
