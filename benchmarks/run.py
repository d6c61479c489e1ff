"""Run a benchmark suite cell by cell, keep every figure, write the table of results.

    python benchmarks/run.py --suite bundled
    python benchmarks/run.py --suite standard --data DIR --threads 1 --cores 1
    python benchmarks/run.py --suite standard --list

A cell (suite, table, method, seed) is generated and judged in two processes; what is there
already, from the same code, data, settings and metrics, is kept. Stop and go on as you like.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from suite.cells import Bench, list_cells
from suite.markdown import write_markdown
from suite.plan import PlanError, Suite, read_suite

HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    try:
        suite = read_suite(
            options.suites,
            options.suite,
            tables=options.tables,
            methods=options.methods,
            seeds=options.seeds,
        )
        # All of the suite, also where only a part of it is run.
        whole = read_suite(options.suites, options.suite)
        strangers = set(dict(options.python)) - {m.name for m in [*whole.methods, *suite.methods]}
        if strangers:
            raise PlanError(f"--python: {', '.join(strangers)} is no method of this suite")
        if options.cores:
            os.sched_setaffinity(0, options.cores)
        bench = Bench(
            data=options.data,
            work=options.work,
            envs=options.envs,
            results=options.results,
            pythons=dict(options.python),
            threads=options.threads,
            limit=options.limit_seconds,
        )
        if options.list:
            list_cells(bench, suite)
            return 0
        if not options.write:
            run_cells(bench, suite, options)
        print(write_markdown(whole, options.results))
    except PlanError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


def run_cells(bench: Bench, suite: Suite, options: argparse.Namespace) -> None:
    for cell in suite.cells():
        if not options.judge_only:
            bench.generate(cell)
        if not options.generate_only:
            bench.judge(cell)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--suite", default="bundled", help="a suite of the suites file")
    parser.add_argument("--data", type=Path, help="folder with the tables that are not bundled")
    parser.add_argument("--tables", type=words, help="these tables only, in this order: a,b")
    parser.add_argument("--methods", type=words, help="these methods only, in this order: a,b")
    parser.add_argument("--seeds", type=numbers, help="these seeds instead of the suite's: 0,1,2")
    parser.add_argument("--threads", type=int, default=1, help="threads of every phase (1)")
    parser.add_argument("--cores", type=numbers, help="cores to stay on: 0,1 (all)")
    parser.add_argument(
        "--limit-seconds", type=float, default=1800, help="longest a phase may take (1800)"
    )
    parser.add_argument(
        "--python",
        type=pair,
        action="append",
        default=[],
        metavar="METHOD=PATH",
        help="interpreter of a method, instead of an environment of its own",
    )
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--generate-only", action="store_true", help="make tables, judge none")
    only.add_argument("--judge-only", action="store_true", help="judge what has been made")
    only.add_argument("--list", action="store_true", help="say what is done and what is to do")
    only.add_argument("--write", action="store_true", help="write the Markdown table only")
    parser.add_argument("--suites", type=Path, default=HERE / "suites.toml")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--work", type=Path, default=HERE / ".work")
    parser.add_argument("--envs", type=Path, default=HERE / ".envs")
    return parser.parse_args(arguments)


def words(text: str) -> list[str]:
    return text.split(",")


def numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def pair(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    return name, Path(path)


if __name__ == "__main__":
    # A phase that runs is ended with the runner.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
