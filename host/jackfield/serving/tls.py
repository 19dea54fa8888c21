"""Certificates, looked at before anything is started with them."""

from __future__ import annotations

import ssl

from jackfield.errors import ConfigurationError
from jackfield.serving.network import Network

__all__ = ["check_certificates"]


def check_certificates(network: Network) -> None:
    """Load the TLS files once, so that one that can't be used is named at start.

    Raises:
        ConfigurationError: a file is not what its option asks for.
    """
    if network.certificate is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # Without a password of ours, a key that is encrypted would ask for one at the terminal.
        context.load_cert_chain(network.certificate, network.private_key, password="")
    except (OSError, ValueError) as error:
        files = " and ".join(str(path) for path in (network.certificate, network.private_key) if path is not None)
        cause = f"{files} can't be used ({_reason(error)})"
        fix = "--tls-cert takes a PEM chain, and --tls-key its key, unencrypted"
        raise ConfigurationError(f"{cause}; {fix}") from None
    if network.client_ca is not None:
        try:
            context.load_verify_locations(network.client_ca)
        except OSError as error:
            cause = f"{network.client_ca} can't be used ({_reason(error)})"
            raise ConfigurationError(f"{cause}; --tls-client-ca takes a PEM file with certificates") from None


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not PEM").replace("_", " ").lower()
    return getattr(error, "strerror", None) or type(error).__name__
