// Paths that users give for files.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace everyitem {

/// For the user: what is wrong, and what to do.
struct PathFault {
  std::string fault;
  std::string remedy;
};

/// Why no file can have this path: it is a folder's, or longer than Linux allows. Nothing if one
/// can. Looks at what is there, and changes nothing.
std::optional<PathFault> fault_of_path(std::string_view path);

}  // namespace everyitem
