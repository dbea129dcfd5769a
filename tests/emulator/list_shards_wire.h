// Requests and responses of ListShards, in both of Kinesis's formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "emulator/stream_shards.h"

namespace everyitem::emulator {

struct ListShardsRequest {
  bool names_stream = false;
  std::optional<std::uint64_t> next_token;  ///< the index of the next shard
  std::size_t max_results = 1000;           ///< AWS's maximum (API reference)
};

/// The body has room for simdjson's padding after its end. Throws simdjson::simdjson_error if it is
/// not such a request.
ListShardsRequest list_shards_of_json(const std::string& body);
/// Throws CborError if it is not such a request.
ListShardsRequest list_shards_of_cbor(const std::string& body);

struct ListShardsAnswer {
  std::span<const ListedShard> shards;
  std::optional<std::uint64_t> next_token;
};

std::string to_json(const ListShardsAnswer& answer);
std::string to_cbor(const ListShardsAnswer& answer);

}  // namespace everyitem::emulator
