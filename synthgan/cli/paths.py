"""The files of a command: what is read is there, and what is written loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthgan.errors import InputNotFoundError, OutputError


def read_schema(schema: Path | None) -> dict[str, Any] | None:
    """The overrides in a file of them."""
    from synthgan.data.overrides import read_overrides

    return None if schema is None else read_overrides(schema)


def check_inputs(*paths: Path | None) -> None:
    """Check that what is to be read is there."""
    missing = [str(path) for path in paths if path is not None and not path.exists()]
    if missing:
        raise InputNotFoundError(f"no such file or folder: {', '.join(missing)}")


def check_output(output: Path, *others: Path | None, force: bool, suffixes: Sequence[str]) -> None:
    """Check that an output can be written, and that no other file of the command is lost by it."""
    from synthgan.data.output import check_output as check_writable

    if any(given is not None and _holds(given, output) for given in others):
        raise OutputError(
            f"output {str(output)!r} is one of the inputs or outputs, or a part of one; "
            "choose another name"
        )
    check_writable(output, force=force, suffixes=suffixes)


def _holds(given: Path, output: Path) -> bool:
    """Whether a path is the file to be written, or a folder of tables with that file in it."""
    from synthgan.data.files import TABLE_SUFFIXES

    if given.resolve() == output.resolve():
        return True
    if not output.is_file():
        return False
    if given.is_dir():
        is_table = output.suffix.lower() in TABLE_SUFFIXES
        return is_table and given.resolve() in output.resolve().parents
    return output.samefile(given)


def is_model(path: Path) -> bool:
    """Any suffix that no table has is taken for a model, whose own check then speaks."""
    from synthgan.bundle import MODEL_SUFFIX

    return path.is_file() and path.suffix.lower() == MODEL_SUFFIX
