#include "base/private_folder.h"

#include <sys/stat.h>

#include <cerrno>

namespace everyitem {

std::error_code make_private_folders(const std::filesystem::path& path) {
  std::filesystem::path made;
  for (const std::filesystem::path& part : path) {
    made /= part;
    if (mkdir(made.c_str(), S_IRWXU) == 0) {
      continue;
    }
    const std::error_code failure(errno, std::generic_category());
    std::error_code ignored;
    if (!std::filesystem::is_directory(made, ignored)) {
      return failure;
    }
  }
  return {};
}

}  // namespace everyitem
