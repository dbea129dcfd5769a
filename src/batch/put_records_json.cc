#include "batch/put_records_json.h"

#include <algorithm>
#include <span>

#include <boost/json.hpp>

#include "batch/base64.h"

namespace everyitem::batch {

namespace {

constexpr std::string_view kBeforeData = R"({"Data":")";
constexpr std::string_view kBeforeKey = R"(","PartitionKey":")";
constexpr std::string_view kBeforeHashKey = R"(","ExplicitHashKey":")";
constexpr std::string_view kEnd = R"("})";

char* write(std::string_view text, char* to) { return std::ranges::copy(text, to).out; }

}  // namespace

std::string PutRecordsJson::naming(const StreamId& stream) const {
  boost::json::object id{{"StreamName", stream.name}};
  if (!stream.arn.empty()) {
    id["StreamARN"] = stream.arn;
  }
  return boost::json::serialize(id);
}

std::string PutRecordsJson::opening(const StreamId& stream) const {
  std::string text = naming(stream);
  text.pop_back();  // the closing brace
  return text + R"(,"Records":[)";
}

std::size_t PutRecordsJson::append_record(PaddedBuffer& body, std::string_view data,
                                          PartitionKey key,
                                          std::string_view explicit_hash_key) const {
  const std::size_t data_size = base64_size(data.size());
  const std::span<char> room =
      body.prepare(kBeforeData.size() + data_size + kBeforeKey.size() + kPartitionKeyLength +
                   kBeforeHashKey.size() + explicit_hash_key.size() + kEnd.size());
  char* to = write(kBeforeData, room.data());
  const std::size_t data_offset = body.size() + kBeforeData.size();
  encode_base64(data, to);
  to = write(kBeforeKey, to + data_size);
  to = key.write_to(to);
  if (!explicit_hash_key.empty()) {
    to = write(kBeforeHashKey, to);
    to = write(explicit_hash_key, to);
  }
  to = write(kEnd, to);
  body.commit(static_cast<std::size_t>(to - room.data()));
  return data_offset;
}

RecordParts PutRecordsJson::parts_of(std::string_view record) const {
  record.remove_prefix(kBeforeData.size());
  const std::string_view data = record.substr(0, record.find('"'));
  const auto padding = static_cast<std::size_t>(
      std::ranges::count(data.substr(data.size() - std::min<std::size_t>(data.size(), 2)), '='));
  record.remove_prefix(data.size() + kBeforeKey.size());
  RecordParts parts{.data_bytes = data.size() / 4 * 3 - padding,
                    .partition_key = record.substr(0, kPartitionKeyLength)};
  record.remove_prefix(kPartitionKeyLength);
  if (record.starts_with(kBeforeHashKey)) {
    record.remove_prefix(kBeforeHashKey.size());
    parts.explicit_hash_key = record.substr(0, record.find('"'));
  }
  return parts;
}

}  // namespace everyitem::batch
