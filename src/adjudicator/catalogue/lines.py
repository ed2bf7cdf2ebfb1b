"""Line split of a batch: claims and fee lines in columns in, the four parts of each line and their sums out."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from adjudicator.catalogue.line_refunds import REMAINDER, split_refunds
from adjudicator.catalogue.line_split import LineBatch, split
from adjudicator.catalogue.section import Catalogue


class HasCatalogue(Protocol):
    """A bundle, as far as this module needs it."""

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of all packs."""


def split_lines(
    bundle: HasCatalogue, claims: np.ndarray, lines: np.ndarray, line_out: np.ndarray, split_out: np.ndarray
) -> None:
    """Split every fee line and sum the parts of each claim.

    claims CLAIM[n]; lines LINE[m] in the order of the claims' ranges, ``original`` counted in the batch;
    line_out LINE_SPLIT[m] and split_out SPLIT[n] are fully overwritten. An error of a line is written to
    ``line_out["error"]``; the lowest number also to ``claims["error"]`` with ``error_line`` (line of the claim) where
    the claim had none. A claim with an error has zero sums.
    """
    rules = bundle.catalogue.rules
    batch = LineBatch(claims, lines, line_out, split_out)
    refund_claims = np.empty(claims.shape[0], np.int64)
    count = split(rules, batch, refund_claims)
    if count:
        chosen = refund_claims[:count]
        longest = int((claims["line_end"][chosen] - claims["line_start"][chosen]).max())
        split_refunds(rules, batch, chosen, np.zeros(longest, REMAINDER))
