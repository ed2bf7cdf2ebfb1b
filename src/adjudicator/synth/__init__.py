"""A synthetic city with a seed: persons, stays and visits, fee lines, all from a number."""
