"""The rules of standards.md that a file can break, one file a family; each function is registered by its decorator."""
