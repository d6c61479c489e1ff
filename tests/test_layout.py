"""The layout counts columns once and for all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgan.data.layout import Layout, Span


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    spans, choices = [], 0
    for column in range(draw(st.integers(0, 8))):
        size = draw(st.integers(0, 5))
        name = f"column {column}"
        if size:
            spans.append(Span(name, "choice", size))
        if draw(st.booleans()):
            gate = (choices, draw(st.integers(0, size - 1))) if size else None
            spans.append(Span(name, "scalar", 1, gate))
        choices += bool(size)
    return Layout(spans)


@settings(deadline=None, max_examples=50)
@given(layouts())
def test_offsets_and_numbers_are_those_of_the_spans(layout: Layout) -> None:
    start = 0
    for number, span in enumerate(layout.choices):
        assert layout.choice_offsets[number] == start
        assert layout.column_choice(span.column) == number
        start += span.size
    assert (layout.n_options, layout.width) == (start, start + len(layout.scalars))
    for number, span in enumerate(layout.scalars):
        assert layout.column_scalar(span.column) == number
        assert (layout.gate_choice[number], layout.gate_option[number]) == (span.gate or (-1, -1))
        if span.gate:
            assert layout.choices[span.gate[0]].column == span.column


@settings(deadline=None, max_examples=20)
@given(layouts())
def test_layouts_of_the_same_spans_are_equal(layout: Layout) -> None:
    again = Layout(layout.spans)
    assert again == layout
    assert hash(again) == hash(layout)


def test_a_column_without_a_span_has_no_number() -> None:
    layout = Layout([Span("a", "choice", 2)])
    assert layout.column_scalar("a") is None
    assert layout.column_choice("b") is None
    assert layout != Layout([])


@pytest.mark.parametrize("gate", [(1, 0), (0, 2)])
def test_a_gate_that_leads_nowhere_is_refused(gate: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no such option"):
        Layout([Span("a", "choice", 2), Span("a", "scalar", 1, gate)])
