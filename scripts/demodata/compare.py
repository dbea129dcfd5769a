"""Compares the records of a stream, or the lines of a file, with the items that were loaded."""

import json
from decimal import Decimal
from typing import Any, Dict, Iterable, List, NamedTuple

from .items import Item, Keys


def to_json(item: Item) -> bytes:
    """The item as a DynamoDB server writes it: no spaces, nothing escaped unnecessarily."""
    return json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode()


def canonical(value: Dict[str, Any]) -> Any:
    """An attribute value in a form that is equal for equal DynamoDB values.

    Sets are unordered, and numbers keep their value but not their notation: 5E3 comes back as 5000.
    """
    ((kind, inner),) = value.items()
    if kind == "N":
        return (kind, Decimal(inner))
    if kind == "NS":
        return (kind, sorted(map(Decimal, inner)))
    if kind in ("SS", "BS"):
        return (kind, sorted(inner))
    if kind == "L":
        return (kind, [canonical(part) for part in inner])
    if kind == "M":
        return (kind, {name: canonical(part) for name, part in inner.items()})
    return (kind, inner)


def same_item(one: Item, other: Item) -> bool:
    return canonical({"M": one}) == canonical({"M": other})


def key_of(item: Item, keys: Keys) -> str:
    return json.dumps([item.get(name) for name in keys.schema])


class Comparison(NamedTuple):
    loaded: int
    records: int
    missing: List[str]
    changed: List[str]
    unexpected: List[str]
    duplicates: int

    @property
    def complete(self) -> bool:
        return not (self.missing or self.changed or self.unexpected)

    def __str__(self) -> str:
        return (
            f"{self.loaded:,} items, {self.records:,} records: {len(self.missing)} missing, "
            f"{len(self.changed)} changed, {len(self.unexpected)} unexpected, "
            f"{self.duplicates} duplicates"
        )


def compare(loaded: Iterable[Item], lines: Iterable[bytes], keys: Keys) -> Comparison:
    """Compares every record with its item; the lists in the result hold keys of items."""
    expected = {key_of(item, keys): item for item in loaded}
    seen: Dict[str, int] = {}
    changed: List[str] = []
    unexpected: List[str] = []
    records = 0
    for line in lines:
        records += 1
        try:
            item = json.loads(line)
            key = key_of(item, keys)
        except (ValueError, AttributeError):
            unexpected.append(repr(line[:80]))
            continue
        if key not in expected:
            unexpected.append(key)
            continue
        seen[key] = seen.get(key, 0) + 1
        # Equal bytes are equal items; only differing bytes need a closer look.
        if line != to_json(expected[key]) and not same_item(item, expected[key]):
            changed.append(key)
    return Comparison(
        loaded=len(expected),
        records=records,
        missing=[key for key in expected if key not in seen],
        changed=changed,
        unexpected=unexpected,
        duplicates=sum(seen.values()) - len(seen),
    )
