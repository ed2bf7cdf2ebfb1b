"""The first call: one discharge of an invented patient, settled by the service on this machine."""

import json
import sys
from pathlib import Path

import grpc
from google.protobuf.json_format import ParseDict

from adjudicator.v1 import adjudication_pb2_grpc, claim_pb2

address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"
claim = ParseDict(json.loads(Path(__file__).with_name("claim.json").read_text()), claim_pb2.Claim())

with grpc.insecure_channel(address) as channel:
    settlement = adjudication_pb2_grpc.AdjudicationStub(channel).Settle(claim, timeout=5)

print(f"医疗费总额   {settlement.total_fen / 100:10.2f}")
print(f"统筹基金支付 {settlement.pooled_fund_fen / 100:10.2f}")
print(f"基金支付总额 {settlement.fund_total_fen / 100:10.2f}")
print(f"个人现金支付 {settlement.cash_fen / 100:10.2f}")
print(f"病组 {settlement.grouping.drg}  应付医院 {settlement.payment.due_fen / 100:.2f}")
