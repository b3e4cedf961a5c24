"""The database: tables and engine; the only place that knows SQL dialects."""
