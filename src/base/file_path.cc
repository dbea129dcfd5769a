#include "base/file_path.h"

#include <filesystem>
#include <system_error>

#include <climits>
#include <fmt/format.h>

namespace everyitem {

std::optional<PathFault> fault_of_path(std::string_view path) {
  if (path.empty()) {
    return PathFault{"not a file's path", "Give the path of a file."};
  }
  const std::filesystem::path file(path);
  std::error_code ignored;
  if (!file.has_filename() || std::filesystem::is_directory(file, ignored)) {
    return PathFault{"a folder, not a file", "Give the path of a file in it."};
  }
  for (const std::filesystem::path& part : file) {
    if (part.native().size() > NAME_MAX) {
      return PathFault{fmt::format("a name is longer than {} bytes", NAME_MAX),
                       "Give a shorter one."};
    }
  }
  if (path.size() >= PATH_MAX) {
    return PathFault{fmt::format("longer than {} bytes", PATH_MAX - 1), "Give a shorter path."};
  }
  return std::nullopt;
}

}  // namespace everyitem
