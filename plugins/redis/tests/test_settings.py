"""What a manifest may say, and what it is told when it is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from jackfield import Build
from jackfield_redis import RedisSettings, RedisStore
from jackfield_redis.address import Address, parse_address

SECRET = "quite-hidden-0123456789"


@pytest.mark.parametrize(
    ("text", "address", "shown"),
    [
        ("redis://cache", Address(host="cache"), "redis://cache:6379/0"),
        ("redis://cache:7000/3", Address(host="cache", port=7000, database=3), "redis://cache:7000/3"),
        ("redis://cache?db=2", Address(host="cache", database=2), "redis://cache:6379/2"),
        ("rediss://cache/", Address(host="cache", tls=True), "rediss://cache:6379/0"),
        ("redis://[::1]:7000", Address(host="::1", port=7000), "redis://[::1]:7000/0"),
        ("redis://:pa%2Fss@cache", Address(host="cache", password="pa/ss"), "redis://cache:6379/0"),
        ("redis://me:a%40b@cache", Address(host="cache", username="me", password="a@b"), "redis://cache:6379/0"),
        ("unix:///run/redis.sock", Address(path="/run/redis.sock"), "unix:///run/redis.sock?db=0"),
        (
            "unix://me:pw@/run/r?db=1",
            Address(path="/run/r", username="me", password="pw", database=1),
            "unix:///run/r?db=1",
        ),
    ],
)
def test_addresses(text: str, address: Address, shown: str) -> None:
    """An address of each form says where the server is, and is shown without user and password."""
    assert parse_address(text) == address
    assert str(address) == shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "of the form redis://"),
        ("cache:6379", "of the form redis://"),
        ("http://cache", "of the form redis://"),
        (f"redis://:pa/{SECRET}@cache", "names no host|of the form"),
        (f"redis://:{SECRET}#@cache", "write %23 for #"),
        (f"redis://me:{SECRET}@cache:port", "of the form redis://"),
        (f"redis://me:{SECRET}@cache:99999", "of the form redis://"),
        (f"redis://me:{SECRET}@cache:0", "of the form redis://"),
        (f"redis://me:{SECRET}@", "names no host"),
        (f"redis://[::1:{SECRET}", "of the form redis://"),
        (f"redis://cache/{SECRET}", "database by its number"),
        ("redis://cache/-1", "database by its number"),
        ("redis://cache/٣", "database by its number"),
        ("redis://cache/99999999999", "database by its number"),
        (f"redis://cache?password={SECRET}", "nothing but db=NUMBER"),
        ("redis://cache?db=1&db=2", "nothing but db=NUMBER"),
        ("redis://cache/1?db=1", "database twice"),
        ("unix://run/redis.sock", "by its whole path"),
        ("unix://", "by its whole path"),
    ],
)
def test_addresses_that_are_none(text: str, message: str) -> None:
    """An address that can't be used is told with the form that can, and with nothing of itself."""
    with pytest.raises(ValueError, match=message) as caught:
        parse_address(text)
    assert SECRET not in str(caught.value)
    with pytest.raises(ValidationError, match=message) as checked:
        RedisSettings.model_validate({"url": text})
    assert SECRET not in str(checked.value)
    # The text of a ValueError would not be shown: url is a secret setting.
    assert [error["type"] for error in checked.value.errors()] == ["address"]


def test_defaults() -> None:
    """Only the address has to be given; the rest is as the page says."""
    settings = RedisSettings.model_validate({"url": "redis://cache"})
    assert settings.key_prefix == "jackfield:"
    assert (settings.timeout, settings.connect_timeout, settings.max_connections) == (0.05, 1.0, 16)
    with pytest.raises(ValidationError, match=r"url\n\s+Field required"):
        RedisSettings.model_validate({})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"username": "me"}, "a user and no password"),
        ({"url": "redis://me@cache"}, "a user and no password"),
        ({"url": f"redis://:{SECRET}@cache", "password": SECRET}, "in url and in password"),
        ({"url": f"redis://me:{SECRET}@cache", "username": "me"}, "in url and in username"),
        ({"url": "rediss://cache", "clientCert": "c.pem"}, "clientCert and clientKey go together"),
        ({"url": "rediss://cache", "clientKey": SECRET}, "clientCert and clientKey go together"),
        ({"caCert": "ca.pem"}, "begin url with rediss://"),
        ({"timeout": "0s"}, "greater than 0"),
        ({"connectTimeout": "0s"}, "greater than 0"),
        ({"maxConnections": 0}, "greater than or equal to 1"),
        ({"keyprefix2": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_settings_that_do_not_go(settings: dict[str, Any], message: str) -> None:
    """Settings that can't work together or at all are refused when they are read, without a secret in the text."""
    with pytest.raises(ValidationError, match=message) as caught:
        RedisSettings.model_validate({"url": "redis://cache", **settings})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"url": f"redis://me:{SECRET}@cache"},
        {"url": "redis://me@cache", "password": SECRET},
        {"url": "redis://cache", "username": "me", "password": SECRET},
    ],
)
def test_secrets_are_not_shown(settings: dict[str, Any]) -> None:
    """User and password reach the server from either place, and no text of settings or store."""
    decoded = RedisSettings.model_validate(settings)
    store = RedisStore(Build(name="replies", type_name="cache.redis", settings=decoded))
    assert (store.address.username, store.address.password) == ("me", SECRET)
    assert SECRET not in f"{decoded!r} {decoded} {store!r} {store.address!r} {store.address}"


def test_what_the_host_is_told() -> None:
    """The host waits for a call as long as the manifest says, and knows that leases mean something."""
    settings = RedisSettings.model_validate({"url": "redis://cache", "timeout": "20ms"})
    store = RedisStore(Build(name="replies", type_name="cache.redis", settings=settings))
    assert (store.timeout, store.shared) == (0.02, True)
