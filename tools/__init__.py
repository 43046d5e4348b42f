"""What checks the project, and what writes the parts of it that are generated."""
