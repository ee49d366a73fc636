"""Teams, users and keys in LiteLLM's database: what nixcfg.yaml wants, and how it comes about.

`desired` reads the project. `plan` compares with what the database has, and is pure; `api` asks the
gateway, `run` carries a plan out, and `service` does so as a unit of the NixOS module. These four
need nothing but Python's own library: tools/write_access_script.py makes the unit's script of them.
"""
