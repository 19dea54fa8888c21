"""What stands around an entity doesn't hide it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

import pytest

Scrub: TypeAlias = Callable[[str], str]

ENTITIES = {
    "EMAIL_ADDRESS": "jane.doe@example.com",
    "PHONE_NUMBER": "415-555-2671",
    "IP": "192.168.17.1",
    "US_SSN": "488-23-3729",
    "CREDIT_CARD": "4111 1111 1111 1111",
    "IBAN": "GB29 NWBK 6016 1331 9268 19",
    "MAC_ADDRESS": "00:1A:2B:3C:4D:5E",
    "STREET_ADDRESS": "123 Main Street",
    "PO_BOX": "P.O. Box 123",
    "ISBN": "978-3-16-148410-0",
    "BITCOIN_ADDRESS": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "ETHEREUM_ADDRESS": "0x52908400098527886E0F7030069857D2E4169EE7",
    "API_KEY": "sk-proj-A1b2C3d4E5f6G7h8I9j0K1l2",
    "JWT": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJqb2UifQ",
}
AROUND = [
    "{}", "see {} there", "({})", "[{}]", "<{}>", "{{{}}}", '"{}"', "'{}'", "`{}`", "“{}”", "«{}»", "{}.", "{},",
    "{}!", "{}?", "{};", "{}:", "{}…", "<b>{}</b>", '<a href="mailto:{}">', "<p>\n{}\n</p>", "&nbsp;{}&nbsp;",
    "&lt;{}&gt;", "**{}**", "*{}*", "~~{}~~", "| {} |", "|{}|", "- {}", "> {}", "# {}", "[{}](x)",
    "```\n{}\n```", '{{"a":"{}"}}', '{{"a": ["{}"]}}', "a: {}\n", "a={}&b", "a={};b", "k\t{}\tv", "x,{},y",
    "\n{}\n", "\r\n{}\r\n", "\\n{}\\n", "\\t{}\\r\\n", '\\"{}\\"', "\\u003c{}\\u003e", "\u200b{}\u200b",
    "\ufeff{}", "\x00{}\x00", "电话{}请", "的{}。", "電話は{}です", "전화 {}입니다", "почта {} тут", "הטלפון {} כאן",
    "هاتف {} هنا", "โทร {} ครับ", "फ़ोन {} है", "\u202e{}\u202c", "é {} ü", "\ud800{}\udfff", "😀{}😀", "…{}…",
    "—{}—", "– {} –", "→{}←", "$ {}", "({}),", "in 2025 {} at 8080", "port 8080, {}", "{} 2025",
    "Name: {}, Age: 30", "/{}/",
]  # fmt: skip


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(("entity", "text"), ENTITIES.items())
def test_not_hidden(entity: str, text: str, around: str, scrub: Scrub) -> None:
    """The label stands exactly where the entity stood, in prose of any script, JSON and markup."""
    assert scrub(around.format(text)) == around.format(f"<{entity}>")


@pytest.mark.parametrize("filler", [".", "-", "a", "é", "的", " ", "\n", "_", "x1 ", "ab.", "= ", "\\n"])
@pytest.mark.parametrize(("entity", "text"), ENTITIES.items())
def test_found_wherever_it_stands(entity: str, text: str, filler: str, scrub: Scrub) -> None:
    """However much stands before it without a blank, an entity isn't cut in two by a window's end."""
    for length in range(180, 262, 3):
        before = (filler * length)[:length] + "; "
        assert scrub(f"{before}{text}") == f"{before}<{entity}>"


@pytest.mark.parametrize("length", range(150, 520, 7))
def test_found_after_a_run_without_end(length: int, scrub: Scrub) -> None:
    """An entity that follows a long run of signs or letters at once is found whole."""
    for run in ("." * length, "的" * length, "ab," * length):
        for entity in ("PHONE_NUMBER", "CREDIT_CARD", "EMAIL_ADDRESS", "US_SSN"):
            text = ENTITIES[entity]
            assert scrub(run + text) == f"{run}<{entity}>"


def test_json_stays_json(scrub: Scrub) -> None:
    """A JSON text is still one, with the same members, when what was found has been replaced."""
    members = {f"{entity} {ensure}": text for entity, text in ENTITIES.items() for ensure in ("a", "b")}
    for text in (json.dumps(members), json.dumps(members, separators=(",", ":")), json.dumps(json.dumps(members))):
        whole = json.loads(scrub(text))
        found = json.loads(whole) if isinstance(whole, str) else whole
        assert found == {name: f"<{name.split()[0]}>" for name in members}


@pytest.mark.parametrize(
    "text", ["\ud800\udfff", "\x00\x01\x02", "a\u0301" * 300, "\u202e" * 300, "\\" * 999, "\\u", ""]
)
def test_odd_texts(text: str, scrub: Scrub) -> None:
    """Half characters, control characters and stray marks are left, and do no harm."""
    assert scrub(text) == text


@pytest.mark.parametrize("text", ENTITIES.values())
def test_labels_are_left(text: str, scrub: Scrub) -> None:
    """A scrubbed text is left as it is when it is scrubbed again."""
    for around in AROUND:
        once = scrub(around.format(text))
        assert scrub(once) == once
