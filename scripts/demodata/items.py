"""Varied DynamoDB items; the same seed always gives the same items.

An item is DynamoDB JSON as sent over the wire: {"id": {"S": "x"}, "data": {"B": "<base64>"}}. Together
the kinds below cover every DynamoDB type and everything that tends to break: 38 digits, empty
values, 32 levels of nesting, control characters, names that need escaping.
"""

import base64
import random
from typing import Any, Dict, Iterator, List, NamedTuple

Item = Dict[str, Any]


class Keys(NamedTuple):
    """A table's primary key: attribute names with their types, the hash key first."""

    schema: Dict[str, str]


HASH = Keys({"id": "S"})
HASH_AND_RANGE = Keys({"customer": "S", "order": "N"})
BINARY = Keys({"digest": "B", "part": "S"})

MAX_NESTING = 32  # levels; DynamoDB, "Service, account, and table quotas"
MAX_DIGITS = 38  # significant digits of a number, same page

TEXTS = (
    "plain words",
    "Grüße, žluťoučký kůň, ĳsje",
    "Ωμέγα, привет, שלום, مرحبا, नमस्ते, สวัสดี",
    "日本語の文字列、中文、한국어",
    "emoji 🚀 👩‍👩‍👧‍👦 🏳️‍🌈 𝒳𝓎𝓏",
    "e\u0301 combining, \u200b zero width, \u202e right to left, \ufeff mark, \uffff last",
    "line\nfeed\rreturn\ttab\u2028separator\u2029paragraph",
    '"quotes" and \\back\\slashes\\ and /slashes/ and \\u0041 and \\"',
    '{"looks": ["like", {"JSON": null}]}',
    "</script><!-- & entities &amp; %s %n ${x} `y`",
    "".join(chr(code) for code in range(0x20)) + "\x7f",
    "",
)

NAMES = (
    "name", "size", "status", "date", "table", "select", "values", "index",  # reserved words
    "dotted.path.name", ".", "list[0]", "#name", ":value", "with space", " ", "tab\tand\nline",
    'double"quote', "single'quote", "back\\slash", "a\\", '"', "{}", "[]", "$", "%", "-", "+1",
    "naïve", "キー", "🔑", "null", "true", "\x00", "\x01\x1f", "2024", "S", "M", "L" * 255,
)  # fmt: skip

NUMBERS = (
    "0", "-1", "3.14", "-0.000001", "100000000000000000000",
    "9" * MAX_DIGITS, "-" + "9" * MAX_DIGITS, "0." + "1" * MAX_DIGITS,
    "12345678901234567890123456789012345678", "1234567890123456789.0123456789012345678",
    "9007199254740993", "18446744073709551617", "0.1", "1E+125", "-9.99E+125", "1E-130",
    "-4.2e-100", "5E3",
)  # fmt: skip


def _binary(rng: random.Random, longest: int) -> str:
    return base64.b64encode(rng.randbytes(rng.randint(0, longest))).decode()


def _number(rng: random.Random) -> str:
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(NUMBERS)
    if kind == 1:
        return str(rng.randint(-(10**MAX_DIGITS) + 1, 10**MAX_DIGITS - 1))
    if kind == 2:
        return f"{rng.randint(-99999, 99999) / 100:.2f}"
    return str(rng.randint(0, 10**6))


def _text(rng: random.Random) -> str:
    return f"{rng.choice(TEXTS)} {rng.getrandbits(32):x}" if rng.random() < 0.8 else rng.choice(TEXTS)


def _nested(rng: random.Random, levels: int) -> Dict[str, Any]:
    """A value with this many levels of lists and maps, the innermost one empty."""
    value: Dict[str, Any] = {"M": {}} if rng.random() < 0.5 else {"L": []}
    for level in range(levels - 1):
        if rng.random() < 0.5:
            value = {"M": {rng.choice(NAMES): value}}
        else:
            value = {"L": [{"N": str(level)}, value]}
    return value


def _order(rng: random.Random, index: int) -> Item:
    lines: List[Dict[str, Any]] = [
        {
            "M": {
                "sku": {"S": f"SKU-{rng.randrange(10**6):06d}"},
                "quantity": {"N": str(rng.randint(1, 20))},
                "price": {"N": f"{rng.randint(1, 99999) / 100:.2f}"},
                "gift": {"BOOL": rng.random() < 0.1},
            }
        }
        for _ in range(rng.randint(1, 8))
    ]
    return {
        "status": {"S": rng.choice(("new", "paid", "shipped", "returned"))},
        "total": {"N": f"{rng.randint(1, 9999999) / 100:.2f}"},
        "lines": {"L": lines},
        "address": {"M": {"street": {"S": _text(rng)}, "zip": {"S": f"{rng.randrange(10**5):05d}"}}},
        "note": {"S": _text(rng)} if index % 3 else {"NULL": True},
    }


def _numbers(rng: random.Random, index: int) -> Item:
    return {
        "one": {"N": NUMBERS[index % len(NUMBERS)]},
        "readings": {"L": [{"N": _number(rng)} for _ in range(rng.randint(0, 30))]},
        "distinct": {"NS": [str(n) for n in rng.sample(range(-10**6, 10**6), rng.randint(1, 12))]},
    }


def _texts(rng: random.Random, index: int) -> Item:
    return {
        "text": {"S": TEXTS[index % len(TEXTS)]},
        "body": {"S": " ".join(_text(rng) for _ in range(rng.randint(0, 12)))},
        "tags": {"SS": [f"{tag} {_text(rng)}" for tag in range(rng.randint(1, 6))]},
    }


def _binaries(rng: random.Random, index: int) -> Item:
    every_byte = base64.b64encode(bytes(range(256))).decode()
    return {
        "data": {"B": every_byte if index % 4 == 0 else _binary(rng, 800)},
        "none": {"B": ""},
        "parts": {
            "BS": [base64.b64encode(bytes([part]) + rng.randbytes(part)).decode() for part in range(5)]
        },
    }


def _names(rng: random.Random, index: int) -> Item:
    first = index % len(NAMES)
    chosen = [NAMES[first]] + rng.sample(NAMES, rng.randint(1, 8))
    return {name: {"M": {name: {"S": name}}} for name in chosen}


def _nestings(rng: random.Random, index: int) -> Item:
    # The attribute's own value is the first level.
    return {"deep": _nested(rng, MAX_NESTING if index % 2 else rng.randint(1, MAX_NESTING))}


def _edges(rng: random.Random, index: int) -> Item:
    return {
        "yes": {"BOOL": True},
        "no": {"BOOL": False},
        "null": {"NULL": True},
        "empty text": {"S": ""},
        "empty list": {"L": []},
        "empty map": {"M": {}},
        "mixed": {"L": [{"S": ""}, {"NULL": True}, {"L": [{"M": {}}]}, {"N": _number(rng)}]},
    }


def _only_key(rng: random.Random, index: int) -> Item:
    return {}


KINDS = (_order, _order, _order, _numbers, _texts, _binaries, _names, _nestings, _edges, _only_key)


def _key(rng: random.Random, index: int, keys: Keys) -> Item:
    if keys == HASH:
        # Every third key is a difficult one; the index makes it unique.
        text = (rng.choice(TEXTS) or rng.choice(NAMES))[:60] if index % 3 == 0 else "item"
        return {"id": {"S": f"{text}-{index:06d}"}}
    if keys == HASH_AND_RANGE:
        return {"customer": {"S": f"customer-{index % 97}"}, "order": {"N": str(index - 1000)}}
    if keys == BINARY:
        digest = (index % 61).to_bytes(1, "big") + bytes([0, 255])
        return {"digest": {"B": base64.b64encode(digest).decode()}, "part": {"S": f"{index} é\x00"}}
    raise ValueError(f"no generator for the keys {keys.schema}")


def item(seed: int, index: int, keys: Keys = HASH) -> Item:
    """The item with this number. It depends on nothing else, so items can be generated in parallel."""
    rng = random.Random(f"{seed}/{index}")
    made = _key(rng, index, keys)
    body = KINDS[index % len(KINDS)](rng, index // len(KINDS))
    if index % 1000 == 500:
        body["large"] = {"S": "0123456789abcdé" * rng.randint(2000, 8000)}
    for name, value in body.items():
        made.setdefault(name, value)
    return made


def items(seed: int, count: int, keys: Keys = HASH) -> Iterator[Item]:
    return (item(seed, index, keys) for index in range(count))
