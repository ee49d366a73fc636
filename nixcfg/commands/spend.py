"""`nixcfg spend`: another name for `nixcfg access spend`."""

from nixcfg.commands import access

command = access.spend
