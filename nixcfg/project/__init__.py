"""A project: its files, their shape, and the model made of them."""
