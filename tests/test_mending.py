"""Mending all rows at once: against the rule said row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from synthgan.data import mending
from synthgan.data.mending import mended_places
from synthgan.data.relations import ANY, AS_IT_IS, Tie


@dataclass
class Values:
    """What mending asks of the values that a column shows."""

    count: int
    null: int | None = None
    is_scalar: bool = False


PARENT = Values(61, null=60)


def children(rows: int, seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    week = np.append(np.arange(60) % 7, 7)
    season = np.append(np.arange(60) // 20, 3)
    number = np.append(np.arange(60) // 3, 20)
    made = [
        (Values(8, null=7), week, rng.integers(0, 8, rows)),
        (Values(4, null=3), season, rng.integers(0, 4, rows)),
        (Values(21, null=20, is_scalar=True), number, rng.integers(0, 21, rows)),
    ]
    for _, _, cells in made:
        cells[rng.random(rows) < 0.1] = -1
    return made


def fitting_and_ways(start: int, cells: list[int], told: list[Any]) -> tuple[Any, Any]:
    """For one row: which of the parent's values fit, and the way to each."""
    given_up, ways = np.zeros(61), np.abs(start - np.arange(61)) / 59
    for cell, (shown, goes_with, _) in zip(cells, told, strict=True):
        for place in range(61):
            with_it = goes_with[place]
            if cell < 0:
                continue
            if not shown.is_scalar:
                share = np.mean(goes_with == cell)
                given_up[place] -= np.log(share) * (with_it != cell)
            elif cell < 20 and with_it < 20:
                ways[place] += abs(cell - with_it) / 19
            else:
                ways[place] += cell != with_it
    given_up[60] = 1e9
    return np.flatnonzero(given_up <= given_up.min() + 1e-4), ways


@pytest.mark.parametrize("at_once", [1 << 17, 200])
def test_every_row_goes_where_its_children_agree(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mending, "_CELLS_AT_ONCE", at_once)
    rows, rng = 800, np.random.default_rng(0)
    told, drawn = children(rows, 1), rng.integers(0, 61, rows)
    allowed = np.ones((2, 61), dtype=bool)
    allowed[0, 5:] = False
    group = rng.choice([ANY, AS_IT_IS, 0, 1], rows)
    tie = Tie("date", group, allowed)
    places = mended_places(PARENT, drawn, told, tie, rng)
    moved = 0
    for row in range(rows):
        if group[row] == AS_IT_IS or (drawn[row] == 60 and tie.allows(drawn)[row]):
            assert places[row] == drawn[row]
        elif group[row] == 0:
            assert places[row] < 5
        elif drawn[row] < 60:
            fit, ways = fitting_and_ways(drawn[row], [each[2][row] for each in told], told)
            assert places[row] in fit
            nearest = fit[ways[fit].argmin()]
            if nearest == drawn[row]:
                assert places[row] == drawn[row]
            moved += places[row] != nearest
    assert 0 < moved < rows / 2, "not all go to the nearest"


def test_what_is_not_much_farther_is_drawn_by_its_way() -> None:
    rows = 40_000
    week, _, number = children(rows, 0)
    week[2][:], number[2][:] = 3, -1
    drawn = np.full(rows, 29)
    places = mended_places(PARENT, drawn, [week, number], None, np.random.default_rng(0))
    fit, ways = fitting_and_ways(29, [3, -1], [week, number])
    chance = np.exp(-(ways[fit] - ways[fit].min()) / ways[fit].min())
    chance /= chance.sum()
    found = np.bincount(places, minlength=61)[fit] / rows
    assert found.sum() == 1.0
    assert (np.abs(found - chance) < 4.5 * np.sqrt(chance * (1 - chance) / rows)).all()


def test_lines_of_many_wide_columns_are_told_apart_too() -> None:
    rng = np.random.default_rng(0)
    cells = rng.integers(-2, 3, (500, 4))
    for wide in (cells, cells * (1 << 40)):
        alike, line = mending._alike(wide)
        np.testing.assert_array_equal(alike[line], wide)
        assert len(alike) == len(np.unique(wide, axis=0))
