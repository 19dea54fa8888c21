"""The names that a request may call this host by, in its ``Host`` header.

A web page can have its own name point to 127.0.0.1 (DNS rebinding). The browser then takes this host for a part of that
page's site: a GET carries no ``Origin``, and the page may read the answer. ``Host`` is the page's name all the same.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum, auto
from ipaddress import ip_address
from string import ascii_letters, digits
from typing import Final

from jackfield.options import HostOptions
from jackfield.serving.network import Network

__all__ = ["HostNames", "Judgement", "host_names"]

_IN_A_HOST: Final = b"-.:[]%_~!$&'()*+,;=" + ascii_letters.encode() + digits.encode()
_PRIVATE: Final = (".localhost", ".internal")
"""What no public name server answers: RFC 6761, and the domain that ICANN keeps for private use."""
_REMEMBERED: Final = 256
_LONGEST_REMEMBERED: Final = 255


class Judgement(Enum):
    """What a ``Host`` header is to this host."""

    KNOWN = auto()
    NO_NAME = auto()
    STRANGE = auto()


class HostNames:
    """Judges ``Host`` headers.

    Addresses always pass: a page at an address is served from there, and nobody can point an address elsewhere. So do
    names that no public name server answers, such as ``localhost`` and Docker's ``host.docker.internal``.

    Args:
        names: further names, in any case; a port is not looked at. ``*.example.com`` stands for all below it, ``*`` for
            all, and None has every name pass.

    Attributes:
        known: values that have been judged to be right, so that a request need not ask again.
    """

    def __init__(self, names: Collection[str] | None = None) -> None:
        self._any = names is None or "*" in names
        given = [_without_port(name.strip()).lower() for name in names or ()]
        self._names = frozenset(("localhost", *given))
        self._endings = (*_PRIVATE, *(name[1:] for name in given if name.startswith("*.")))
        self.known: set[bytes] = set()

    def judge(self, value: bytes) -> Judgement:
        """Judge a header's value. An empty one is no name that a page could have."""
        if value.translate(None, _IN_A_HOST):
            return Judgement.NO_NAME
        if not (self._any or self._knows(value.decode().lower())):
            return Judgement.STRANGE
        if len(value) <= _LONGEST_REMEMBERED:  # headers are the callers' own: they may not fill the memory
            if len(self.known) >= _REMEMBERED:
                self.known.clear()
            self.known.add(value)
        return Judgement.KNOWN

    def _knows(self, text: str) -> bool:
        address, bracket, port = text.partition("]")
        if bracket:
            return address[:1] == "[" and _is_address(address[1:]) and (not port or _is_port(port[1:]))
        name, colon, port = text.partition(":")
        name = name.removesuffix(".")
        if colon and not _is_port(port):
            return False
        return not name or name in self._names or name.endswith(self._endings) or _is_address(name)


def host_names(options: HostOptions, network: Network | None) -> HostNames:
    """Make the judge of a host.

    Names are looked at where a list is given, and where a page could reach what nothing else guards: a port on
    loopback without a token. A page knows no token, and its name has no certificate of this host. A host that listens
    for other machines is called by names that only its operator knows.

    Args:
        options: the host's options.
        network: how it listens; None if another server does that.
    """
    if options.allowed_hosts:
        return HostNames(options.allowed_hosts)
    if network is None or network.unix_socket or network.certificate or options.api_token:
        return HostNames()
    return HostNames(() if all(map(_is_loopback, network.addresses)) else None)


def _without_port(name: str) -> str:
    return name.partition(":")[0].rstrip(".")


def _is_loopback(address: str) -> bool:
    return address.lower() == "localhost" or (_is_address(address) and ip_address(address).is_loopback)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_port(text: str) -> bool:
    return text == "" or (text.isascii() and text.isdigit())
