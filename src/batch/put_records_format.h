// How a PutRecords request is written: one format for each wire that Kinesis accepts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/padded_buffer.h"
#include "base/wire.h"
#include "batch/partition_key.h"
#include "batch/record_batch.h"

namespace everyitem::batch {

/// How requests name a stream. The ARN is needed for a stream of another account, and left out if
/// empty.
struct StreamId {
  std::string name;
  std::string arn;
};

/// What decides which shard takes a record, and how much of its rate.
struct RecordParts {
  std::size_t data_bytes = 0;  ///< before base64
  std::string_view partition_key;
  std::string_view explicit_hash_key;  ///< empty if it has none
};

/// A request is an opening, records with a separator between any two, and a closing. Pure: no
/// network, no clock.
class PutRecordsFormat {
 public:
  PutRecordsFormat() = default;
  PutRecordsFormat(const PutRecordsFormat&) = delete;
  PutRecordsFormat& operator=(const PutRecordsFormat&) = delete;
  virtual ~PutRecordsFormat() = default;

  virtual Wire wire() const = 0;

  /// A complete request that only names the stream.
  virtual std::string naming(const StreamId& stream) const = 0;

  virtual std::string opening(const StreamId& stream) const = 0;
  /// The explicit hash key is left out if empty. Returns where in the body the data begin.
  virtual std::size_t append_record(PaddedBuffer& body, std::string_view data, PartitionKey key,
                                    std::string_view explicit_hash_key) const = 0;
  /// Whether the body holds a record's data byte for byte.
  virtual bool verbatim() const = 0;
  virtual std::string_view separator() const = 0;
  virtual std::string_view closing() const = 0;

  /// Parts of a record that append_record wrote, as views of it.
  virtual RecordParts parts_of(std::string_view record) const = 0;
};

/// The format of a wire. It lives as long as the program.
const PutRecordsFormat& put_records_format(Wire wire);

/// A request with only some records of a batch; `indexes` into batch.records, rising.
PaddedBuffer request_for(const RecordBatch& batch, std::span<const std::uint32_t> indexes,
                         const PutRecordsFormat& format);

}  // namespace everyitem::batch
