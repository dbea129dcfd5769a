// Folders that only their owner can access.
#pragma once

#include <filesystem>
#include <system_error>

namespace everyitem {

/// Creates the missing folders of `path`, each accessible only to its owner (mode 0700) regardless
/// of the umask. Existing folders are not changed. Any thread.
std::error_code make_private_folders(const std::filesystem::path& path);

}  // namespace everyitem
