// Whatever the items, the shards and the limits, an independent decoder finds each item exactly
// once, in a record of its shard.
//
// Input: two bytes (shards, largest record), then one item per line; its key is the text up to the
// first space.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/cbor.h"
#include "batch/aggregating_builder.h"
#include "emulator/aggregated_record.h"
#include "fuzz_target.h"

namespace everyitem::batch {
namespace {

struct Given {
  ShardMap shards;
  PutRecordsLimits limits;
  std::vector<source::Item> items;  ///< slices of the input
};

Given given(std::string_view input) {
  const auto number = [&] {
    const auto byte = static_cast<std::uint8_t>(input.front());
    input.remove_prefix(1);
    return byte;
  };
  Given given{.shards = ShardMap::evenly(1U + number()), .limits = {}, .items = {}};
  given.limits = {
      .records = 8, .request_bytes = 20'000, .record_bytes = std::size_t{120} + number() * 20U};
  while (!input.empty()) {
    const std::string_view json = fuzz::take_line(input);
    if (!emulator::is_aggregated(json)) {  // an item is JSON, and begins with a brace
      given.items.push_back({.json = json, .hash_key = json.substr(0, json.find(' '))});
    }
  }
  return given;
}

/// What arrived of the batches, and what they say that they hold.
struct Received {
  std::vector<std::string> sent;
  std::vector<std::string> kept;
};

void check(const RecordBatch& batch, const Given& given, Received& received) {
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    received.kept.emplace_back(batch.item_text(i));
  }
  emulator::AggregatedRecordReader reader;
  const boost::json::value request = parse_cbor(batch.body.view());
  const boost::json::array& records = request.at("Records").as_array();
  fuzz::require(records.size() == batch.records.size(), "every record is listed");
  fuzz::require(records.size() <= given.limits.records, "too many records");
  std::size_t request_bytes = 0;
  for (const boost::json::value& record : records) {
    const std::string_view data = record.at("Data").as_string();
    const std::string_view hash_key = record.at("ExplicitHashKey").as_string();
    fuzz::require(data.size() + kPartitionKeyLength <= given.limits.record_bytes,
                  "no record is too large");
    request_bytes += data.size() + kPartitionKeyLength + hash_key.size();
    if (!emulator::is_aggregated(data)) {
      received.sent.emplace_back(data);
      continue;
    }
    for (const emulator::SubRecord& one : reader.read(data)) {
      fuzz::require(one.explicit_hash_key == hash_key, "an item goes where its record goes");
      received.sent.emplace_back(one.data);
    }
  }
  fuzz::require(request_bytes <= given.limits.request_bytes, "the request is not too large");
}

void build(const Given& given) {
  const CurrentShards shards(given.shards);
  AggregatingBuilder builder(put_records_format(Wire::cbor), {.name = "s", .arn = {}}, given.limits,
                             PartitionKeys(), shards);
  std::vector<std::string> sent;
  Received received;
  for (const source::Item& item : given.items) {
    AddResult result = builder.add(item, {});
    if (result == AddResult::full) {
      check(builder.seal(), given, received);
      result = builder.add(item, {});
    }
    fuzz::require(result != AddResult::full, "an empty batch is not full");
    fuzz::require((result == AddResult::too_large) ==
                      (item.json.size() + kPartitionKeyLength > given.limits.record_bytes),
                  "what is too large is that by itself");
    if (result == AddResult::added) {
      sent.emplace_back(item.json);
    }
  }
  if (!builder.empty()) {
    check(builder.seal(), given, received);
  }
  fuzz::require(sent == received.kept, "each item is kept as it was read, in order");
  std::ranges::sort(sent);
  std::ranges::sort(received.sent);
  fuzz::require(sent == received.sent, "each item arrives once, as it is");
}

}  // namespace
}  // namespace everyitem::batch

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size >= 2) {
    everyitem::batch::build(everyitem::batch::given(everyitem::fuzz::as_text(data, size)));
  }
  return 0;
}
