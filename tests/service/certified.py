"""Certificates of one authority for tests, and a service that asks its callers for them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import grpc
import trustme

from adjudicator.client import CHANNEL_OPTIONS
from adjudicator.service.process import ServiceProcess
from adjudicator.v1 import adjudication_pb2_grpc

from .claims import COUNTY, HOSPITAL, POOL

OTHER_HOSPITAL = "H33010600001"
CALLERS = f"""
[[caller]]
name = "first-hospital"
role = "hospital"
certificates = ["his.first.example"]
institutions = ["{HOSPITAL}"]

[[caller]]
name = "second-hospital"
role = "hospital"
certificates = ["his.second.example", "new.second.example"]
institutions = ["{OTHER_HOSPITAL}"]

[[caller]]
name = "bureau"
role = "bureau"
certificates = ["bureau.example"]
pools = ["{POOL}"]

[[caller]]
name = "other-bureau"
role = "bureau"
certificates = ["other-bureau.example"]
pools = ["330500"]

[[caller]]
name = "county-fund"
role = "fund_manager"
certificates = ["fund.example"]
counties = ["{COUNTY}"]

[[caller]]
name = "city-fund"
role = "fund_manager"
certificates = ["city-fund.example"]
pools = ["{POOL}"]

[[caller]]
name = "operations"
role = "operator"
certificates = ["operations.example"]
"""


class Authority:
    """Issues certificates; ``folder`` gets the files that a service and commands read."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.ca = trustme.CA()
        self.file("authority.pem", self.ca.cert_pem.bytes())
        self.issue("server", "localhost", "127.0.0.1")
        self.callers(CALLERS)

    def file(self, name: str, content: bytes) -> Path:
        """Write a file."""
        path = self.folder / name
        path.write_bytes(content)
        return path

    def callers(self, text: str) -> Path:
        """Write the list of callers."""
        return self.file("callers.toml", text.encode())

    def issue(self, name: str, *identities: str, common_name: str | None = None) -> None:
        """Write ``name.pem`` and ``name.key``."""
        made = self.ca.issue_cert(*identities, common_name=common_name)
        self.file(f"{name}.pem", b"".join(part.bytes() for part in made.cert_chain_pems))
        self.file(f"{name}.key", made.private_key_pem.bytes())

    def credentials(self, identity: str = "", common_name: str | None = None) -> grpc.ChannelCredentials:
        """Return what a caller with a certificate of this authority needs; without an identity it has none."""
        own: tuple[bytes, ...] = ()
        if identity:
            made = self.ca.issue_cert(identity, common_name=common_name)
            own = (made.private_key_pem.bytes(), b"".join(part.bytes() for part in made.cert_chain_pems))
        return grpc.ssl_channel_credentials((self.folder / "authority.pem").read_bytes(), *own)

    @property
    def options(self) -> tuple[str, ...]:
        """Options of ``adjudicator serve``."""
        words = {"--tls-cert": "server.pem", "--tls-key": "server.key", "--tls-client-ca": "authority.pem"}
        words["--callers"] = "callers.toml"
        return tuple(word for option, name in words.items() for word in (option, str(self.folder / name)))

    def connect(self, service: ServiceProcess, identity: str) -> SimpleNamespace:
        """Stubs of both services over a channel of a caller."""
        channel = grpc.secure_channel(service.address, self.credentials(identity), options=CHANNEL_OPTIONS)
        return SimpleNamespace(
            channel=channel,
            adjudication=adjudication_pb2_grpc.AdjudicationStub(channel),
            pooling=adjudication_pb2_grpc.PoolingLedgerStub(channel),
        )
