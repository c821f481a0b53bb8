"""A real OpenLDAP, in the clear with StartTLS and over TLS.

`slapd` is one server for the whole session: only ask it. `start_slapd(...)` starts one with lines of
configuration of the test's own, such as `disallow bind_anon`.

    ADMIN     everything         READER   all below BASE but the branches SECRET and CLOSED
    SECRET    READER learns of its existence and may not read it
    CLOSED    READER may not search it     HIDDEN   READER is told that there is no such entry
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.servers.process import ServerProcess, binary, free_port, private_folder
from tests.servers.tls import Certificate, Certificates

PACKAGE = "slapd"
NOBODY = 255
"""What ldapsearch ends with where it reaches no server."""
BASE = "dc=example,dc=org"
ADMIN = (f"cn=admin,{BASE}", "s3cret-of-admin")
READER = (f"cn=reader,{BASE}", "s3cret-of-reader")
ODD = (f"cn=odd,{BASE}", "pa\u00aass\u00adw \U0001f511")
"""Its password is another one, or none at all, once prepared as RFC 4013 says."""
SECRET, CLOSED, HIDDEN = f"ou=secret,{BASE}", f"ou=closed,{BASE}", f"ou=hidden,{BASE}"

_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
argsfile {folder}/args
{tls}
{options}
database mdb
maxsize 10485760
suffix "{base}"
rootdn "{admin}"
rootpw {password}
directory {folder}/db
dbnosync
access to dn.subtree="{secret}" by * search
access to dn.subtree="{closed}" by * disclose
access to dn.subtree="{hidden}" by * none
access to attrs=userPassword by anonymous auth by * none
access to * by users read by anonymous auth
{database_options}
database monitor
access to * by dn.exact="{admin}" read
"""
_TLS = """
TLSCACertificateFile {ca}
TLSCertificateFile {cert}
TLSCertificateKeyFile {key}
"""
_ENTRIES = f"""
dn: {BASE}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: {READER[0]}
objectClass: person
cn: reader
sn: Reader
userPassword: {READER[1]}

dn: {ODD[0]}
objectClass: person
cn: odd
sn: Odd
userPassword:: {base64.b64encode(ODD[1].encode()).decode()}
""" + "".join(
    f"\ndn: {dn}\nobjectClass: organizationalUnit\nou: {dn.partition(',')[0][3:]}\n"
    for dn in (SECRET, CLOSED, HIDDEN)
)


class Slapd(ServerProcess):
    """One server. `options` are lines of its configuration, `database_options` of its database's."""

    def __init__(
        self,
        folder: Path,
        *,
        options: str = "",
        database_options: str = "",
        certificate: Certificate | None = None,
        ca: str = "",
    ) -> None:
        super().__init__(folder)
        self.tls_port = free_port()
        self._secure = certificate is not None
        tls = "" if certificate is None else _TLS.format(ca=ca, cert=certificate.cert, key=certificate.key)
        (folder / "db").mkdir()
        config = folder / "slapd.conf"
        config.write_text(
            _CONFIG.format(
                folder=folder,
                tls=tls,
                options=options,
                database_options=database_options,
                base=BASE,
                admin=ADMIN[0],
                password=ADMIN[1],
                secret=SECRET,
                closed=CLOSED,
                hidden=HIDDEN,
            )
        )
        (folder / "entries.ldif").write_text(_ENTRIES)
        add = [binary("slapadd", PACKAGE), "-f", str(config), "-l", str(folder / "entries.ldif")]
        subprocess.run(add, check=True, capture_output=True)

    def command(self) -> list[str]:
        places = f"ldap://127.0.0.1:{self.port}/"
        if self._secure:
            places += f" ldaps://127.0.0.1:{self.tls_port}/"
        return [binary("slapd", PACKAGE), "-f", str(self.folder / "slapd.conf"), "-h", places, "-d", "0"]

    def ready(self) -> bool:
        # Whatever it answers to somebody who has not logged in, but that nobody answers at all.
        return self._search("-b", "", "-s", "base").returncode != NOBODY

    def sessions(self) -> int:
        """Return how many clients the server has on its books, our own question not counted."""
        login = ("-D", ADMIN[0], "-w", ADMIN[1])
        told = self._search(*login, "-b", "cn=Current,cn=Connections,cn=Monitor", "-LLL", "monitorCounter")
        return int(told.stdout.partition("monitorCounter: ")[2].split()[0]) - 1

    def _search(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        search = [binary("ldapsearch", "ldap-utils"), "-x", "-H", f"ldap://127.0.0.1:{self.port}"]
        return subprocess.run([*search, *arguments], capture_output=True, text=True, check=False, timeout=5)

    def url(self, base: str = BASE, *, scheme: str = "ldap", host: str = "") -> str:
        """Return an address of this server, without a login."""
        port = self.port if scheme == "ldap" else self.tls_port
        return f"{scheme}://{host or '127.0.0.1'}:{port}/{base}"

    def settings(
        self, base: str = BASE, *, login: tuple[str, str] = READER, scheme: str = "ldap", **more: Any
    ) -> dict[str, Any]:
        """Return the settings of a target that logs in."""
        return {"url": self.url(base, scheme=scheme), "bind_dn": login[0], "password": login[1], **more}


StartSlapd: TypeAlias = Callable[..., AbstractContextManager[Slapd]]
"""`with start_slapd(options="disallow bind_anon") as server:`"""


@pytest.fixture(scope="session")
def start_slapd(certificates: Certificates) -> StartSlapd:
    """Starts a server of the test's own; arguments are those of Slapd."""

    @contextmanager
    def start(**options: Any) -> Iterator[Slapd]:
        with private_folder() as folder, Slapd(folder, ca=certificates.ca, **options) as server:
            yield server

    return start


@pytest.fixture(scope="session")
def slapd(start_slapd: StartSlapd, certificates: Certificates) -> Iterator[Slapd]:
    """One server for the session; only ask it."""
    with start_slapd(certificate=certificates.good) as server:
        yield server
