"""Line split of a batch: claims and fee lines in columns in, the four parts of each line and their sums out."""

from __future__ import annotations

import numpy as np

from adjudicator.catalogue.layout import LineRules
from adjudicator.catalogue.line_refunds import REMAINDER, split_refunds
from adjudicator.catalogue.line_split import LineBatch, split
from adjudicator.compiled.jit import kernel


@kernel
def split_lines(rules: LineRules, batch: LineBatch) -> None:
    """Split every fee line and sum the parts of each claim.

    ``batch``: claims CLAIM[n]; lines LINE[m] in the order of the claims' ranges, ``original`` counted in the batch;
    line_out LINE_SPLIT[m] and split_out SPLIT[n] are fully overwritten. An error of a line is written to
    ``line_out["error"]``; the lowest number also to ``claims["error"]`` with ``error_line`` (line of the claim) where
    the claim had none. A claim with an error has zero sums.
    """
    claims = batch.claims
    refund_claims = np.empty(claims.shape[0], np.int64)
    refunds = split(rules, batch, refund_claims)
    if refunds > 0:
        longest = np.int64(0)
        for number in range(refunds):
            claim = claims[refund_claims[number]]
            longest = max(longest, np.int64(claim.line_end) - np.int64(claim.line_start))
        split_refunds(rules, batch, refund_claims[:refunds], np.zeros(longest, REMAINDER))
