#include "batch/record_places.h"

#include <string_view>

#include "base/md5.h"

namespace everyitem::batch {

namespace {

/// As a big-endian number.
HashKey number_of(const Md5& digest) {
  HashKey key = 0;
  for (const unsigned char byte : digest) {
    key = key << 8 | byte;
  }
  return key;
}

}  // namespace

std::vector<RecordPlace> record_places(const RecordBatch& batch, const PutRecordsFormat& format) {
  std::vector<RecordPlace> places(batch.records.size());
  std::vector<std::string_view> keys(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const RecordSpan span = batch.records[i];
    const RecordParts parts = format.parts_of(batch.body.view().substr(span.offset, span.length));
    keys[i] = parts.partition_key;
    places[i].bytes = parts.data_bytes + parts.partition_key.size();
  }
  if (!batch.explicit_hash_keys.empty()) {
    for (std::size_t i = 0; i < places.size(); ++i) {
      places[i].hash_key = batch.explicit_hash_keys[i];
    }
    return places;
  }
  std::vector<Md5> digests(places.size());
  md5_each(keys, digests);
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i].hash_key = number_of(digests[i]);
  }
  return places;
}

}  // namespace everyitem::batch
