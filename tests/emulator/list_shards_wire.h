// What ListShards is asked and answers, in both of Kinesis's formats.
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
  std::optional<std::uint64_t> next_token;  ///< the place of the shard that comes next
  std::size_t max_results = 1000;           ///< the most that AWS answers (API reference)
};

/// The body has room for simdjson's padding behind its end. Throws simdjson::simdjson_error where
/// it is no such request.
ListShardsRequest list_shards_of_json(const std::string& body);
/// Throws CborError where it is no such request.
ListShardsRequest list_shards_of_cbor(const std::string& body);

struct ListShardsAnswer {
  std::span<const ListedShard> shards;
  std::optional<std::uint64_t> next_token;
};

std::string to_json(const ListShardsAnswer& answer);
std::string to_cbor(const ListShardsAnswer& answer);

}  // namespace everyitem::emulator
