#include "batch/put_records_request.h"

#include <boost/json.hpp>

namespace everyitem::batch {

std::string to_json(const StreamId& stream) {
  boost::json::object id{{"StreamName", stream.name}};
  if (!stream.arn.empty()) {
    id["StreamARN"] = stream.arn;
  }
  return boost::json::serialize(id);
}

std::string open_request(const StreamId& stream) {
  std::string head = to_json(stream);
  head.pop_back();  // the closing brace
  return head + R"(,"Records":[)";
}

void close_request(std::string& body) { body += "]}"; }

std::string request_for(const RecordBatch& batch, std::span<const std::uint32_t> indexes) {
  std::string body = batch.body.substr(0, batch.records.front().offset);
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    const RecordSpan span = batch.records[indexes[i]];
    if (i > 0) {
      body += ',';
    }
    body.append(batch.body, span.offset, span.length);
  }
  close_request(body);
  return body;
}

}  // namespace everyitem::batch
