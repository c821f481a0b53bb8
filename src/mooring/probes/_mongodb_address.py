"""MongoDB's addresses: several hosts, or a name whose records list them, and options behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mooring.core.spelling import did_you_mean
from mooring.net.dial import shown
from mooring.net.tls import TLSSettings
from mooring.probes._url import SEPARATOR, Url

MONGODB_PORT = 27017
SRV = "mongodb+srv"
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "MONGODB-X509")
_USED = (
    "authsource",
    "authmechanism",
    "replicaset",
    "tls",
    "ssl",
    "tlscafile",
    "tlscertificatekeyfile",
    "tlsinsecure",
    "tlsallowinvalidcertificates",
    "tlsallowinvalidhostnames",
    "srvservicename",
)
_PASSED_OVER = (
    "appname",
    "authmechanismproperties",
    "compressors",
    "connecttimeoutms",
    "directconnection",
    "gssapiservicename",
    "heartbeatfrequencyms",
    "journal",
    "loadbalanced",
    "localthresholdms",
    "maxconnecting",
    "maxidletimems",
    "maxpoolsize",
    "maxstalenessseconds",
    "minpoolsize",
    "proxyhost",
    "proxypassword",
    "proxyport",
    "proxyusername",
    "readconcernlevel",
    "readpreference",
    "readpreferencetags",
    "retryreads",
    "retrywrites",
    "servermonitoringmode",
    "serverselectiontimeoutms",
    "serverselectiontryonce",
    "socketcheckintervalms",
    "sockettimeoutms",
    "srvmaxhosts",
    "timeoutms",
    "tlscertificatekeyfilepassword",
    "tlsdisablecertificaterevocationcheck",
    "tlsdisableocspendpointcheck",
    "uuidrepresentation",
    "w",
    "waitqueuemultiple",
    "waitqueuetimeoutms",
    "wtimeoutms",
    "zlibcompressionlevel",
)
"""Options of drivers that mean nothing for a check: pools, retries, read preferences, compression."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one member listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return shown(self.host, self.port)


@dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart. `options` have lower-case names."""

    places: tuple[Place, ...]
    srv: bool
    user: str
    password: str | None = field(repr=False)
    database: str
    options: Mapping[str, str] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Take an address apart. Raises ValueError that names the field and shows no secret."""
        url = Url.parse(text)
        options = {name.lower(): value for name, value in url.query.items()}
        self = cls(_places(url), url.scheme == SRV, url.user or "", url.password, url.name, options)
        self._demand_host(url)
        self._demand_login()
        for name in options:
            _demand_known(name)
        return self

    @property
    def shown(self) -> str:
        """The hosts and the database, without a login."""
        hosts = self.places[0].host if self.srv else SEPARATOR.join(map(str, self.places))
        return f"{hosts}/{self.database}" if self.database else hosts

    @property
    def mechanism(self) -> str | None:
        """How to log in, where the address says it."""
        return self.options.get("authmechanism", "").upper() or None

    @property
    def logs_in(self) -> bool:
        """Whether a login is given."""
        return bool(self.user) or self.mechanism == "MONGODB-X509"

    def told(self, name: str, default: bool) -> bool:
        """Return an option that is true or false. Raises ValueError where it is neither."""
        text = self.options.get(name)
        if text is None:
            return default
        if text.lower() not in _TRUTH:
            raise ValueError(f"url: {name} has to be true or false")
        return _TRUTH[text.lower()]

    def encryption(self, tls: TLSSettings | None) -> TLSSettings | None:
        """Return how TLS is spoken, None where it is not. Raises ValueError for contradictions."""
        secure = self.told("tls", self.told("ssl", self.srv))
        if not secure and tls is not None and {"tls", "ssl"} & self.options.keys():
            raise ValueError("tls: is of no use, since the address says tls=false")
        if not secure and tls is None:
            return None
        if tls is not None:
            return tls
        careless = self.told("tlsinsecure", False) or self.told("tlsallowinvalidcertificates", False)
        any_host = self.told("tlsallowinvalidhostnames", False)
        return TLSSettings(
            verify=False if careless else "ca" if any_host else True,
            ca=self.options.get("tlscafile"),
            cert=self.options.get("tlscertificatekeyfile"),
        )

    def _demand_host(self, url: Url) -> None:
        if not all(place.host for place in self.places):
            raise ValueError("url: names no host; write mongodb://user:password@host:27017/database")
        if self.srv and (url.port is not None or len(self.places) > 1):
            raise ValueError("url: mongodb+srv:// takes one name without a port; its records list the hosts")

    def _demand_login(self) -> None:
        if self.mechanism not in (None, *_MECHANISMS):
            raise ValueError(f"url: authMechanism has to be one of {', '.join(_MECHANISMS)}")
        if self.mechanism == "MONGODB-X509":
            if self.password is not None:
                raise ValueError("url: MONGODB-X509 logs in by certificate and takes no password")
            return
        if self.user and self.password is None:
            raise ValueError("url: a user without a password; write mongodb://user:password@host")
        if not self.user and (self.password or self.mechanism):
            raise ValueError("url: a login without a user; write mongodb://user:password@host")


def _places(url: Url) -> tuple[Place, ...]:
    if SEPARATOR not in url.host:
        return (Place(url.host, url.port or MONGODB_PORT),)
    parts = [Url.parse(f"mongodb://{each}") for each in url.host.split(SEPARATOR)]
    return tuple(Place(part.host, part.port or MONGODB_PORT) for part in parts)


def _demand_known(name: str) -> None:
    if name not in _USED and name not in _PASSED_OVER:
        guess = did_you_mean(name, (*_USED, *_PASSED_OVER))
        raise ValueError(f"url: there is no option {name}; {guess}".rstrip("; "))
