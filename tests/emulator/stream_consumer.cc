#include "emulator/stream_consumer.h"

#include <algorithm>
#include <vector>

namespace everyitem::emulator {

void StreamConsumer::take(std::span<const PutRecord> records) {
  thread_local std::vector<std::string_view> messages;
  thread_local std::vector<Md5> digests;
  messages.clear();
  for (const PutRecord& record : records) {
    if (is_aggregated(record.data)) {
      messages.push_back(message_in(record.data));
    } else {
      received_.add(record.data);
    }
  }
  digests.resize(messages.size());
  md5_each(messages, digests);
  auto digest = digests.begin();
  for (const PutRecord& record : records) {
    if (is_aggregated(record.data)) {
      take_aggregated(record, *digest++);
    }
  }
}

void StreamConsumer::take_aggregated(const PutRecord& record, const Md5& digest) {
  ++counts_.records;
  try {
    const std::vector<SubRecord>& records = reader_.read(record.data, digest);
    if (!all_belong_to(record.shard, records)) {
      ++counts_.out_of_range;
      return;
    }
    for (const SubRecord& one : records) {
      received_.add(one.data);
    }
  } catch (const AggregatedRecordError& error) {
    if (counts_.malformed++ == 0) {
      counts_.first_error = error.what();
    }
  }
}

bool StreamConsumer::all_belong_to(std::uint32_t shard,
                                   const std::vector<SubRecord>& records) const {
  SubRecord before;
  return std::ranges::all_of(records, [&](const SubRecord& one) {
    // Mostly it is the same table entry, whose hash need not be computed again.
    const bool as_before =
        one.explicit_hash_key.data() == before.explicit_hash_key.data() &&
        (!one.explicit_hash_key.empty() || one.partition_key.data() == before.partition_key.data());
    before = one;
    return as_before || shards_.shard_of(one.partition_key, one.explicit_hash_key) == shard;
  });
}

}  // namespace everyitem::emulator
