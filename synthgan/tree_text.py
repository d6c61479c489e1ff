"""Boosted trees as text: LightGBM's own words, pruned, and read with care."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# what predicting needs of a tree's text; the rest is statistics of its training rows
_SPLITS = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
_SETS = ("cat_boundaries", "cat_threshold")
_KEPT = {"num_leaves", "num_cat", "leaf_value", "is_linear", "shrinkage", *_SPLITS, *_SETS}
_END = "end of trees"
# classes that a model of one score tells apart, by its objective
_OF_ONE = {"binary sigmoid:1": 2, "regression": 0, "regression_l1": 0}
# bits of a split's decision type
IS_CATEGORY, MISSING_GOES_LEFT = 1, 2
_MISSING_SHIFT, _ZERO_IS_MISSING, _NAN_IS_MISSING = 2, 1, 2


class Split(NamedTuple):
    """One inner node: children below 0 are leaves, ~number.

    `category` holds the categories that go left, as words of 32 bits; None where the split asks
    whether a number is at most `threshold`. `null_left` says where NaN goes.
    """

    feature: int
    threshold: float
    category: Integers | None
    null_left: bool
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree: its splits, parents before their children, and the values of its leaves."""

    splits: tuple[Split, ...]
    values: Floats


def pruned(text: str) -> str:
    """The same model without what predicting does not need, a half of its length."""
    head, *trees = text[: text.index(_END)].split("\nTree=")
    # sizes in bytes of the trees that follow: no longer true, and not needed
    lines = [line for line in head.split("\n") if line and not line.startswith("tree_sizes=")]
    parts = ["\n".join(lines) + "\n"]
    for tree in trees:
        number, *fields = tree.split("\n")
        kept = [field for field in fields if field.partition("=")[0] in _KEPT]
        parts.append("\n".join([f"Tree={number}", *kept]) + "\n\n")
    return "\n".join([*parts, f"{_END}\n"])


def parsed(text: str, columns: int) -> tuple[int, list[Tree]]:
    """Number of classes, 0 for a number, and the trees, of a model's text that holds together.

    Raises
    ------
    ValueError
        If it does not: LightGBM would read, and follow, any number in it.
    """
    if not text.isascii() or text.count(_END) != 1:
        raise ValueError("trees: the text is cut short or damaged")
    head, *trees = text[: text.index(_END)].split("\nTree=")
    fields = _fields(head)
    each = int(fields["num_tree_per_iteration"])
    classes = int(fields["num_class"])
    objectives = {f"multiclass num_class:{classes}": classes} if classes > 1 else _OF_ONE
    named = len(fields["feature_names"].split()), len(fields["feature_infos"].split())
    if (
        int(fields["max_feature_idx"]) != columns - 1
        or named != (columns, columns)
        or fields["objective"] not in objectives
        or each != classes
        or not trees
        or len(trees) % each
    ):
        raise ValueError("trees: the head does not fit the table or the trees")
    return objectives[fields["objective"]], [_tree(_fields(tree), columns) for tree in trees]


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.split("\n") if "=" in line)


def _tree(fields: dict[str, str], columns: int) -> Tree:
    """One tree; every number which is followed as an address lies inside."""
    if set(fields) - _KEPT or int(fields.get("is_linear", "0")):
        raise ValueError("trees: found fields that no tree of ours has")
    leaves, categories = int(fields["num_leaves"]), int(fields["num_cat"])
    inner, values = leaves - 1, _numbers(fields, "leaf_value")
    if len(values) != leaves or leaves < 1:
        raise ValueError("trees: the number of leaves is wrong")
    if not inner:
        return Tree((), values)
    feature, kind, left, right = (
        _whole(fields, name)
        for name in ("split_feature", "decision_type", "left_child", "right_child")
    )
    threshold = _numbers(fields, "threshold")
    if {len(each) for each in (feature, kind, left, right, threshold)} != {inner}:
        raise ValueError("trees: the number of splits is wrong")
    # a child stands behind its parent, so that every path ends
    parents = np.arange(inner)
    inside = all(
        ((child < inner) & (child >= -leaves) & ((child < 0) | (child > parents))).all()
        for child in (left, right)
    )
    if not inside or feature.min() < 0 or feature.max() >= columns:
        raise ValueError("trees: a split leads nowhere")
    asks = (kind & IS_CATEGORY) == IS_CATEGORY
    sets = _sets(fields, threshold[asks], categories)
    null_left = _null_left(kind, threshold)
    told = (each.tolist() for each in (feature, threshold, asks, null_left, left, right))
    splits = (
        Split(number, value, sets[int(value)] if is_set else None, missing, before, after)
        for number, value, is_set, missing, before, after in zip(*told, strict=True)
    )
    return Tree(tuple(splits), values)


def _null_left(kind: Integers, threshold: Floats) -> NDArray[np.bool_]:
    """Where NaN goes: as learned, or as zero would where no number was missing."""
    missing = (kind >> _MISSING_SHIFT) & 3
    if (missing == _ZERO_IS_MISSING).any():
        raise ValueError("trees: zero stands for missing, as in no tree of ours")
    learned = (kind & MISSING_GOES_LEFT) == MISSING_GOES_LEFT
    return np.asarray(np.where(missing == _NAN_IS_MISSING, learned, threshold >= 0.0))


def _sets(fields: dict[str, str], asked: Floats, categories: int) -> list[Integers]:
    """The sets of categories that splits ask for, by number."""
    if not categories:
        if len(asked):
            raise ValueError("trees: a split by categories has none")
        return []
    ends, words = _whole(fields, "cat_boundaries"), _whole(fields, "cat_threshold")
    rising = len(ends) == categories + 1 and ends[0] == 0 and (np.diff(ends) >= 0).all()
    if not rising or ends[-1] != len(words) or words.min(initial=0) < 0:
        raise ValueError("trees: the sets of categories are damaged")
    if len(asked) and not (np.isin(asked, np.arange(categories)).all()):
        raise ValueError("trees: a split by categories has none")
    return np.split(words, ends[1:-1])


def _numbers(fields: dict[str, str], name: str) -> Floats:
    return np.array(fields[name].split(), dtype=np.float64)


def _whole(fields: dict[str, str], name: str) -> Any:
    return np.array(fields[name].split(), dtype=np.int64)
