"""What an id or a code of a claim may look like: printable ASCII without blanks at the ends, and not too long.

"P", "P " and "P" with a byte 0 would be three persons of the ledger; a GBK text that happens to be UTF-8 another one.
"""

from __future__ import annotations

import numpy as np

from adjudicator import limits
from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.errors import E
from adjudicator.wire.octets import word_at

ID_TOO_LONG, INVALID_ID = int(E.ID_TOO_LONG), int(E.INVALID_ID)

ID_LIMITS: dict[str, int] = {
    "institution_code": limits.MAX_INSTITUTION_BYTES,
    "encounter_id": limits.MAX_NATIONAL_ID_BYTES,
    "person_id": limits.MAX_NATIONAL_ID_BYTES,
    "referral_from_encounter": limits.MAX_NATIONAL_ID_BYTES,
    "department": limits.MAX_NATIONAL_ID_BYTES,
    "lines[].line_id": limits.MAX_NATIONAL_ID_BYTES,
    "lines[].item_code": limits.MAX_CODE_BYTES,
    "lines[].department": limits.MAX_NATIONAL_ID_BYTES,
    "lines[].institution_item_code": limits.MAX_CODE_BYTES,
}
"""Field path -> most bytes. Other texts are looked up in a list, so that a strange one is unknown."""

_U64 = np.uint64
_WORD = _U64(8)
_BLANK, _FILLER = np.uint8(0x20), _U64(0x2121212121212121)
_HIGH_BITS, _FROM_BLANK, _ONES = _U64(0x8080808080808080), _U64(0x6060606060606060), _U64(0x0101010101010101)


@uncounted_inlined
def text_fault(buffer: np.ndarray, start: int, size: int, most: int) -> int:
    """Return what is wrong with ``buffer[start : start + size]`` as an id, 0 nothing; an empty one is in order.

    Eight bytes may be read behind it, so the buffer must go on that far. In a word without high bits, adding 0x60 to
    each byte sets the high bit of those from 0x20 on, adding 1 that of 0x7F, and no carry passes from byte to byte.
    """
    fault = 0
    if size > most:
        fault = ID_TOO_LONG
    elif size > 0:
        position = _U64(start)
        end = _U64(start) + _U64(size)
        strange = _U64(0)
        while position < end:
            word = word_at(buffer, position)
            if end - position < _WORD:
                shift = (_WORD - (end - position)) << _U64(3)
                word = (word << shift) | (_FILLER >> (_U64(64) - shift))
            strange |= word | ~(word + _FROM_BLANK) | (word + _ONES)
            position += _WORD
        if strange & _HIGH_BITS != _U64(0) or buffer[_U64(start)] == _BLANK or buffer[end - _U64(1)] == _BLANK:
            fault = INVALID_ID
    return fault
