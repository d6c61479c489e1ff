"""The file of a fitted model: round trips, damage, manners of writing."""

from __future__ import annotations

import hashlib
import math
import os
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import synthgan.bundle
from synthgan.bundle import FORMAT_VERSION, MAGIC, read_bundle, write_bundle
from synthgan.errors import (
    FileFormatError,
    InputNotFoundError,
    OutputError,
    OutputExistsError,
)

HEADER = {"kind": "SynthGAN", "columns": [{"name": "größe\n漢", "bounds": [None, 1.5]}]}
TENSORS = {"weight": np.arange(6, dtype=np.float32).reshape(2, 3), "codes": np.array([1, -1])}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.synthgan"
    write_bundle(path, HEADER, TENSORS)
    return path


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
arrays = hnp.arrays(
    dtype=st.sampled_from(["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u1", "u8", "?", ">f4"]),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: name != "__metadata__"
)


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(st.text(), json_values, max_size=4), st.dictionaries(names, arrays, max_size=3)
)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    header: dict[str, Any],
    tensors: dict[str, np.ndarray],
) -> None:
    path = tmp_path_factory.getbasetemp() / f"{os.getpid()}.synthgan"
    write_bundle(path, header, tensors, force=True)
    found, found_tensors = read_bundle(path)
    assert found == header
    assert found_tensors.keys() == tensors.keys()
    for name, array in tensors.items():
        assert found_tensors[name].dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(found_tensors[name], array)


def test_arrays_come_back_writable(model: Path) -> None:
    _, tensors = read_bundle(model)
    tensors["weight"][0, 0] = 7
    assert tensors["weight"][0, 0] == 7


def test_non_contiguous_arrays_keep_their_values(tmp_path: Path) -> None:
    array = np.arange(12).reshape(3, 4).T[::2]
    write_bundle(tmp_path / "m", {}, {"a": array})
    np.testing.assert_array_equal(read_bundle(tmp_path / "m")[1]["a"], array)


def test_same_content_same_bytes(tmp_path: Path, model: Path) -> None:
    write_bundle(tmp_path / "again", HEADER, dict(reversed(TENSORS.items())))
    assert (tmp_path / "again").read_bytes() == model.read_bytes()


def test_no_code_and_no_pickle_in_the_file(model: Path) -> None:
    content = model.read_bytes()
    assert content.startswith(MAGIC)
    assert hashlib.sha256(content[:-32]).digest() == content[-32:]


def test_every_changed_byte_is_noticed(model: Path) -> None:
    content = model.read_bytes()
    for place in range(len(content)):
        model.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(FileFormatError, match=r"model\.synthgan"):
            read_bundle(model)


def test_every_cut_is_noticed(model: Path) -> None:
    content = model.read_bytes()
    for length in range(1, len(content)):
        model.write_bytes(content[:length])
        with pytest.raises(FileFormatError, match="cut short"):
            read_bundle(model)
    model.write_bytes(content + b"\n")
    with pytest.raises(FileFormatError, match="damaged"):
        read_bundle(model)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"age,income\n39,<=50K\n", b"\x80\x04K\x01."])
def test_foreign_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.synthgan"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match="not a model written by synthgan"):
        read_bundle(path)


def test_a_large_foreign_file_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "other.synthgan"
    path.write_bytes(bytes(20_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match="not a model written by synthgan"):
            read_bundle(path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_newer_format_is_refused_by_name(
    model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(synthgan.bundle, "FORMAT_VERSION", FORMAT_VERSION + 1)
    write_bundle(tmp_path / "newer", HEADER, TENSORS)
    assert read_bundle(model)[0] == HEADER  # the promise: older files stay readable
    monkeypatch.undo()
    with pytest.raises(FileFormatError, match=f"format {FORMAT_VERSION + 1} by a newer synthgan"):
        read_bundle(tmp_path / "newer")


@pytest.mark.parametrize(
    ("header", "tensors", "message"),
    [
        (b"{", b"\2\0\0\0\0\0\0\0{}", "cannot be read"),
        (b'{"a": NaN}', b"\2\0\0\0\0\0\0\0{}", "NaN"),
        (b"[]", b"\2\0\0\0\0\0\0\0{}", "expected a JSON object"),
        (b"{}", b"nonsense", "cannot be read"),
    ],
)
def test_wrong_content_under_a_right_checksum(
    tmp_path: Path, header: bytes, tensors: bytes, message: str
) -> None:
    lengths = synthgan.bundle._LENGTHS.pack(FORMAT_VERSION, len(header), len(tensors))
    content = MAGIC + lengths + header + tensors
    path = tmp_path / "m"
    path.write_bytes(content + hashlib.sha256(content).digest())
    with pytest.raises(FileFormatError, match=message):
        read_bundle(path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"a": {"b": [1.0, math.nan]}}, r"header\['a'\]\['b'\]\[1\].*finite.*nan"),
        ({"a": math.inf}, r"header\['a'\].*finite.*inf"),
        ({"a": {1: 2}}, r"header\['a'\].*text as keys.*\[1\]"),
        ({"a": np.int64(1)}, r"header\['a'\].*JSON value.*int64"),
    ],
)
def test_headers_that_json_would_change_are_refused(
    tmp_path: Path, header: dict[str, Any], message: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        write_bundle(tmp_path / "m", header, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([{}], dtype=object), np.array([1j])])
def test_arrays_the_file_cannot_hold_are_refused(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(TypeError, match="array 'levels': expected booleans, integers or floats"):
        write_bundle(tmp_path / "m", {}, {"levels": array})
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_needs_force(model: Path) -> None:
    before = model.read_bytes()
    with pytest.raises(OutputExistsError, match="--force"):
        write_bundle(model, {}, {})
    assert model.read_bytes() == before
    write_bundle(model, {"new": True}, {}, force=True)
    assert read_bundle(model) == ({"new": True}, {})


def test_wrong_targets_and_sources_are_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"folder .*nowhere does not exist"):
        write_bundle(tmp_path / "nowhere" / "m", {}, {})
    with pytest.raises(OutputError, match="found a folder"):
        write_bundle(tmp_path, {}, {}, force=True)
    with pytest.raises(InputNotFoundError, match="found nothing"):
        read_bundle(tmp_path / "m")
    with pytest.raises(InputNotFoundError, match="found a folder"):
        read_bundle(tmp_path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = model.read_bytes()

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OutputError, match="No space left"):
        write_bundle(model, {}, {}, force=True)
    assert model.read_bytes() == before
    assert list(model.parent.iterdir()) == [model]
