#include "batch/put_records_request.h"

#include <boost/json.hpp>

#include "batch/base64.h"

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

std::string item_of(const RecordBatch& batch, std::uint32_t index) {
  const RecordSpan span = batch.records[index];
  const auto record =
      boost::json::parse(std::string_view(batch.body).substr(span.offset, span.length));
  return decode_base64(record.at("Data").as_string());
}

}  // namespace everyitem::batch
