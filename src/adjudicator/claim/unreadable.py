"""Why a message is no claim: a text in another encoding, which can be named, or bytes that are no such message."""

from __future__ import annotations

from adjudicator.errors import E, Problem
from adjudicator.v1 import claim_pb2
from adjudicator.wire.decode_text import is_gbk, text_that_is_no_utf8

GBK, GBK_ZH = "; its bytes read as GBK (GB18030)", "，其字节应为 GBK（GB18030）"


def unreadable(message: bytes) -> Problem:
    """Return the problem of a message that the decoder refused."""
    found = text_that_is_no_utf8(claim_pb2.Claim.DESCRIPTOR, message)
    if found is None:
        return Problem(int(E.MALFORMED_MESSAGE))
    path, text = found
    detail, detail_zh = (GBK, GBK_ZH) if is_gbk(text) else ("", "")
    return Problem(int(E.NOT_UTF8), path, detail, detail_zh=detail_zh)
