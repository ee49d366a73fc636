"""What may be written where in a file, and what it means: for schemas and for editors. Pure."""
