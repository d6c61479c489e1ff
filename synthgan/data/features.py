"""Codes as plain numbers that trees can split on: values rather than ranks, one column each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthgan.data.codec import TableCodec
from synthgan.data.matrix import EncodedMatrix
from synthgan.data.numbers import NumberEncoder


class Features:
    """The columns of a codec's layout as one matrix of floats.

    Numbers and dates are what they decode to, so that ties, gaps and round values can be seen (in
    ranks they cannot); missing ones are NaN. Of everything else the number is the option's own.

    Parameters
    ----------
    codec : TableCodec
        Whose codes they are made of.

    Attributes
    ----------
    names : tuple of str
        The columns that have codes, in the order of the layout.
    categorical : ndarray of bool of shape (columns,)
        Which of them are no numbers.
    """

    def __init__(self, codec: TableCodec) -> None:
        self.layout = codec.layout
        coded = {span.column for span in self.layout.spans}
        self._encoders = [each for each in codec.coded if each.column.name in coded]
        self.names = tuple(each.column.name for each in self._encoders)
        self.categorical = np.array(
            [not isinstance(each, NumberEncoder) for each in self._encoders], dtype=bool
        )

    def of(self, matrix: EncodedMatrix) -> NDArray[np.float64]:
        """The features of encoded rows, of shape (rows, columns)."""
        found = np.empty((matrix.rows, len(self.names)))
        for number in range(len(self.names)):
            found[:, number] = self.column(number, matrix)
        return found

    def column(self, number: int, matrix: EncodedMatrix) -> NDArray[np.float64]:
        """One feature of encoded rows, of shape (rows,)."""
        encoder = self._encoders[number]
        choice = self.layout.column_choice(encoder.column.name)
        scalar = self.layout.column_scalar(encoder.column.name)
        codes = None if choice is None else np.ascontiguousarray(matrix.codes[:, choice])
        if isinstance(encoder, NumberEncoder):
            given = None if scalar is None else np.ascontiguousarray(matrix.scalars[:, scalar])
            return encoder.values(codes, given)
        assert codes is not None
        return codes.astype(np.float64)
