"""For which routes or jobs leases were taken, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from mooring.core.pool import Leak


def in_scopes(leaks: Collection[Leak]) -> str:
    """Return for which routes or jobs leases were taken; one is named alone only where it is that of all."""
    scopes = Counter(leak.scope for leak in leaks if leak.scope)
    if not scopes:
        return ""
    (scope, count), *others = scopes.most_common(2)
    named = scopes.total()
    some = "" if named == len(leaks) else f", {named} of them"
    if not others:
        return f"{some} in {scope}"
    most = f", most in {scope} ({count})" if count > others[0][1] else ""
    return f"{some} in {len(scopes)} scopes{most}"
