"""Missing and wrong cells.

`imputer` is `GANImputer`, `cleaning` is `clean`; `overlay` puts cells into the caller's own table.
"""
