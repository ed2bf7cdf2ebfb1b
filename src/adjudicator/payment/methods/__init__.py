"""One module or folder a payment method; each is registered once, in ``payment.registry``.

``drg`` DRG points, ``bed_day`` bed-days, ``package`` every method that pays a price a case (single disease, day
surgery, quota, outpatient points: they share their tables and formulas), ``by_item`` and ``capitation``, which have no
table of their own.
"""
