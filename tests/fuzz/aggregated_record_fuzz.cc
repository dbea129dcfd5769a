// The fault server's aggregated records: the raw input, and the input as a message with a valid
// MD5.
#include <algorithm>
#include <string>
#include <vector>

#include "base/md5.h"
#include "emulator/aggregated_record.h"
#include "fuzz_target.h"

namespace everyitem {
namespace {

void read(std::string_view record) {
  emulator::AggregatedRecordReader reader;
  try {
    const auto& records = reader.read(record);
    fuzz::require(!records.empty(), "it holds a record");
    std::size_t bytes = 0;
    for (const emulator::SubRecord& one : records) {
      fuzz::require(fuzz::within(one.data, record), "its data lies within it");
      fuzz::require(fuzz::within(one.partition_key, record), "its key lies within it");
      fuzz::require(!one.partition_key.empty(), "it has a key");
      fuzz::require(one.explicit_hash_key.empty() || fuzz::within(one.explicit_hash_key, record),
                    "its hash key lies within it");
      bytes += one.data.size();
    }
    fuzz::require(bytes < record.size(), "no data is in it twice");
  } catch (const emulator::AggregatedRecordError&) {
  }
}

}  // namespace
}  // namespace everyitem

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace everyitem;
  const std::string_view input = fuzz::as_text(data, size);
  read(input);
  // Exactly sized, so that reads past the end are noticed.
  constexpr std::string_view kMagic = "\xF3\x89\x9A\xC2";
  const Md5 digest = md5(input);
  std::vector<char> record(kMagic.size() + size + digest.size());
  auto to = std::ranges::copy(kMagic, record.begin()).out;
  to = std::ranges::copy(input, to).out;
  std::ranges::copy(digest, to);
  read({record.data(), record.size()});
  return 0;
}
