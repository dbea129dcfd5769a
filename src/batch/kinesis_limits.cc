#include "batch/kinesis_limits.h"

#include <fmt/format.h>

#include "base/human_format.h"

namespace everyitem::batch {

std::string record_limit(const PutRecordsLimits& limits) {
  return fmt::format("the stream takes records of at most {} bytes, partition key included",
                     grouped(limits.record_bytes));
}

}  // namespace everyitem::batch
