"""The benchmark suite: tables, methods, cells with two phases each, and the tables of results."""
