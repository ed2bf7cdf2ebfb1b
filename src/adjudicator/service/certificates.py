"""The certificates of the service, read at its start and again on SIGHUP."""

from __future__ import annotations

import hashlib
import ssl

import grpc

from adjudicator.errors import E, refuse
from adjudicator.service.auditing import Auditor
from adjudicator.service.logs import log
from adjudicator.service.options import TlsOptions


class Certificates:
    """The certificate and key of the service, and the authority of its callers. Open connections keep theirs."""

    def __init__(self, tls: TlsOptions):
        """Errors: E.CERTIFICATE_UNUSABLE."""
        self._tls = tls
        self._first = self._fresh = _read(tls)
        self.context = context_of(tls)
        """The same for the page of counters."""

    async def read_again(self, audit: Auditor) -> None:
        """Take up the files as they are now, for new connections; all stays where one is unusable.

        Errors: E.CERTIFICATE_UNUSABLE, E.AUDIT_UNWRITABLE.
        """
        fresh = _read(self._tls)
        await audit.record("certificates", sha256=hashlib.sha256(self._tls.certificate.read_bytes()).hexdigest())
        self._fresh = fresh
        self.context.load_cert_chain(self._tls.certificate, self._tls.key)
        if self._tls.client_authority:
            self.context.load_verify_locations(self._tls.client_authority)
        log("certificates loaded")

    def credentials(self) -> grpc.ServerCredentials:
        """Return what a port needs; each new connection asks for what has changed."""
        return grpc.dynamic_ssl_server_credentials(self._first, lambda: self._fresh, bool(self._tls.client_authority))


def context_of(tls: TlsOptions) -> ssl.SSLContext:
    """Return the same for a server of the standard library. Errors: E.CERTIFICATE_UNUSABLE."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except OSError as error:  # what OpenSSL says of the content is one too
        raise refuse(
            E.CERTIFICATE_UNUSABLE, detail=f"{tls.certificate.name}, {tls.key.name}: {_reason(error)}"
        ) from error
    if tls.client_authority:
        try:
            context.load_verify_locations(tls.client_authority)
        except OSError as error:
            raise refuse(E.CERTIFICATE_UNUSABLE, detail=f"{tls.client_authority.name}: {_reason(error)}") from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _read(tls: TlsOptions) -> grpc.ServerCertificateConfiguration:
    """Return the files for gRPC, after OpenSSL has found them good: gRPC itself goes on in silence without them."""
    context_of(tls)
    authority = tls.client_authority.read_bytes() if tls.client_authority else None
    return grpc.ssl_server_certificate_configuration([(tls.key.read_bytes(), tls.certificate.read_bytes())], authority)


def _reason(error: OSError) -> str:
    return (isinstance(error, ssl.SSLError) and error.reason) or error.strerror or type(error).__name__
