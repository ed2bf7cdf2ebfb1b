"""The door of the service: who calls, and whether they may make this call on what it is about.

A call is looked at before its handler sees it; each message of a stream and each claim of a batch is too, so that what
SIGHUP changes in the list of callers holds for streams that are open. Without a list of callers all may do everything,
which is refused off this host (:mod:`adjudicator.service.exposure`).
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from adjudicator.errors import TABLE, AdjudicatorError, E, refuse
from adjudicator.service.auditing import Auditor, Refusal
from adjudicator.service.callers import Caller, Callers, read_callers
from adjudicator.service.calls import Context
from adjudicator.service.logs import log
from adjudicator.service.permissions import MATRIX, METRICS, About, Scope
from adjudicator.service.subjects import SUBJECTS, Subject, are_all_of, of_claim

REFUSALS = frozenset({E.UNKNOWN_CALLER, E.NOT_OF_ROLE, E.NOT_OWN, E.NOT_A_PATIENT})
"""What is refused here and not for what a claim says."""

AreasOf = Callable[[frozenset[str]], frozenset[str]]
"""Area codes of insurance of some pools under the loaded rules."""


class Door:
    """Lets calls of known callers in, as the matrix of permissions says."""

    def __init__(self, path: Path | None, areas_of: AreasOf, audit: Auditor):
        """``path``: the list of callers; None lets everybody in. Errors: E.CORRUPT_CALLERS."""
        self._path = path
        self._audit = audit
        self._areas_of = areas_of
        self.callers: Callers | None = read_callers(path) if path else None

    @property
    def is_open(self) -> bool:
        """Whether everybody may do everything."""
        return self.callers is None

    async def read_again(self) -> None:
        """Take up the list of callers as it is on the disk now; the former one stays where that fails.

        Errors: E.CORRUPT_CALLERS, E.AUDIT_UNWRITABLE.
        """
        if self._path is not None:
            callers = read_callers(self._path)
            await self._audit.record("callers", callers=len(callers), sha256=digest_of(self._path))
            self.callers = callers
            log("callers loaded", callers=len(callers))

    def caller(self, context: Context) -> Caller | None:
        """Return who calls; None where everybody may. Errors: E.UNKNOWN_CALLER."""
        if self.callers is None:
            return None
        caller = self.callers.find(context.peer_identities() or ())
        if caller is None:
            raise refuse(E.UNKNOWN_CALLER)
        return caller

    def check(self, call: str, message: bytes, context: Context) -> None:
        """Let a message in. Errors: E.UNKNOWN_CALLER, E.NOT_OF_ROLE, E.NOT_OWN, E.MALFORMED_MESSAGE.

        Of a batch only the role of its caller is looked at here; its claims are by :meth:`refused_claims`.
        """
        caller = self.caller(context)
        if caller is None:
            return
        row = MATRIX[call]
        scope = row.of(caller.role)
        if scope is Scope.NOTHING:
            raise refuse(E.NOT_OF_ROLE, detail=caller.role.word)
        if row.about in SUBJECTS:
            field = self._foreign(caller, scope, SUBJECTS[row.about](message))
            if field:
                raise refuse(E.NOT_OWN, field)

    def refused_claims(
        self, call: str, claims: Callable[[], Sequence[memoryview]], context: Context
    ) -> dict[int, AdjudicatorError]:
        """Return why some claims of a batch may not be sent by their caller, by place in the batch."""
        caller = self.caller(context)
        if caller is None:
            return {}
        assert MATRIX[call].about is About.CLAIMS
        scope = MATRIX[call].of(caller.role)
        if scope is Scope.OWN_INSTITUTIONS and are_all_of(caller.institutions, claims()):
            return {}
        refused: dict[int, AdjudicatorError] = {}
        for place, claim in enumerate(claims()):
            try:
                field = self._foreign(caller, scope, of_claim(claim))
            except AdjudicatorError as malformed:
                refused[place] = malformed
                continue
            if field:
                refused[place] = refuse(E.NOT_OWN, field)
        return refused

    async def note(self, call: str, context: Context, refusal: AdjudicatorError) -> None:
        """Record a refusal of the door; any other is none of its business."""
        problem = refusal.problems[0]
        if problem.number not in REFUSALS or self.callers is None:
            return
        caller = self.callers.find(context.peer_identities() or ())
        known = (caller.name, caller.role.word, "") if caller else ("", "", fingerprint_of(context))
        await self._audit.refused(Refusal(call, *known, problem.row.code, problem.field))

    def name_of(self, context: Context) -> dict[str, str]:
        """Return who calls, for the audit log; nothing where everybody may."""
        caller = self.caller(context)
        return {"caller": caller.name, "role": caller.role.word} if caller else {}

    async def shows_counters(self, names: Sequence[bytes]) -> bool:
        """Whether who has a certificate with these names may read the page of counters; a refusal is recorded."""
        caller = self.callers.find(names) if self.callers else None
        if caller is not None and MATRIX[METRICS].of(caller.role) is Scope.ANYTHING:
            return True
        who = (caller.name, caller.role.word, "") if caller else ("", "", "")
        code = TABLE[E.NOT_OF_ROLE if caller else E.UNKNOWN_CALLER].code
        await self._audit.refused(Refusal(METRICS, *who, code, ""))
        return False

    def patients_of(self, call: str, context: Context) -> frozenset[str] | None:
        """Return the institutions whose patients alone the caller may ask for; None: for anybody's."""
        caller = self.caller(context)
        if caller is None or MATRIX[call].of(caller.role) is not Scope.OWN_PATIENTS:
            return None
        return caller.institutions

    def _foreign(self, caller: Caller, scope: Scope, subject: Subject) -> str:
        """Return the field that names what is not the caller's own, "" where all is.

        A message that names no institution is let in: what needs one refuses it with more words.
        """
        if scope is Scope.OWN_INSTITUTIONS:
            foreign = subject.institution and subject.institution not in caller.institutions
            return subject.prefix + "institution_code" if foreign else ""
        if scope is Scope.OWN_COUNTIES:
            return "" if subject.county in caller.counties or subject.pool in caller.pools else "county"
        if scope is Scope.OWN_POOLS and subject.pool:
            return "" if subject.pool in caller.pools else "pool"
        if scope is Scope.OWN_POOLS:
            own = subject.area and subject.area in self._areas_of(caller.pools)
            return "" if own else subject.prefix + "insured_area"
        return ""


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fingerprint_of(context: Context) -> str:
    """Return the SHA-256 of the caller's certificate, as ``openssl x509 -fingerprint -sha256`` prints it."""
    (certificate, *_) = context.auth_context().get("x509_pem_cert", [b""])
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.decode())).hexdigest()
    except ValueError:
        return ""
