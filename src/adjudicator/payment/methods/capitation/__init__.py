"""Capitation (按人头): a contract pays the institution a quota for each signed person, and nothing for the claim.

The year's payments of a contract are computed in ``pooling.capitation``.
"""
