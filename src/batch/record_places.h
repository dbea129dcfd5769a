// Where the records of a batch go in a stream, and how much they take there.
#pragma once

#include <cstddef>
#include <vector>

#include "batch/put_records_format.h"
#include "batch/record_batch.h"
#include "batch/shard_map.h"

namespace everyitem::batch {

struct RecordPlace {
  HashKey hash_key = 0;
  std::size_t bytes = 0;  ///< as Kinesis counts them: data, before base64, and partition key
};

/// Of each record, in their order: by its ExplicitHashKey, or the MD5 of its partition key. Any
/// thread.
std::vector<RecordPlace> record_places(const RecordBatch& batch, const PutRecordsFormat& format);

}  // namespace everyitem::batch
