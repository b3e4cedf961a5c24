"""What staff write: the Pydantic models, the YAML loader that keeps line and column, Markdown and merge fields."""
