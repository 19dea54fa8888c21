"""What the process's environment says about the way to a server: its proxy and the certificates to trust.

aiohttp's own ``trust_env`` is not used: it reads the proxy variables and the netrc file anew in a thread for every
request, and it sees the process's variables only, not those that the host gives to a component. A component has one
address, so this is settled once, at start.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

__all__ = ["proxy_for", "trust"]

_CERTIFICATE_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PEM: Final = "-----BEGIN "


def proxy_for(endpoint: str, environment: Mapping[str, str]) -> str | None:
    """Return the proxy for an address, None to go there directly.

    Reads ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``, in lower case first, as curl does.

    Raises:
        ValueError: the proxy is of a kind that can't be used.
    """
    parts = urlsplit(endpoint)
    name, proxy = next(
        (
            (variable, value)
            for scheme in (parts.scheme, "all")
            for variable in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY")
            if (value := environment.get(variable, "").strip())
        ),
        ("", ""),
    )
    if not proxy or _bypassed(parts.netloc, environment):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if urlsplit(proxy).scheme not in {"http", "https"}:
        raise ValueError(f"{name} must name an http or https proxy; others, such as SOCKS, are not supported")
    return proxy


def _bypassed(netloc: str, environment: Mapping[str, str]) -> bool:
    excluded = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    return bool(excluded) and bool(proxy_bypass_environment(netloc, {"no": excluded}))


def trust(ca_cert: str, environment: Mapping[str, str]) -> ssl.SSLContext | None:
    """Return what to verify servers with, None if neither manifest nor environment adds anything to the default.

    What they name is trusted beside the system's certificates. Reads files, so call it in a thread.

    Args:
        ca_cert: PEM text, the path of a PEM file, or empty.
        environment: where ``SSL_CERT_FILE``, ``SSL_CERT_DIR``, ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE`` are read.

    Raises:
        ValueError: what they name can't be read or holds no certificate.
    """
    named: Sequence[tuple[str, str]] = [
        *([("caCert", ca_cert)] if ca_cert else []),
        *((name, environment[name]) for name in _CERTIFICATE_VARIABLES if environment.get(name)),
    ]
    if not named:
        return None
    context = ssl.create_default_context()
    for name, value in named:
        try:
            if _PEM in value:
                context.load_verify_locations(cadata=value)
            elif Path(value).is_dir():
                context.load_verify_locations(capath=value)
            else:
                context.load_verify_locations(cafile=value)
        except (OSError, ValueError) as error:
            cause = error.strerror if isinstance(error, FileNotFoundError) else "it holds no valid certificate"
            where = "the PEM text" if _PEM in value else value
            raise ValueError(f"{name}: can't use {where}: {cause}; give PEM text or the path of a PEM file") from None
    return context
