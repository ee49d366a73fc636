"""`nixcfg plan`: what a switch would change, beside what the machine runs."""
