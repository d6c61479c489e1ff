"""The generators of the benchmarks, one file each, each run in its own environment.

A file says what it needs (inline script metadata, PEP 723; exact versions, which are part of a
cell's key) and defines

    fit(frame, *, seed, **settings) -> model
    sample(model, rows, *, seed) -> frame

over pandas frames. `suite/generate.py` loads it, times both and writes the rows. Nothing may be
imported from here: a generator's environment knows neither synthgan nor this folder.
"""
