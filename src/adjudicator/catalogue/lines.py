"""Line split of a batch: claims and fee lines in columns in, the four parts of each line and their sums out."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from adjudicator.catalogue import line_split
from adjudicator.catalogue.section import Catalogue


class HasCatalogue(Protocol):
    """A bundle, as far as this module needs it."""

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of all packs."""


def split_lines(
    bundle: HasCatalogue, claims: np.ndarray, lines: np.ndarray, line_out: np.ndarray, split_out: np.ndarray
) -> None:
    """Splits every fee line and sums the parts a claim (national-interface.md 3.3).

    claims CLAIM[n]; lines LINE[m] in the order of the claims' ranges, ``original`` counted in the batch;
    line_out LINE_SPLIT[m] and split_out SPLIT[n] are fully overwritten. An error of a line stands in
    ``line_out["error"]``; the lowest number also in ``claims["error"]`` with ``error_line`` (line of the claim) where
    the claim had none. A claim with an error has zero sums.
    """
    rules = bundle.catalogue.rules
    refund_claims = np.empty(claims.shape[0], np.int64)
    count = line_split.split(rules, claims, lines, line_out, split_out, refund_claims)
    if count:
        chosen = refund_claims[:count]
        longest = int((claims["line_end"][chosen] - claims["line_start"][chosen]).max())
        left = np.zeros((longest, line_split.LEFT_COLUMNS), np.int64)
        line_split.split_refunds(rules, claims, lines, line_out, split_out, chosen, left)
