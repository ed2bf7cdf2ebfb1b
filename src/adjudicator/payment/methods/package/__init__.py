"""Packages: a price, a quota or points a case, ``[[package]]`` of payment.toml.

Four methods are paid this way and differ only in the claims they take and in how they are reported: single disease
(按病种), day surgery (日间手术), quota (定额) and outpatient points (门诊点数).
"""
