"""Settles Chinese basic medical insurance claims and pays hospitals by DRG points."""

__version__ = "0.1.0"
