"""What the environment says about the way to a server."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from jackfield.upstream.environment import proxy_for, trust


@pytest.mark.parametrize(
    ("endpoint", "environment", "proxy"),
    [
        ("http://host/v1", {}, None),
        ("http://host/v1", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        ("http://host/v1", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://host/v1", {"HTTPS_PROXY": "p:1"}, "http://p:1"),
        ("https://host/v1", {"https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:1"}, "http://low:1"),
        ("https://host/v1", {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        ("https://host/v1", {"ALL_PROXY": "http://p:1", "HTTPS_PROXY": "http://q:1"}, "http://q:1"),
        ("https://host/v1", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other, host"}, None),
        ("https://a.host:8443/v1", {"HTTPS_PROXY": "http://p:1", "no_proxy": ".host"}, None),
        ("https://host/v1", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ("https://host/v1", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "ghost"}, "http://p:1"),
        ("https://host/v1", {"HTTPS_PROXY": " "}, None),
    ],
)
def test_proxy_for(endpoint: str, environment: Mapping[str, str], proxy: str | None) -> None:
    """The proxy variables are read as curl reads them."""
    assert proxy_for(endpoint, environment) == proxy


@pytest.mark.parametrize(
    ("certificate", "environment", "message"),
    [
        ("/nowhere/ca.pem", {}, "caCert: can't use /nowhere/ca.pem: No such file or directory"),
        ("-----BEGIN CERTIFICATE-----\nnonsense", {}, "caCert: can't use the PEM text: it holds no valid certificate"),
        ("", {"SSL_CERT_FILE": "/nowhere/ca.pem"}, "SSL_CERT_FILE: can't use /nowhere/ca.pem"),
    ],
)
def test_certificates_that_can_not_be_used(certificate: str, environment: Mapping[str, str], message: str) -> None:
    """Certificates that can't be read are named together with who named them."""
    with pytest.raises(ValueError, match=message):
        trust(certificate, environment)


def test_nothing_to_trust_beside_the_system() -> None:
    """Without a word from manifest or environment the system's certificates are enough."""
    assert trust("", {"PATH": "/bin"}) is None
