// Folders that nobody else may look into.
#pragma once

#include <filesystem>
#include <system_error>

namespace everyitem {

/// Makes the folders of `path` that are missing, each for its owner's eyes alone (mode 0700),
/// whatever the umask allows. Those that are there stay as they are. Any thread.
std::error_code make_private_folders(const std::filesystem::path& path);

}  // namespace everyitem
