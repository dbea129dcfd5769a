// What the records of a batch ask of the shards that they go to.
#pragma once

#include <cstddef>
#include <vector>

#include "batch/put_records_format.h"
#include "batch/record_batch.h"
#include "batch/shard_map.h"

namespace everyitem::batch {

struct RecordLoad {
  HashKey hash_key =
      0;  ///< decides the shard: the ExplicitHashKey, or the MD5 of the partition key
  std::size_t bytes = 0;  ///< as Kinesis counts them: data, before base64, and partition key
};

/// Of each record, in order. Any thread.
std::vector<RecordLoad> record_loads(const RecordBatch& batch, const PutRecordsFormat& format);

}  // namespace everyitem::batch
