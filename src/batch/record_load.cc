#include "batch/record_load.h"

#include <stdexcept>
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

std::vector<RecordLoad> record_loads(const RecordBatch& batch, const PutRecordsFormat& format) {
  std::vector<RecordLoad> loads(batch.records.size());
  std::vector<std::string_view> hashed_keys;  // of the records without an explicit hash key
  std::vector<RecordLoad*> hashed;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const RecordSpan span = batch.records[i];
    const RecordParts parts = format.parts_of(batch.body.view().substr(span.offset, span.length));
    loads[i].bytes = parts.data_bytes + parts.partition_key.size();
    if (parts.explicit_hash_key.empty()) {
      hashed_keys.push_back(parts.partition_key);
      hashed.push_back(&loads[i]);
    } else if (const auto key = parse_hash_key(parts.explicit_hash_key)) {
      loads[i].hash_key = *key;
    } else {
      throw std::logic_error("a record has an explicit hash key that is not a number");
    }
  }
  std::vector<Md5> digests(hashed_keys.size());
  md5_each(hashed_keys, digests);
  for (std::size_t i = 0; i < digests.size(); ++i) {
    hashed[i]->hash_key = number_of(digests[i]);
  }
  return loads;
}

}  // namespace everyitem::batch
