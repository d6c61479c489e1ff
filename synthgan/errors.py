"""The errors and the warning that synthgan raises; each is also the builtin a user would expect."""

from __future__ import annotations


class SynthganError(Exception):
    """Base of every error that synthgan raises on purpose."""


class TableError(SynthganError, ValueError):
    """A table that cannot be learned: empty, nested, infinite, badly named."""


class SchemaError(SynthganError, ValueError):
    """A schema that does not fit its table, or a column nobody can place."""


class ConditionError(SynthganError, ValueError):
    """A condition on an unknown, protected or impossible value."""


class ParameterError(SynthganError, ValueError):
    """A parameter with an unknown name or a value out of range."""


class FileFormatError(SynthganError, ValueError):
    """A file that is damaged, truncated, foreign, or written by a newer version."""


class InputNotFoundError(SynthganError, FileNotFoundError):
    """A file or folder that should be read and is not there."""


class OutputError(SynthganError, OSError):
    """An output that cannot be written where it was asked for."""


class OutputExistsError(OutputError, FileExistsError):
    """An output that exists already, and nobody said to overwrite it."""


class MemoryLimitError(SynthganError, MemoryError):
    """A request whose result would not fit in free memory."""


class MissingExtraError(SynthganError, ImportError):
    """A feature whose optional dependency is not installed."""


class TrainingError(SynthganError, RuntimeError):
    """Training that could not end in a usable model."""


class SynthganWarning(UserWarning):
    """Something the user should know that did not stop the work."""
