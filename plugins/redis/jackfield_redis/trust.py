"""What a TLS connection is made with: whom to trust, and which certificate to show."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["client_context"]

_PEM: Final = "-----BEGIN "


def client_context(*, ca_cert: str = "", client_cert: str = "", client_key: str = "") -> ssl.SSLContext:
    """Make the context of a component's connections; a server's certificate is always verified.

    Reads files, the system's certificates among them, so call it in a thread.

    Args:
        ca_cert: certificates to trust beside the system's: PEM text, the path of a PEM file, or empty.
        client_cert: the certificate to show: PEM text, the path of a PEM file, or empty.
        client_key: its private key, likewise.

    Raises:
        ValueError: one of them can't be read or is no valid certificate or key; the text names the setting.
    """
    context = ssl.create_default_context()
    if ca_cert:
        try:
            if _PEM in ca_cert:
                context.load_verify_locations(cadata=ca_cert)
            else:
                context.load_verify_locations(cafile=ca_cert)
        except (OSError, ValueError) as error:
            raise _unusable("caCert", ca_cert, error, "it holds no valid certificate") from None
    if client_cert:
        with _file("clientCert", client_cert) as cert_file, _file("clientKey", client_key) as key_file:
            try:
                # Without a way to ask, OpenSSL would wait at the terminal for the passphrase of a key that has one.
                context.load_cert_chain(cert_file, key_file, password=lambda: b"")
            except (OSError, ValueError):
                raise ValueError(
                    "clientCert and clientKey: they are no valid certificate and its private key; "
                    "give each as PEM text or the path of a PEM file, and the key without a passphrase"
                ) from None
    return context


@contextmanager
def _file(setting: str, value: str) -> Iterator[str]:
    """Give the path of a PEM file; text stands in a file of its own meanwhile, as OpenSSL reads nothing else."""
    if _PEM not in value:
        try:
            with Path(value).open("rb"):
                pass
        except (OSError, ValueError) as error:
            raise _unusable(setting, value, error, "it is no path") from None
        yield value
        return
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(value)
        file.flush()
        yield file.name


def _unusable(setting: str, value: str, error: Exception, otherwise: str) -> ValueError:
    cause = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else otherwise
    # What is meant as a key must not be shown, even if it is none.
    where = "the PEM text" if _PEM in value else "the file" if setting == "clientKey" else value
    return ValueError(f"{setting}: can't use {where}: {cause}; give PEM text or the path of a PEM file")
