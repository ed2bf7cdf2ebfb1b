"""Bed-days (按床日): rates by payment class and length of stay, ``[[bed_day]]`` of payment.toml."""
