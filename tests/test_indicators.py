"""Columns of which exactly one is 1 in every row: found, folded into one choice, kept exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthgan import SynthGAN
from synthgan.data.codec import TableCodec
from synthgan.data.features import Features
from synthgan.data.indicators import broken
from synthgan.data.matrix import EncodedMatrix
from synthgan.errors import ConditionError

SHARES = (0.5, 0.3, 0.15, 0.05)


def one_hot(rows: int = 1_000, seed: int = 0, kind: Any = np.int64) -> dict[str, np.ndarray]:
    which = np.random.default_rng(seed).choice(len(SHARES), rows, p=SHARES)
    return {f"soil_{letter}": (which == n).astype(kind) for n, letter in enumerate("abcd")}


def related(columns: dict[str, Any], **said: Any) -> TableCodec:
    table = pa.table(columns)
    return TableCodec.fit([table], **said).relate([table.slice(0, 700), table.slice(700)])


def drawn(codec: TableCodec, rows: int = 3_000) -> pa.Table:
    """Codes that an untrained generator might draw, decoded."""
    rng = np.random.default_rng(1)
    sizes = codec.layout.choice_sizes
    codes = np.stack([rng.integers(0, size, rows) for size in sizes], axis=1)
    scalars = rng.uniform(-1, 1, (rows, codec.layout.n_scalars)).astype(np.float32)
    return codec.decode(EncodedMatrix(codes, scalars), rng)


def ones(table: pa.Table, names: Any) -> np.ndarray:
    cells = [table.column(name).to_numpy().astype(float) for name in names]
    return np.asarray(np.sum(cells, axis=0))


@pytest.mark.parametrize("kind", [np.int8, np.float64, np.bool_])
def test_a_one_hot_group_is_one_choice_and_every_row_has_its_one(kind: Any) -> None:
    hot = one_hot(kind=kind)
    codec = related({"n": np.arange(1_000) % 90, **hot, "flag": np.arange(1_000) % 3 == 0})
    (group,) = codec.groups
    assert (group.name, group.columns) == ("one of 4: soil_a to soil_d", tuple(hot))
    assert codec.layout.choices[codec.layout.column_choice(group.name) or 0].size == 4
    assert [span.column for span in codec.layout.spans] == ["n", "flag", group.name]
    assert str(codec.schema["soil_a"].follows) == group.name
    made = drawn(codec)
    assert (ones(made, hot) == 1).all()
    assert made.column_names == ["n", *hot, "flag"]
    assert made.schema.field("soil_a").type == pa.array(hot["soil_a"]).type
    assert all(ones(made, [name]).sum() > 500 for name in hot)
    assert Features(codec).names == ("n", "flag", group.name)


def test_rows_go_there_and_back() -> None:
    table = pa.table(one_hot())
    codec = related(one_hot())
    random = np.random.default_rng(0)
    assert codec.decode(codec.encode([table], random), random).equals(table)
    header, arrays = codec.to_state()
    again = TableCodec.from_state(header, arrays)
    assert again.layout == codec.layout
    assert again.decode(again.encode([table], None), random).equals(table)


def test_groups_beside_each_other_are_parted_by_name_and_by_place() -> None:
    first, second = one_hot(seed=1), one_hot(seed=2)
    codec = related({name.replace("soil", "area"): cells for name, cells in first.items()} | second)
    assert [group.columns[0] for group in codec.groups] == ["area_a", "soil_a"]
    unnamed = {f"x{name}": cells for name, cells in zip("jkqw", first.values(), strict=True)}
    unnamed |= {f"y{name}": cells for name, cells in zip("pzat", second.values(), strict=True)}
    codec = related(unnamed)
    assert [group.columns for group in codec.groups] == [
        ("xj", "xk", "xq", "xw"),
        ("yp", "yz", "ya", "yt"),
    ]


def test_what_is_no_group() -> None:
    hot = one_hot()
    twice = {**hot, "soil_a": np.where(np.arange(1_000) == 999, 1, hot["soil_a"])}
    twice["soil_b"] = np.where(np.arange(1_000) == 999, 1, hot["soil_b"])
    never = {**hot, "soil_d": np.where(np.arange(1_000) == 500, 0, hot["soil_d"])}
    never["soil_d"][hot["soil_d"].argmax()] = 0
    missing = {**hot, "soil_d": pa.array([None, *hot["soil_d"][1:].tolist()])}
    for columns in (twice, never, missing, one_hot(12)):
        assert not related(columns, rare_threshold=1).groups
    assert not related(hot, overrides={"soil_b": {"follows": False}}).groups
    assert len(related(hot).groups) == 1
    # nearly always the first column: independent columns would look like that as well
    chance = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [294, 3, 3]))
    rare = {f"x{n}": (chance == n).astype(int) for n in range(3)}
    assert not related(rare, rare_threshold=1).groups


def test_a_column_too_rare_to_be_1_gives_its_rows_to_the_others() -> None:
    which = np.repeat([0, 1, 2, 3], [500, 300, 196, 4])
    hot = {f"x{n}": (which == n).astype(int) for n in range(4)}
    codec = related(hot)
    (group,) = codec.groups
    assert (len(group.columns), len(group.encoder.levels)) == (4, 3)
    codes = codec.encode([pa.table(hot)], np.random.default_rng(0))
    assert codes.codes.min() >= 0
    made = drawn(codec)
    assert (ones(made, hot) == 1).all() and not ones(made, ["x3"]).any()


def test_what_follows_a_column_of_a_group_follows_the_group() -> None:
    hot = one_hot()
    codec = related({**hot, "mirror": np.where(hot["soil_b"] == 1, "yes", "no")})
    assert {each.parent for each in codec.relations} == {codec.groups[0].name}
    made = drawn(codec)
    assert [cell == "yes" for cell in made.column("mirror").to_pylist()] == [
        cell == 1 for cell in made.column("soil_b").to_pylist()
    ]


def test_columns_that_follow_a_category_need_no_group() -> None:
    hot = one_hot()
    letters = np.array(list("abcd"))[np.stack(list(hot.values())).argmax(axis=0)]
    codec = related({"soil": letters, **hot})
    assert not codec.groups
    assert {each.parent for each in codec.relations} == {"soil"}


def test_a_row_without_its_one_breaks_a_relation() -> None:
    codec = related(one_hot())
    rows = pa.table(
        {f"soil_{letter}": [1, 0, 0] for letter in "a"}
        | {"soil_b": [0, 0, 1], "soil_c": [0, 0, 1], "soil_d": [0, 0, 0]}
    )
    assert broken(codec.relations, codec.groups, rows).tolist() == [0, 1, 1]


def test_conditions_and_completion_know_of_the_group() -> None:
    frame = pd.DataFrame({"n": np.arange(1_000) % 90, **one_hot()})
    model = SynthGAN(epochs=2, batch_size=100, random_state=0, verbose=0, refine=False).fit(frame)
    names = [name for name in frame if name.startswith("soil")]
    made = model.sample(200, where={"soil_d": 1})
    assert (made["soil_d"] == 1).all() and (made[names].sum(axis=1) == 1).all()
    made = model.sample(200, where={"soil_a": 0, "soil_b": 0})
    assert (made[["soil_c", "soil_d"]].sum(axis=1) == 1).all()
    with pytest.raises(ConditionError, match=r"soil_a.*soil_b"):
        model.sample(5, where={"soil_a": 1, "soil_b": 1})
    with pytest.raises(ConditionError, match="soil_a"):
        model.sample(5, where={"one of 4: soil_a to soil_d": "soil_a"})
    given = pd.DataFrame({"n": [1, 2, 3, 4], "soil_a": [0, 0, 1, 0], "soil_b": [0, 1, 0, 0]})
    filled = model.complete(given)
    assert (filled[names].sum(axis=1) == 1).all()
    assert filled[["n", "soil_a", "soil_b"]].equals(given)
    whole = model.complete(frame.head(20))
    assert whole.equals(frame.head(20))
    scores = model.score_samples(
        pd.concat([frame.head(1), frame.head(1).assign(soil_a=1, soil_b=1)])
    )
    assert scores[0] > scores[1] + 1e5


def test_columns_that_follow_another_one_are_no_group() -> None:
    kinds = np.random.default_rng(3).integers(0, 3, 600)
    parts = {f"{stem}{n}": (kinds == n).astype(int) for stem in ("a", "b") for n in range(3)}
    table = pa.table({"kind": np.array(["x", "y", "z"])[kinds], **parts})
    codec = TableCodec.fit([table]).relate([table])
    assert codec.groups == ()
    assert {column.name: column.follows for column in codec.schema if column.name != "kind"} == (
        dict.fromkeys(parts, "kind")
    )
