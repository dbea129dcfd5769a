// ListShards responses, and the map built from them.
#include <stdexcept>

#include "aws/client.h"
#include "fuzz_target.h"
#include "sink/shard_list.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace everyitem;
  // The first byte selects the encoding.
  const bool cbor = size > 0 && data[0] == 'c';
  const std::string_view body = fuzz::as_text(data, size).substr(size > 0 ? 1 : 0);
  try {
    const auto page = sink::parse_shard_page(body, cbor ? Wire::cbor : Wire::json);
    const batch::ShardMap map(page.open);
    const auto& shards = map.shards();
    fuzz::require(shards.size() == page.open.size(), "no shard is lost");
    for (std::size_t i = 0; i < shards.size(); ++i) {
      fuzz::require(map.shard_of(shards[i].first) == i && map.shard_of(shards[i].last) == i,
                    "a shard takes the hash keys that it has");
    }
  } catch (const aws::MalformedResponse&) {
    return 0;
  } catch (const std::invalid_argument&) {
    return 0;
  }
  return 0;
}
