"""A table and its numbers: schema, sources, encoders, layout, codec; no torch."""
