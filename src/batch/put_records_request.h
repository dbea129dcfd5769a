// The parts of a PutRecords request in JSON that its sender needs too.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "batch/record_batch.h"

namespace everyitem::batch {

/// Which stream, as requests name it. The ARN is needed where the stream is another account's; it
/// is left out when empty.
struct StreamId {
  std::string name;
  std::string arn;
};

/// A JSON object that names the stream.
std::string to_json(const StreamId& stream);

/// Opens a request, up to its first record; close_request closes it behind the last.
std::string open_request(const StreamId& stream);
void close_request(std::string& body);

/// The request that sends only some records of a batch again; `indexes` into batch.records, rising.
std::string request_for(const RecordBatch& batch, std::span<const std::uint32_t> indexes);

/// The item whose record is `index` of the batch: its JSON, decoded from the request.
std::string item_of(const RecordBatch& batch, std::uint32_t index);

}  // namespace everyitem::batch
