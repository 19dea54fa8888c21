"""What is found by default, entity by entity."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

Scrub: TypeAlias = Callable[[str], str]

FOUND: dict[str, list[str]] = {
    "EMAIL_ADDRESS": [
        "a@b.co", "jane.doe@example.com", "anshaldwivedi@gmail.com", "9144520109@gmail.com",
        "first+tag@sub.example.co.uk", "o'brien@example.ie", "x_y-z%1@host-name.example.org", "JANE@EXAMPLE.COM",
        "josé@exämple.de", "用户@例子.公司", "ivan@почта.рф", "bob@xn--80ak6aa92e.com", "root@10.0.0.1", "a.b@c.museum",
        "user%40example.com", "me@corp.internal", "1@2.com", "info@a--b.example", "a@b.c.d.e.f.gh",
        "x" * 64 + "@example.com",
    ],
    "PHONE_NUMBER": [
        "+919140520809", "+14155552671", "+1 415 555 2671", "+1-415-555-2671", "(415) 555-2671", "(415)555-2671",
        "415-555-2671", "555-123-4567", "000-000-0000", "999-999-9999", "1-415-555-2671", "+2222222222",
        "+4422222222", "+12345678", "+123456789012345", "+44 20 7946 0958", "+44 (0)20 7946 0958", "020 7946 0958",
        "02079460958", "07911 123456", "+33 1 42 68 53 00", "01 42 68 53 00", "+86 10 6552 9988", "+49 30 901820",
        "030 901820", "4155552671", "415.555.2671", "415 555 2671", "+91 98765 43210", "415-555-2671 ext. 5",
        "415-555-2671 x123", "+1 (415) 555-2671", "(000) 000-0000", "+999 12 345 678", "0044 20 7946 0958",
        "+81 3 1234 5678", "1 415 555 2671", "415‑555‑2671", "４１５－５５５－２６７１", "415\u00a0555\u00a02671",
        "+61 2 9374 4000", "+55 11 91234-5678", "+1.415.555.2671",
    ],
    "IP": [
        "192.168.1.1", "10.0.0.1", "255.255.255.255", "8.8.8.8", "0.0.0.0", "::1", "2001:db8::1", "fe80::1%eth0",
        "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "::ffff:10.0.0.1", "2001:DB8::A", "fe80::", "dead:beef::cafe",
        "fd00:1:2:3::4",
    ],
    "US_SSN": [
        "488-23-3729", "078-05-1120", "000-00-0000", "666-12-3456", "999-99-9999", "123-45-6789",
    ],
    "CREDIT_CARD": [
        "4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111", "6011553157232994", "5555555555554444",
        "378282246310005", "3782 822463 10005", "1234-5678-9012-3456", "1234 5678 9012 3456", "4222222222222",
        "30569309025904", "2223003122003222", "3530111333300000", "6011 1111 1111 1117", "0000 0000 0000 0000",
        "4111 1111-1111 1111",
    ],
    "IBAN": [
        "GB29NWBK60161331926819", "GB29 NWBK 6016 1331 9268 19", "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00", "FR1420041010050500013M02606", "FR14 2004 1010 0505 0001 3M02 606",
        "NL91ABNA0417164300", "NL91 ABNA 0417 1643 00", "NO9386011117947", "CH9300762011623852957",
        "BE68539007547034", "de89370400440532013000", "MT84MALT011000012345MTLCAST001S",
        "MT84 MALT 0110 0001 2345 MTLC AST0 01S", "DE89-3704-0044-0532-0130-00",
    ],
    "MAC_ADDRESS": [
        "00:1A:2B:3C:4D:5E", "00-1a-2b-3c-4d-5e", "aa:bb:cc:dd:ee:ff", "aa-bb-cc-dd-ee-ff", "001a.2b3c.4d5e",
        "12:34:56:78:90:12",
    ],
    "STREET_ADDRESS": [
        "123 Main Street", "123 main street", "123 main st", "1600 Pennsylvania Avenue NW", "221B Baker Street",
        "10 Downing Street", "742 Evergreen Terrace", "350 Fifth Avenue", "350 5th Ave", "1 Infinite Loop",
        "456 Oak Drive", "456 oak drive", "12 Park Lane", "55 Court Square", "1200 Park Avenue", "4 Privet Drive",
        "500 N Michigan Ave", "42 Martin Luther King Jr. Boulevard", "9 Elm Ct", "77 Massachusetts Ave",
        "100 Old County Rd", "3 Abbey Road", "123 5th Avenue Apt 4B", "350 Fifth Avenue, Suite 200", "8 Sunset Blvd",
        "99 Ocean Parkway", "16 Long Trail", "2021 Main Street", "7 Rue St", "5 Highland Cir", "12-14 High Street",
    ],
    "PO_BOX": [
        "P.O. Box 123", "PO Box 45", "p.o. box 99", "Post Office Box 12", "P O Box 7", "POB 1234", "P.O.Box 5",
        "po box 12345", "PO Box #12", "PO BOX 7-123", "P.O. Box No. 5", "Postal Box 8",
    ],
    "ISBN": [
        "978-3-16-148410-0", "9783161484100", "0-306-40615-2", "978-0-306-40615-7", "9791034304295",
        "978 3 16 148410 0", "978-3161484100", "0-8044-2957-X",
    ],
    "BITCOIN_ADDRESS": [
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ",
        "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
    ],
    "ETHEREUM_ADDRESS": [
        "0x52908400098527886E0F7030069857D2E4169EE7", "0xde709f2102306220921060314715629080e2fb77",
    ],
    "CRYPTO_WALLET": [
        "TJCnKsPa7y5okkXvQAidZBzqx3QyQ6sxMW", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
        "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L",
    ],
    "API_KEY": [
        "sk-abcdefghijklmnopqrstuvwx", "sk-proj-A1b2C3d4E5f6G7h8I9j0K1l2",
        "sk-ant-api03-A1b2C3d4E5f6G7h8I9j0K1l2-xyz_AA", "AKIAIOSFODNN7EXAMPLE",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz",
        "AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q", "xoxb-123456789012-1234567890123-abcdefABCDEF",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc", "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH", "gsk_abcdefghijklmnopqrstuvwxyz",
        "glpat-abcdefghij0123456789", "npm_abcdefghijklmnopqrstuvwxyz0123456789",
        "SG.abcdefghijklmnopqrstuv.wxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abc", "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAw",
        "ya29.a0AfH6SMBabcdefghijklmnop", "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw_",
        "gho_16C7e42F292c6912E7710c838347Ae178B4a", "rk_test_4eC39HqLyjWDarjtT1zdp7dc",
        "xai-abcdefghijklmnopqrstuvwxyz0123", "hvs.CAESIabcdefghijklmnopqrstuv",
        "dapi0123456789abcdef0123456789abcdef", "GOCSPX-abcdefghijklmnopqrstuvwx",
    ],
    "JWT": [

        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJqb2UifQ", "eyJ" + "a1B2" * 60 + "." + "c3D4" * 200 + ".sig_na-ture",
    ],
}  # fmt: skip

IN_CONTEXT = [
    ("Hi this is Anshal with, +919140520809", "Hi this is Anshal with, <PHONE_NUMBER>"),
    ("Hi ping mein at anshaldwivedi@gmail.com", "Hi ping mein at <EMAIL_ADDRESS>"),
    ("here, 6011553157232994", "here, <CREDIT_CARD>"),
    (
        "My SSN is488-23-3729. Details can be found at https://aavaz.ai/emp/488-23-3729",
        "My SSN is<US_SSN>. Details can be found at https://aavaz.ai/emp/488-23-3729",
    ),
    ("My email is 9144520109@gmail.com", "My email is <EMAIL_ADDRESS>"),
    ("In 2025 we used port 8080", "In 2025 we used port 8080"),
    ("call 555-123-4567 please", "call <PHONE_NUMBER> please"),
    ("zip 94105", "zip <ZIP_CODE>"),
    ("fe80::1%eth0 and mail bob@x.com", "<IP> and mail <EMAIL_ADDRESS>"),
    ("card 4111-1111-1111-1111 then a@b.co", "card <CREDIT_CARD> then <EMAIL_ADDRESS>"),
    ("San Francisco, CA 94105", "San Francisco, CA <ZIP_CODE>"),
    ("San Francisco, CA 94105-1234.", "San Francisco, CA <ZIP_CODE>."),
    ("san francisco, ca 94105", "san francisco, ca <ZIP_CODE>"),
    ("New York 10001", "New York <ZIP_CODE>"),
    ("Austin, Texas 78701", "Austin, Texas <ZIP_CODE>"),
    ("Washington, D.C. 20500", "Washington, D.C. <ZIP_CODE>"),
    ('{"state": "CA", "zip": "94105"}', '{"state": "CA", "zip": "<ZIP_CODE>"}'),
    ('{"zipCode":94105}', '{"zipCode":<ZIP_CODE>}'),
    ("<zip>94105</zip>", "<zip><ZIP_CODE></zip>"),
    ("123 Main Street, Springfield, IL 62701", "<STREET_ADDRESS>, Springfield, IL <ZIP_CODE>"),
    ("123 Main St, Springfield 62701", "<STREET_ADDRESS>, Springfield <ZIP_CODE>"),
    ("123 Main St, 62701", "<STREET_ADDRESS>, <ZIP_CODE>"),
    ("123 Main St\nSpringfield 62701", "<STREET_ADDRESS>\nSpringfield <ZIP_CODE>"),
    ("ISBN 0306406152", "ISBN <ISBN>"),
    ("ISBN: 0-306-40615-3", "ISBN: <ISBN>"),
    ("ISBN-13: 978-3-16-148410-0", "ISBN-13: <ISBN>"),
    ("ISBN:9783161484101", "ISBN:<ISBN>"),
    ("isbn 1234567890", "isbn <ISBN>"),
    ('{"isbn":"0306406152"}', '{"isbn":"<ISBN>"}'),
    ("10.0.0.1:8080", "<IP>:8080"),
    ("10.0.0.0/8", "<IP>/8"),
    ("http://192.168.1.1:8080/x", "http://<IP>:8080/x"),
    ("http://[::1]:8080/", "http://[<IP>]:8080/"),
    ("https://x.example/?mail=a@b.co&tel=415-555-2671", "https://x.example/?mail=<EMAIL_ADDRESS>&tel=<PHONE_NUMBER>"),
    ("https://x.example/u/a@b.co", "https://x.example/u/<EMAIL_ADDRESS>"),
    ("https://user:pw@example.com/", "https://user:<EMAIL_ADDRESS>/"),
    ("from DE89 3704 0044 0532 0130 00 2 days", "from <IBAN> 2 days"),
    ("GB29 NWBK 6016 1331 9268 19 DE89 3704 0044 0532 0130 00", "<IBAN> <IBAN>"),
    ("a@b.co,c@d.de;e@f.org", "<EMAIL_ADDRESS>,<EMAIL_ADDRESS>;<EMAIL_ADDRESS>"),
    ("415-555-2671, 415-555-2672 415-555-2673", "<PHONE_NUMBER>, <PHONE_NUMBER> <PHONE_NUMBER>"),
    ("415-555-2671/415-555-2672", "<PHONE_NUMBER>/<PHONE_NUMBER>"),
    ("4111 1111 1111 1111 12/27 123", "<CREDIT_CARD> 12/27 123"),
    ("2 cards: 4111111111111111 5555555555554444", "2 cards: <CREDIT_CARD> <CREDIT_CARD>"),
    ("in 2024 call 415-555-2671 at 10", "in 2024 call <PHONE_NUMBER> at 10"),
    ("(+49) 30 901820 or (+49 30 901820)", "<PHONE_NUMBER> or (<PHONE_NUMBER>)"),
    ("name,ssn\nJo,488-23-3729", "name,ssn\nJo,<US_SSN>"),
    ("key=sk-abcdefghijklmnopqrstuvwx.", "key=<API_KEY>."),
    ("Authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJqb2UifQ.", "Authorization: Bearer <JWT>."),
    ("MAC=00:1A:2B:3C:4D:5E;ip=10.0.0.1", "MAC=<MAC_ADDRESS>;ip=<IP>"),
    ("mac:00:1A:2B:3C:4D:5E ip:10.0.0.1 v6:2001:db8::1", "mac:<MAC_ADDRESS> ip:<IP> v6:<IP>"),
]


@pytest.mark.parametrize(("entity", "text"), [(entity, text) for entity, texts in FOUND.items() for text in texts])
def test_found(entity: str, text: str, scrub: Scrub) -> None:
    """Each of these is found from its first to its last character."""
    assert scrub(text) == f"<{entity}>"


@pytest.mark.parametrize(("text", "expected"), IN_CONTEXT)
def test_in_context(text: str, expected: str, scrub: Scrub) -> None:
    """What stands around an entity stays as it is, and what gives it its meaning is seen."""
    assert scrub(text) == expected
