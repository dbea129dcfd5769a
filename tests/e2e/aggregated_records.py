"""Reads aggregated records with Google's protobuf library: a decoder that shares no code with everyitem."""

import hashlib
from typing import Any, List, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

MAGIC = b"\xf3\x89\x9a\xc2"
DIGEST_BYTES = 16


def _message_class() -> Any:
    """AggregatedRecord, as specified in docs/aggregation_format.md."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="aggregation.proto", syntax="proto2")

    def message(name: str, *fields: Any) -> None:
        added = file.message_type.add(name=name)
        for number, (label, kind, of, field_name) in enumerate(fields, start=1):
            added.field.add(name=field_name, number=number, label=label, type=kind, type_name=of)

    required, optional = field.LABEL_REQUIRED, field.LABEL_OPTIONAL
    repeated = field.LABEL_REPEATED
    message(
        "Tag",
        (required, field.TYPE_STRING, None, "key"),
        (optional, field.TYPE_STRING, None, "value"),
    )
    message(
        "Record",
        (required, field.TYPE_UINT64, None, "partition_key_index"),
        (optional, field.TYPE_UINT64, None, "explicit_hash_key_index"),
        (required, field.TYPE_BYTES, None, "data"),
        (repeated, field.TYPE_MESSAGE, ".Tag", "tags"),
    )
    message(
        "AggregatedRecord",
        (repeated, field.TYPE_STRING, None, "partition_key_table"),
        (repeated, field.TYPE_STRING, None, "explicit_hash_key_table"),
        (repeated, field.TYPE_MESSAGE, ".Record", "records"),
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("AggregatedRecord")
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


_AggregatedRecord = _message_class()


class UserRecord(NamedTuple):
    data: bytes
    partition_key: str
    hash_key: int


def user_records(data: bytes) -> List[UserRecord]:
    """The records in an aggregated record. Fails if it does not follow the format."""
    assert data.startswith(MAGIC)
    message, digest = data[len(MAGIC) : -DIGEST_BYTES], data[-DIGEST_BYTES:]
    assert hashlib.md5(message).digest() == digest
    record = _AggregatedRecord.FromString(message)
    found = []
    for inner in record.records:
        assert inner.HasField("explicit_hash_key_index")
        hash_key = record.explicit_hash_key_table[inner.explicit_hash_key_index]
        assert str(int(hash_key)) == hash_key
        key = record.partition_key_table[inner.partition_key_index]
        found.append(UserRecord(inner.data, key, int(hash_key)))
    return found
