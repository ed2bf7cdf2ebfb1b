"""DRG points (DRG点数法): base points x hospital coefficient x value, ``[[drg]]`` of payment.toml.

``terms`` the compiled form, ``reader`` the TOML and CSV tables, ``coefficients`` the hospital coefficients, ``points``
the points of a case, ``formula`` what is due for them.
"""
