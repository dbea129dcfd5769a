// The bytes of a checkpoint file: read as a complete run, or rejected.
#include <fstream>

#include "base/error.h"
#include "checkpoint_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace everyitem;
  static const checkpoint::CheckpointFile file;
  file.remove();
  std::ofstream(file.path(), std::ios::binary) << fuzz::as_text(data, size);
  std::filesystem::permissions(file.path(), std::filesystem::perms(0600));
  try {
    checkpoint::SqliteStore store(file.path(), checkpoint::kClock);
    checkpoint::load(store);
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
