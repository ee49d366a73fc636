"""Add, remove and choose providers."""
