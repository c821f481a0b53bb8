"""A password that may stand beside the address."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field, SecretStr

from mooring.probes._url import Url

Password: TypeAlias = Annotated[
    SecretStr | None, Field(description="The password, where it does not stand in the address.")
]


def password_of(url: Url, beside: SecretStr | None) -> str:
    """Return the password beside the address, else the one in it; empty where there is none."""
    return (url.password or "") if beside is None else beside.get_secret_value()
