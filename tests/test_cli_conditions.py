"""``--where``: what is typed in a shell, read by the kind of its column."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgan.cli.conditions import check_conditions, read_conditions
from synthgan.data.schema import Column, Schema
from synthgan.errors import ConditionError, ParameterError


def column(name, kind, type, **more):
    return Column(name=name, kind=kind, type=type, reason="made for a test", **more)


SCHEMA = Schema(
    (
        column("age", "number", "int64"),
        column("price", "number", "decimal128(10, 2)"),
        column("income", "category", "large_string"),
        column("code", "category", "int16"),
        column("size", "category", "large_string", levels=("S", "M", "L:XL"), ordered=True),
        column("member", "boolean", "bool"),
        column("flag", "boolean", "int64", levels=(0, 1)),
        column("share", "boolean", "double", levels=(0, 1)),
        column("when", "datetime", "timestamp[us]"),
        column("at", "duration", "time64[us]"),
        column("took", "duration", "duration[us]"),
        column("a=b", "number", "double"),
        column("a", "category", "large_string"),
        column("zwei\nZeilen", "category", "large_string"),
        column("key", "id", "large_string"),
    )
)


def read(text):
    (value,) = read_conditions([text], SCHEMA).values()
    return value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age=30", 30),
        ("age= 30.5 ", 30.5),
        ("age=-5", -5),
        ("age=30:40", (30, 40)),
        ("age=30:", (30, None)),
        ("age=:-1.5e3", (None, -1500.0)),
        ("age=30|35|", [30, 35, None]),
        ("age=", None),
        ("age=9007199254740993", 9007199254740993),
        ("price=0.10:19.99", (Decimal("0.10"), Decimal("19.99"))),
        ("income=>50K", ">50K"),
        ("income=a:b", "a:b"),
        ("income=a|b", ["a", "b"]),
        ('income="a|b"', "a|b"),
        ('income="a|b"|c', ["a|b", "c"]),
        ('income=""', ""),
        ('income="say ""hi"""', 'say "hi"'),
        ('income=5" pipe', '5" pipe'),
        ("income=", None),
        ("income= spaced ", " spaced "),
        ("income=30", "30"),
        ("code=30", 30),
        ("code=1|2", [1, 2]),
        ("size=M", "M"),
        ("size=S:M", ("S", "M")),
        ("size=L:XL", "L:XL"),
        ("size=M:", ("M", None)),
        ("size=M:L:XL", ("M", "L:XL")),
        ('size="M":"L:XL"', ("M", "L:XL")),
        ("member=Yes", True),
        ("member=false", False),
        ("when=2013-01-01", "2013-01-01"),
        ("when=2013-01-01T10:30", "2013-01-01T10:30"),
        ("when=2013-01-01 10:30:15.123456789+02:00", "2013-01-01 10:30:15.123456789+02:00"),
        ("when=2013-01-01:2013-02-01", ("2013-01-01", "2013-02-01")),
        ("when=2013-01-01 10:00:", ("2013-01-01 10:00", None)),
        ("when=2013-01-01 10:00:2013-02-01 12:00", ("2013-01-01 10:00", "2013-02-01 12:00")),
        ("at=08:00:30", time(8, 0, 30)),
        ("at=08:00:09:30", (time(8), time(9, 30))),
        ('at="08:00":"09:10:10"', (time(8), time(9, 10, 10))),
        ("took=90s", timedelta(seconds=90)),
        ("took=1d 2:30:15.5", timedelta(days=1, hours=2, minutes=30, seconds=15.5)),
        ("took=-2h30min", -timedelta(hours=2, minutes=30)),
        ("took=1h:2h", (timedelta(hours=1), timedelta(hours=2))),
        ("took=500ms", timedelta(milliseconds=500)),
        ("a=b=2.5", 2.5),
        ("a=c", "c"),
        ("zwei\nZeilen=a\nb", "a\nb"),
        ("key=K1", "K1"),
        ("unknown=1:2", "1:2"),
    ],
)
def test_a_condition_is_read_by_the_kind_of_its_column(text, expected):
    value = read(text)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("age=old", ["'age'", "a number", "'old'"]),
        ("age=nan", ["'age'", "a number"]),
        ("age=inf:", ["'age'", "'inf:'"]),
        ("age=:", ["'age'", "low:high"]),
        ("age=1:2:3", ["'age'", "'1:2:3'"]),
        ("age=1:2|5", ["'age'", "one range, or several"]),
        ("member=perhaps", ["'member'", "true or false", "'perhaps'"]),
        ("when=yesterday", ["'when'", "2013-01-31", "'yesterday'"]),
        ("took=1 fortnight", ["'took'", "'1 fortnight'"]),
        ("at=08:00:09:10:10", ["'at'", "several ways", "quotes"]),
        ("size=XS", ["'size'", "one of S, M, L:XL", "'XS'"]),
        ("code=x", ["'code'", "int16", "'x'"]),
    ],
)
def test_what_cannot_be_read_is_refused_by_column_and_text(text, words):
    with pytest.raises(ConditionError) as caught:
        read(text)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("name", ["flag", "share"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", 1), ("true", 1), ("no", 0), ("0", 0), ("", None), ("1|0", [1, 0])],
)
def test_truth_of_a_column_of_numbers_is_a_number(name, text, expected):
    found = read(f"{name}={text}")
    assert found == expected
    assert not isinstance(found, bool)


def test_all_problems_come_in_one_error():
    with pytest.raises(ConditionError) as caught:
        read_conditions(["age=old", "member=perhaps", "income=a", "income=b"], SCHEMA)
    lines = str(caught.value).splitlines()
    assert lines[0] == "--where: 3 problems"
    assert len(lines) == 4
    assert "two conditions" in lines[-1]


def test_a_condition_without_a_value_sign_is_refused_before_any_file_is_read():
    check_conditions(["age=30", "age="])
    with pytest.raises(ParameterError, match=r"COLUMN=VALUE.*'age30', '=30'"):
        check_conditions(["age30", "=30", "age=30"])


@settings(deadline=None, max_examples=200)
@given(st.text())
def test_any_text_can_be_said_in_quotes(text):
    quoted = '"' + text.replace('"', '""') + '"'
    assert read(f"income={quoted}") == text
    assert read(f"income={quoted}|{quoted}") == [text, text]


@settings(deadline=None, max_examples=100)
@given(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
def test_any_finite_range_of_numbers_can_be_said(low, high):
    assert read(f"age={low}:{high!r}") == (low, high)
    assert read(f"age={high!r}:") == (high, None)
