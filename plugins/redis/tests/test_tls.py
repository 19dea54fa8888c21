"""TLS: who is trusted, who one is, and what is said when it doesn't do."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from jackfield_redis import RedisStore, StoreFailure
from jackfield_redis.testing import ValkeyServer, tls_in_front
from jackfield_redis.trust import client_context

Opened = Callable[..., AbstractAsyncContextManager[RedisStore]]

SECRET = "quite-hidden-0123456789"


@pytest.fixture(name="authority", scope="module")
def _authority() -> trustme.CA:
    """A certificate authority that no system knows."""
    return trustme.CA()


@pytest.fixture(name="tls")
def _tls(authority: trustme.CA) -> ssl.SSLContext:
    """What a server of that authority serves with."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(name="pem")
def _pem(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """The authority's certificate, and a client's with its key, each as text and as a file."""
    client = authority.issue_cert("client@jackfield.invalid")
    blobs = {
        "caCert": authority.cert_pem.bytes(),
        "clientCert": b"".join(blob.bytes() for blob in client.cert_chain_pems),
        "clientKey": client.private_key_pem.bytes(),
    }
    for name, blob in blobs.items():
        (tmp_path / name).write_bytes(blob)
    texts = {name: blob.decode() for name, blob in blobs.items()}
    return {**texts, **{f"{name} file": str(tmp_path / name) for name in blobs}}


@pytest.mark.parametrize("form", ["", " file"], ids=["text", "file"])
@pytest.mark.parametrize("mutual", [False, True], ids=["server", "both"])
def test_trusted(  # noqa: PLR0917  pytest names them
    opened: Opened, server: ValkeyServer, tls: ssl.SSLContext, authority: trustme.CA, pem: dict[str, str],
    form: str, mutual: bool,
) -> None:  # fmt: skip
    """A server of a private authority is trusted, and one that asks for a certificate gets it, from text or file."""
    names = ["caCert"]
    if mutual:
        tls.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(tls)
        names += ["clientCert", "clientKey"]

    async def scenario() -> list[bytes | None]:
        settings = {name: pem[name + form] for name in names}
        async with tls_in_front(server, tls) as port, opened(url=f"rediss://127.0.0.1:{port}", **settings) as store:
            await store.set("k", b"v" * 100_000, 60)
            return await asyncio.gather(*(store.get("k") for _ in range(30)))

    assert asyncio.run(scenario()) == [b"v" * 100_000] * 30


@pytest.mark.parametrize(
    ("names", "hosts", "message"),
    [
        ((), "127.0.0.1", r"CERTIFICATE_VERIFY_FAILED.*; a certificate authority of your own goes into caCert"),
        (("caCert",), "localhost", "CERTIFICATE_VERIFY_FAILED.*mismatch"),
    ],
    ids=["unknown authority", "other name"],
)
def test_not_trusted(  # noqa: PLR0917  pytest names them
    opened: Opened, server: ValkeyServer, authority: trustme.CA, pem: dict[str, str],
    names: tuple[str, ...], hosts: str, message: str,
) -> None:  # fmt: skip
    """A server that nobody vouches for, or for under another name, gets neither password nor command."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(hosts).configure_cert(context)

    async def scenario() -> None:
        settings = {name: pem[name] for name in names}
        async with (
            tls_in_front(server, context) as port,
            opened(url=f"rediss://127.0.0.1:{port}", password=SECRET, **settings) as store,
        ):
            await store.get("k")

    server.calls()
    with pytest.raises(StoreFailure, match=message) as caught:
        asyncio.run(scenario())
    assert SECRET not in str(caught.value)
    assert server.calls() == {}


def test_a_server_without_tls(opened: Opened, server: ValkeyServer) -> None:
    """TLS to a server that doesn't speak it fails, and plain text is not tried instead."""

    async def scenario() -> None:
        async with opened(url=f"rediss://127.0.0.1:{server.port}", connectTimeout="300ms") as store:
            await store.get("k")

    with pytest.raises(StoreFailure, match=r"^rediss://127"):
        asyncio.run(scenario())


def test_trouble_behind_tls(opened: Opened, server: ValkeyServer, tls: ssl.SSLContext, pem: dict[str, str]) -> None:
    """A server that hangs behind TLS costs a call its time and no more, and the close none."""

    async def scenario() -> bytes | None:
        async with tls_in_front(server, tls) as port:
            url = f"rediss://127.0.0.1:{port}"
            async with opened(url=url, timeout="300ms", caCert=pem["caCert"]) as store:
                await store.set("k", b"v", 60)
                server.pause()
                with pytest.raises(StoreFailure, match="did not answer within 300 ms"):
                    await store.get("k")
                server.resume()
                value = await store.get("k")
                server.pause()
                begin = time.monotonic()
                await store.close()
                assert time.monotonic() - begin < 1
                server.resume()
                return value

    assert asyncio.run(scenario()) == b"v"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"caCert": "/nowhere/ca.pem"}, "caCert: can't use /nowhere/ca.pem: No such file or directory; give PEM text"),
        ({"caCert": "-----BEGIN CERTIFICATE-----\nnone"}, "caCert: can't use the PEM text: it holds no valid"),
        ({"clientCert": "/nowhere/c.pem"}, "clientCert: can't use /nowhere/c.pem: No such file or directory"),
        ({"clientKey": SECRET}, "clientKey: can't use the file: No such file or directory"),
        ({"clientKey": f"-----BEGIN PRIVATE KEY-----\n{SECRET}"}, "clientCert and clientKey: they are no valid"),
        ({"clientCert": "-----BEGIN CERTIFICATE-----\nnone"}, "clientCert and clientKey: they are no valid"),
    ],
)
def test_certificates_that_can_not_be_used(
    opened: Opened, pem: dict[str, str], changed: dict[str, str], message: str
) -> None:
    """Certificates and keys that can't be read keep the component from starting; the text names the setting."""
    settings = {**{name: pem[name] for name in ("caCert", "clientCert", "clientKey")}, **changed}

    async def scenario() -> None:
        async with opened(url="rediss://cache.invalid", **settings):
            pass

    with pytest.raises(ValueError, match=message) as caught:
        asyncio.run(scenario())
    assert SECRET not in str(caught.value)


def test_a_key_with_a_passphrase(pem: dict[str, str]) -> None:
    """A key that is encrypted is refused rather than asked for at the terminal."""
    key = load_pem_private_key(pem["clientKey"].encode(), None)
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase"))
    with pytest.raises(ValueError, match="the key without a passphrase"):
        client_context(client_cert=pem["clientCert"], client_key=encrypted.decode())


def test_close_before_a_server_that_does_not_say_goodbye(
    opened: Opened, tls: ssl.SSLContext, pem: dict[str, str]
) -> None:
    """A close doesn't wait for the other side of a TLS connection to answer its end."""
    done = threading.Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with tls.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.recv(1000)
            encrypted.sendall(b"$1\r\nv\r\n")
            done.wait()

    async def scenario(port: int) -> float:
        async with opened(url=f"rediss://127.0.0.1:{port}", caCert=pem["caCert"]) as store:
            assert await store.get("k") == b"v"
            begin = time.monotonic()
        return time.monotonic() - begin

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            assert asyncio.run(scenario(listener.getsockname()[1])) < 1
        finally:
            done.set()
            thread.join()
