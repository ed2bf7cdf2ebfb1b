"""Claims of the hangzhou pack that are in order, for tests that then spoil one thing."""

from __future__ import annotations

import itertools

from adjudicator.v1 import claim_pb2

HOSPITAL = "H33010200001"
POOL = "330100"
COUNTY = "330106"
DRUG = "XJ01DDB060B012030288891"
"""A class A drug of the demonstration catalogue without a price ceiling."""
_encounters = itertools.count(1)


def line(number: int, fen: int, item: str = DRUG, date: int = 20250312) -> claim_pb2.Line:
    """A fee line of one unit."""
    return claim_pb2.Line(
        line_id=str(number),
        item_code=item,
        fee_date=date,
        unit_price_e4=fen * 10_000,
        quantity_e4=10_000,
        amount_fen=fen,
    )


def claim(*amounts_fen: int, **fields: object) -> claim_pb2.Claim:
    """A resident's stay of three days; one line an amount. Each call has a new encounter and a new person."""
    number = next(_encounters)
    amounts_fen = amounts_fen or (300_000, 50_000)
    message = claim_pb2.Claim(
        institution_code=HOSPITAL,
        encounter_id=f"T{number}",
        settlement_sequence=1,
        person_id=f"P{number}",
        insured_area=COUNTY,
        scheme="390",
        person_type="15",
        care_type="21",
        settlement_date=20250314,
        admission_date=20250311,
        discharge_date=20250314,
        total_fen=sum(amounts_fen),
        lines=[line(position, fen) for position, fen in enumerate(amounts_fen, 1)],
        diagnoses=["I10.x00x002"],
        sex=1,
        age_years=60,
    )
    for name, value in fields.items():
        if isinstance(value, list):
            message.ClearField(name)
            getattr(message, name).extend(value)
        else:
            setattr(message, name, value)
    return message


def key_of(message: claim_pb2.Claim, **fields: object):
    """The key of a claim's settlement."""
    from adjudicator.v1 import settlement_pb2

    return settlement_pb2.SettlementKey(
        institution_code=message.institution_code,
        encounter_id=message.encounter_id,
        settlement_sequence=message.settlement_sequence,
        insured_area=message.insured_area,
        **fields,
    )
