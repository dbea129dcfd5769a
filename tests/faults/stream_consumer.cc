#include "stream_consumer.h"

#include <algorithm>

namespace everyitem::faults {

void StreamConsumer::take(const PutRecord& record) {
  if (!is_aggregated(record.data)) {
    received_.add(record.data);
    return;
  }
  ++counts_.records;
  try {
    const std::vector<SubRecord>& records = reader_.read(record.data);
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
    // Mostly it is the same entry of a table, whose hash need not be computed again.
    const bool as_before =
        one.explicit_hash_key.data() == before.explicit_hash_key.data() &&
        (!one.explicit_hash_key.empty() || one.partition_key.data() == before.partition_key.data());
    before = one;
    return as_before || shards_.shard_of(one.partition_key, one.explicit_hash_key) == shard;
  });
}

}  // namespace everyitem::faults
