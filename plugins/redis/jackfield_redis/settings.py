"""The settings of ``cache.redis``."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from jackfield import Duration, Secret, Settings
from jackfield_redis.address import Address, parse_address

__all__ = ["RedisSettings"]


class RedisSettings(Settings):
    """What a manifest of the type may set.

    Attributes:
        url: where the server is; it may hold user and password, so it is never shown.
        username: the user, if ``url`` has none.
        password: the password, if ``url`` has none.
        key_prefix: what every key begins with.
        timeout: how long one call of the store may take as a whole, in seconds.
        connect_timeout: how long a connection may take to make, in seconds; no call waits for longer than ``timeout``.
        max_connections: how many connections there may be at once.
        ca_cert: certificates to trust beside the system's: PEM text, or the path of a PEM file.
        client_cert: the certificate to show to the server, with its chain: PEM text, or the path of a PEM file.
        client_key: the private key of ``client_cert``: PEM text, or the path of a PEM file.
    """

    model_config = ConfigDict(str_strip_whitespace=True, coerce_numbers_to_str=True)

    url: Secret
    username: str = ""
    password: Secret = Secret("")
    key_prefix: str = "jackfield:"
    timeout: Annotated[Duration, Field(gt=0)] = 0.05
    connect_timeout: Annotated[Duration, Field(gt=0)] = 1.0
    max_connections: Annotated[int, Field(ge=1)] = 16
    ca_cert: str = ""
    client_cert: str = ""
    client_key: Secret = Secret("")

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: Secret) -> Secret:
        try:
            parse_address(url.get_secret_value())
        except ValueError as error:
            # Of a secret setting only such an error's text is shown. This one repeats nothing of the address.
            raise PydanticCustomError("address", "{cause}", {"cause": str(error)}) from None
        return url

    @model_validator(mode="after")
    def _check_together(self) -> RedisSettings:
        address = parse_address(self.url.get_secret_value())
        if address.username and self.username:
            raise ValueError("the user stands in url and in username; leave one out")
        if address.password and self.password.get_secret_value():
            raise ValueError("a password stands in url and in password; leave one out")
        if (self.username or address.username) and not (self.password.get_secret_value() or address.password):
            raise ValueError("there is a user and no password; add an item `name: password`")
        if bool(self.client_cert) != bool(self.client_key.get_secret_value()):
            raise ValueError("clientCert and clientKey go together; give both or none")
        if (self.ca_cert or self.client_cert) and not address.tls:
            raise ValueError("caCert and clientCert are for TLS; begin url with rediss:// or leave them out")
        return self

    @property
    def address(self) -> Address:
        """The server, and who one is there, from ``url``, ``username`` and ``password`` together."""
        found = parse_address(self.url.get_secret_value())
        return Address(
            host=found.host,
            port=found.port,
            path=found.path,
            tls=found.tls,
            database=found.database,
            username=found.username or self.username,
            password=found.password or self.password.get_secret_value(),
        )
