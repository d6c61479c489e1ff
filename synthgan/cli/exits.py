"""How a command speaks and ends: messages on stderr, one ``error: ...``, exit codes 0 to 3."""

from __future__ import annotations

import logging
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from synthgan.errors import (
    InputNotFoundError,
    OutputError,
    ParameterError,
    SynthganError,
    SynthganWarning,
)

RUN_FAILED = 1
USAGE = 2
BAR_MISSED = 3
INTERRUPTED = 130
_DEBUG = "synthgan.debug"
# Refused before any work was done: another command line is needed, not other data.
_USAGE_ERRORS = (ParameterError, InputNotFoundError, OutputError)


class WritingFailedError(SynthganError):
    """An output that was fit to be written before the work, and could not be written after it."""


class Commands(TyperGroup):
    """A command group whose every failure is one ``error: ...`` on stderr and an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line; leave the interpreter with its exit code if standalone."""
        try:
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except Exception as error:
            if not _is_refusal(error):
                raise
            code = _refuse(error)
        if standalone_mode:
            sys.exit(code)
        return code or 0

    def invoke(self, ctx: Any) -> Any:
        """Run the command of a parsed command line."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say("error: interrupted; nothing was written")
            raise typer.Exit(INTERRUPTED) from None
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if _is_refusal(error):
                raise
            raise typer.Exit(_fail(error, debug=ctx.meta.get(_DEBUG, False))) from error


def _is_refusal(error: Exception) -> bool:
    """Tell errors of the command line itself, whose class moves between versions of typer."""
    return hasattr(error, "format_message")


def _refuse(error: Any) -> int:
    message, context = error.format_message(), getattr(error, "ctx", None)
    if message:
        say(f"error: {message[:1].lower()}{message[1:]}")
        if context is not None:
            say(f"Try '{context.command_path} --help'.")
    return int(error.exit_code)


def _fail(error: Exception, *, debug: bool) -> int:
    if debug:
        say("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, SynthganError):
        say(f"error: {error}")
        return USAGE if isinstance(error, _USAGE_ERRORS) else RUN_FAILED
    say(f"error: {type(error).__name__}: {error}")
    if not debug:
        say("This was not foreseen; --debug shows where it happened.")
    return RUN_FAILED


def say(message: str) -> None:
    """Write a message to stderr: stdout is for results."""
    typer.echo(message, err=True)


def tell(quiet: bool, message: str) -> None:
    """Say how a command went, unless it was asked to be quiet."""
    if not quiet:
        say(message)


def in_words(count: int) -> str:
    """A number of rows."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def show_version(wanted: bool) -> None:
    """Print the version and leave, if ``--version`` was given."""
    if wanted:
        from synthgan import __version__

        typer.echo(f"synthgan {__version__}")
        raise typer.Exit


def remember_debug(ctx: typer.Context, wanted: bool) -> bool:
    """Keep ``--debug`` where the command group finds it when a command fails."""
    ctx.meta[_DEBUG] = wanted
    return wanted


@contextmanager
def reporting(*, quiet: bool, verbose: bool, output: Path | None = None) -> Iterator[None]:
    """Send the library's log and its warnings to stderr as plain lines while a command works.

    Outputs are checked before: one that fails in here is no fault of the command line. An
    interruption after the output was written says so.
    """
    logger, before = logging.getLogger("synthgan"), _identity(output)
    handler, level = _Lines(), logger.level
    logger.setLevel(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", SynthganWarning)
            warnings.showwarning = _show_warning
            yield
    except OutputError as error:
        raise WritingFailedError(str(error)) from error
    except KeyboardInterrupt:
        if _identity(output) == before:
            raise
        say(f"error: interrupted; {output} is written")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _identity(path: Path | None) -> tuple[int, ...] | None:
    """What tells a file from the one that stood there before, none if there is none."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return found and (found.st_dev, found.st_ino, found.st_mtime_ns)


@contextmanager
def printing() -> Iterator[None]:
    """Print results: if stdout is closed or full, the run has failed, but not the program."""
    if sys.stdout is None:
        raise WritingFailedError("nothing could be printed: standard output is closed")
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        raise WritingFailedError(f"not all could be printed: {error.strerror or error}") from error


class _Lines(logging.Handler):
    """Plain lines on what is stderr just then: a progress bar puts itself in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        grave = record.levelno >= logging.WARNING
        say(f"{record.levelname.lower()}: {record.getMessage()}" if grave else record.getMessage())


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    say(f"warning: {message}")
