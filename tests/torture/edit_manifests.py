"""The manifests that the edits write: versions in many layouts, and ways in which one can be bad."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

__all__ = ["BAD", "LAYOUTS", "Bad", "manifest"]


def manifest(
    name: str,
    version: str,
    *,
    kind: str = "versioned",
    of_type: str = "v1",
    spec: str = "",
    top: str = "",
    items: str = "",
) -> str:
    """Write a component that answers with a version.

    Args:
        name: the component's name.
        version: what it answers; it stands first and last among the settings, so that a part of it is no manifest.
        kind: the component type behind ``conversation.``.
        of_type: the type's version.
        spec: further lines of ``spec``.
        top: further lines of the document.
        items: further settings.
    """
    return (
        f"apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\n{top}"
        f"spec:\n  type: conversation.{kind}\n  version: {of_type}\n{spec}  metadata:\n"
        f'  - name: version\n    value: "{version}"\n{items}  - name: twin\n    value: "{version}"\n'
    )


def _big(text: str, draw: Random) -> bytes:
    line = "# " + "all work and no play " * 5 + "\n"
    return (line * draw.randrange(2_000, 12_000) + text).encode()


LAYOUTS: dict[str, Callable[[str, Random], bytes]] = {
    "CRLF": lambda text, _: text.replace("\n", "\r\n").encode(),
    "byte order mark": lambda text, _: b"\xef\xbb\xbf" + text.encode(),
    "comments": lambda text, draw: f"# {draw.random()}\n---\n# nothing\n---\n{text}# end\n".encode(),
    "big file": _big,
}
"""Layouts that change nothing of what a text of manifests means."""


@dataclass(frozen=True)
class Bad:
    """A way in which a manifest can be bad.

    Attributes:
        what: its name.
        write: makes the bad text for a component and a version.
        reason: what has to be said of it.
        whole: it takes the place of the whole file, whose components are all held.
    """

    what: str
    write: Callable[[str, str], bytes]
    reason: str
    whole: bool = False


def _edited(old: str, new: str) -> Callable[[str, str], bytes]:
    def write(name: str, version: str) -> bytes:
        text = manifest(name, version)
        assert old in text
        return text.replace(old, new).encode()

    return write


def _with(*, spec: str = "", top: str = "", items: str = "") -> Callable[[str, str], bytes]:
    return lambda name, version: manifest(name, version, spec=spec, top=top, items=items).encode()


def _secret(name: str, version: str) -> bytes:
    text = manifest(name, version, top="auth:\n  secretStore: secrets\n")
    return text.replace(f'twin\n    value: "{version}"', "twin\n    secretKeyRef: {name: nowhere, key: none}").encode()


BAD: tuple[Bad, ...] = (
    Bad("no YAML", lambda name, version: f"{name}: [{version}".encode(), ":1: ", whole=True),
    Bad("not UTF-8", lambda name, version: manifest(name, version).encode("utf-16"), "UTF-8", whole=True),
    Bad("empty", lambda name, version: b"", "is empty", whole=True),
    Bad("blanks", lambda name, version: b"\n \n\n", "is empty", whole=True),
    Bad("cut off", lambda name, version: manifest(name, version).encode()[:-6], ""),
    Bad("unknown type", _edited("conversation.versioned", "conversation.verzioned"), "conversation.verzioned"),
    Bad("no type", _edited("  type: conversation.versioned\n", ""), "spec.type"),
    Bad("no name", _edited("  name: ", "  nome: "), "metadata.name"),
    Bad("a setting missing", _edited("- name: version\n", "- name: start\n"), "version"),
    Bad("an unknown setting", _with(items="  - name: verzion\n    value: 1\n"), "verzion"),
    Bad(
        "settings that contradict",
        _edited("- name: version\n    value: ", "- name: version\n    value: another"),
        "differ",
    ),
    Bad("a setting twice", _with(items="  - name: twin\n    value: 1\n"), "twin"),
    Bad("a key twice", _with(spec="  version: v1\n"), "version"),
    Bad("a version that isn't there", _edited("version: v1\n", "version: v9\n"), "v9"),
    Bad("a start that fails", _with(items="  - name: start\n    value: fails\n"), "this start fails"),
    Bad(
        "a start that hangs", _with(spec="  initTimeout: 150ms\n", items="  - name: start\n    value: hangs\n"), "150ms"
    ),
    Bad("no such secret", _secret, "nowhere"),
    Bad(
        "no such secret store",
        _with(top="auth:\n  secretStore: nobody\n", items="  - name: start\n    secretKeyRef: {name: x}\n"),
        "nobody",
    ),
    Bad("no such cache", _with(items="  - name: cache\n    value: nobody\n"), "nobody"),
)
"""Documents that must not become effective."""
