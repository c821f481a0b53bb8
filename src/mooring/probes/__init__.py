"""How one kind of target is tested: one file per kind, and the folder is the list.

Files that begin with an underscore are what kinds are made of. A kind of your own is a subclass of
`Probe` or `SessionProbe`, registered under the entry point group `mooring.probes`.
"""

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._base import KindDefaults, Probe
from mooring.probes._session import SessionProbe
from mooring.probes._url import Url

__all__ = [
    "Cause",
    "CheckError",
    "KindDefaults",
    "Observation",
    "Probe",
    "Prose",
    "Reason",
    "SessionProbe",
    "Stage",
    "TLSSettings",
    "Trail",
    "Url",
]
