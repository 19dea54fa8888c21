"""E-mail addresses."""

from __future__ import annotations

from jackfield_presidio.recognizers.finder import Finder, by_shape

__all__ = ["mail"]

_LATIN = r"0-9A-Za-z\u00c0-\u024f"
_LOCAL = rf"[{_LATIN}._%+\-']"
_OTHER = rf"[^\W_{_LATIN}]"  # letters of other scripts
_NAME = rf"[{_LATIN}](?:[{_LATIN}\-]{{0,61}}[{_LATIN}])?"
_AT = "(?:@|%40)"
_TOP = rf"(?:xn--[A-Za-z0-9\-]{{2,58}}[A-Za-z0-9]|[A-Za-z]{{2,63}}|{_OTHER}{{2,20}})"
_PICTURES = frozenset({"png", "jpg", "jpeg", "gif", "webp", "svg", "bmp", "ico", "tif", "tiff", "heic", "avif", "pdf"})


def _is_address(text: str) -> bool:
    """Tell an address from the name of a picture for sharp screens (logo@2x.png)."""
    return text.rpartition(".")[2].lower() not in _PICTURES


def mail() -> Finder:
    """Return the finder of e-mail addresses: the usual local@domain, in any script, also with a number as domain."""
    start = rf"(?<!{_LOCAL})[._%+\-']*+"
    local = rf"[{_LATIN}]{_LOCAL}*"
    return by_shape(
        (rf"{start}({local}{_AT}(?:{_NAME}\.)+{_TOP})", 0.9, _is_address),
        (rf"(?<!{_OTHER})({_OTHER}+{_AT}(?:{_NAME}\.)+{_TOP})", 0.9, _is_address),
        (rf"{start}({local}{_AT}(?:[\w\-]{{1,63}}\.)+{_OTHER}{{2,20}})", 0.6),
        (rf"(?<!{_OTHER})({_OTHER}+{_AT}(?:[\w\-]{{1,63}}\.)+{_OTHER}{{2,20}})", 0.6),
        (rf"{start}({local}{_AT}(?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}})", 0.6),
    )
