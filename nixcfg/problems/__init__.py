"""What was found, as values, and how it is reported."""
