"""The client of the demonstration: hospitals that send a synthetic day to a service they know only by its address."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any

import grpc
import numpy as np
from google.protobuf import json_format

from adjudicator.client import Client, code_of
from adjudicator.synth.city import CHUNK, Synthesizer
from adjudicator.v1 import claim_pb2, settlement_pb2

HOSPITALS_AT_ONCE = 16
REPEATED_EVERY = 20
PERSONS = 60_000
INPATIENT_SHARE = 0.25


def draw_day(pack: str, count: int, day: int, seed: int) -> list[claim_pb2.Claim]:
    """Claims that are all settled on one day (YYYYMMDD)."""
    city = Synthesizer([pack], seed, year=day // 10_000, persons=PERSONS, inpatient_share=INPATIENT_SHARE)
    pool = city.pool(0)
    number = (date(day // 10_000, day // 100 % 100, day % 100) - date(1970, 1, 1)).days
    rng = np.random.default_rng([seed, day])
    busy = np.full(len(pool.people), number - 100)
    claims: list[claim_pb2.Claim] = []
    for first in range(0, count, CHUNK):
        days = np.full(min(CHUNK, count - first), number)
        claims += pool.messages(pool.draw(rng, days, INPATIENT_SHARE, busy, first))
    return claims


def run_client(address: str, pack: str, count: int, day: int, seed: int) -> int:
    """Send the day and print a report as one line of JSON."""
    claims = draw_day(pack, count, day, seed)
    print(json.dumps(asyncio.run(Day(claims).send(address)), ensure_ascii=False))
    return 0


class Day:
    """A day's claims and what became of them."""

    def __init__(self, claims: Sequence[claim_pb2.Claim]):
        self.claims = claims
        self.answers: dict[int, settlement_pb2.Settlement] = {}
        self.refused: Counter[str] = Counter()
        self.same_answer = 0

    async def send(self, address: str) -> dict[str, Any]:
        """Every claim once; every twentieth a second time; one with other content; one taken back."""
        async with Client(address) as client:
            began = time.perf_counter()
            await self._share(client, range(len(self.claims)), self._settle)
            seconds = time.perf_counter() - began
            repeated = [number for number in range(0, len(self.claims), REPEATED_EVERY) if number in self.answers]
            await self._share(client, repeated, self._repeat)
            changed = await self._change(client)
            reversal, told = await self._take_back(client)
        return {
            **self._figures(), "seconds": seconds, "repeated": len(repeated), "same_answer": self.same_answer,
            "changed": changed, "reversed": told, "refusals": dict(self.refused),
            "total_fen": sum(answer.total_fen for answer in (*self.answers.values(), *reversal)),
            "counted": len(self.answers) - len(reversal),
            "shown": [json_format.MessageToDict(answer) for answer in (*self._shown(), *reversal)],
        }  # fmt: skip

    async def _share(
        self, client: Client, numbers: Sequence[int], work: Callable[[Client, int], Awaitable[None]]
    ) -> None:
        """Several hospitals at once, each one claim after the other."""

        async def hospital(own: Sequence[int]) -> None:
            for number in own:
                await work(client, number)

        await asyncio.gather(*(hospital(numbers[start::HOSPITALS_AT_ONCE]) for start in range(HOSPITALS_AT_ONCE)))

    async def _settle(self, client: Client, number: int) -> None:
        try:
            self.answers[number] = await client.settle(self.claims[number])
        except grpc.RpcError as error:
            self.refused[code_of(error) or error.code().name] += 1

    async def _repeat(self, client: Client, number: int) -> None:
        again = await client.settle(self.claims[number])
        self.same_answer += again == self.answers[number]

    async def _change(self, client: Client) -> str:
        """Return a settled claim sent again with another age is refused; the refusal names the field."""
        number = next(iter(self.answers), None)
        if number is None:
            return "no settlement"
        changed = claim_pb2.Claim()
        changed.CopyFrom(self.claims[number])
        changed.age_years += 1
        try:
            await client.settle(changed)
        except grpc.RpcError as error:
            return f"refused, {error.details()}"
        return "settled, which is wrong"

    async def _take_back(self, client: Client) -> tuple[list[settlement_pb2.Settlement], str]:
        """Take the last stay of the day back."""
        for number in reversed(sorted(self.answers)):
            claim = self.claims[number]
            if not claim.discharge_date:
                continue
            key = settlement_pb2.SettlementKey(
                institution_code=claim.institution_code, encounter_id=claim.encounter_id,
                settlement_sequence=claim.settlement_sequence, insured_area=claim.insured_area,
            )  # fmt: skip
            request = settlement_pb2.ReverseRequest(settlement=key, person_id=claim.person_id)
            try:
                answer = await client.call(client.adjudication.Reverse, request, 10.0)
            except grpc.RpcError as error:
                if code_of(error) == "ADJ-9003":
                    continue  # the person has a later settlement of the day
                raise
            return [answer], f"{answer.institution_code}, encounter {answer.encounter_id}"
        return [], "no stay to take back"

    def _figures(self) -> dict[str, int]:
        claims = self.claims
        return {
            "claims": len(claims), "inpatient": sum(1 for claim in claims if claim.discharge_date),
            "persons": len({claim.person_id for claim in claims}),
            "hospitals": len({claim.institution_code for claim in claims}),
            "counties": len({claim.insured_area for claim in claims}),
            "settled": len(self.answers), "refused": sum(self.refused.values()),
        }  # fmt: skip

    def _shown(self) -> list[settlement_pb2.Settlement]:
        """Return the dearest stay, and the visit whose funds paid most: without their lines, to fit on a screen."""
        shown = []
        for stay in (True, False):
            answers = [a for number, a in self.answers.items() if bool(self.claims[number].discharge_date) is stay]
            if answers:
                chosen = settlement_pb2.Settlement()
                chosen.CopyFrom(max(answers, key=lambda answer: (answer.fund_total_fen, answer.encounter_id)))
                chosen.ClearField("lines")
                shown.append(chosen)
        return shown
