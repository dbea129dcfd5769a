#include "emulator/list_shards_wire.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>
#include <simdjson.h>

#include "emulator/cbor_reader.h"
#include "emulator/cbor_writer.h"

namespace everyitem::emulator {

namespace ondemand = simdjson::ondemand;

namespace {

constexpr std::string_view kStarting = "49600000000000000000000000000000000000000000000000000000";
constexpr std::string_view kEnding = "49600000000000000000000000000000000000000000000000009999";

/// A token this server never issued is one past the last shard.
std::uint64_t token_of(std::string_view text) {
  std::uint64_t token = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), token);
  return parsed.ec == std::errc() ? token : ~std::uint64_t{0};
}

}  // namespace

ListShardsRequest list_shards_of_json(const std::string& body) {
  thread_local ondemand::parser parser;
  ondemand::document document =
      parser.iterate(simdjson::padded_string_view(body.data(), body.size(), body.capacity()));
  ListShardsRequest request;
  for (ondemand::field field : document.get_object()) {
    const std::string_view name = field.unescaped_key();
    if (name == "StreamName" || name == "StreamARN") {
      request.names_stream = true;
    } else if (name == "NextToken") {
      request.next_token = token_of(field.value().get_string());
    } else if (name == "MaxResults") {
      request.max_results =
          std::min<std::uint64_t>(request.max_results, field.value().get_uint64());
    }
  }
  return request;
}

ListShardsRequest list_shards_of_cbor(const std::string& body) {
  ListShardsRequest request;
  CborReader reader(body);
  reader.map([&](std::string_view name) {
    if (name == "StreamName" || name == "StreamARN") {
      request.names_stream = true;
      reader.text();
    } else if (name == "NextToken") {
      request.next_token = token_of(reader.text());
    } else if (name == "MaxResults") {
      request.max_results = std::min<std::uint64_t>(request.max_results, reader.unsigned_number());
    } else {
      reader.skip();
    }
  });
  reader.end();
  return request;
}

std::string to_json(const ListShardsAnswer& answer) {
  std::string json = R"({"Shards":[)";
  for (const ListedShard& listed : answer.shards) {
    json += &listed == answer.shards.data() ? "" : ",";
    json += fmt::format(
        R"({{"ShardId":"{}","HashKeyRange":{{"StartingHashKey":"{}","EndingHashKey":"{}"}},)"
        R"("SequenceNumberRange":{{"StartingSequenceNumber":"{}")",
        listed.shard.id, batch::decimal(listed.shard.first), batch::decimal(listed.shard.last),
        kStarting);
    json += listed.closed ? fmt::format(R"(,"EndingSequenceNumber":"{}"}}}})", kEnding) : "}}";
  }
  json += "]";
  if (answer.next_token) {
    json += fmt::format(R"(,"NextToken":"{}")", *answer.next_token);
  }
  return json + "}";
}

std::string to_cbor(const ListShardsAnswer& answer) {
  CborWriter cbor;
  cbor.open_map().text("Shards").array(answer.shards.size());
  for (const ListedShard& listed : answer.shards) {
    cbor.map(3).text("ShardId").text(listed.shard.id).text("HashKeyRange").map(2);
    cbor.text("StartingHashKey").text(batch::decimal(listed.shard.first));
    cbor.text("EndingHashKey").text(batch::decimal(listed.shard.last));
    cbor.text("SequenceNumberRange").map(listed.closed ? 2 : 1);
    cbor.text("StartingSequenceNumber").text(kStarting);
    if (listed.closed) {
      cbor.text("EndingSequenceNumber").text(kEnding);
    }
  }
  if (answer.next_token) {
    cbor.text("NextToken").text(std::to_string(*answer.next_token));
  }
  return cbor.close().take();
}

}  // namespace everyitem::emulator
