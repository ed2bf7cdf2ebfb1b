"""Digests of texts of a column, by which lines find their claims."""

from __future__ import annotations

import numpy as np

from adjudicator.compiled.jit import uint64, uncounted_kernel
from adjudicator.wire.digest import KEY, siphash128

KEY_LOW, KEY_HIGH = KEY


@uncounted_kernel
def digest_texts(heap: np.ndarray, offsets: np.ndarray, out: np.ndarray) -> None:
    """Write the digest of each text (uint8 ``heap``, int64[n + 1] ``offsets``) to ``out`` uint64[n, 2]."""
    for number in range(out.shape[0]):
        i = uint64(number)
        begin, end = uint64(offsets[i]), uint64(offsets[i + uint64(1)])
        low, high = siphash128(heap, begin, end, KEY_LOW, KEY_HIGH)  # type: ignore[no-untyped-call]  # in a kernel
        out[i, uint64(0)] = low
        out[i, uint64(1)] = high
