"""A scheme from its compiled file is to the kernel what a scheme from its tables is."""

import numba

from adjudicator.grouping.scheme.load import load_scheme


def test_same_types_so_that_the_kernel_compiles_once():
    load_scheme("chs-demo")
    fresh, stored = load_scheme("chs-demo", use_cache=False).arrays, load_scheme("chs-demo").arrays
    for name in fresh._fields:
        assert numba.typeof(getattr(fresh, name)) == numba.typeof(getattr(stored, name)), name
