"""The only place that reads or writes a key."""
