// Paths of files that the user has, or names in a variable.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/environment.h"

namespace everyitem::identity {

/// `path` as botocore expands it: $NAME and ${NAME} become the values of variables that are set,
/// and then a leading "~" becomes the home folder. Nothing if there is no home folder: such a file
/// does not exist, and above all it is not one named "~" in the current folder.
std::optional<std::string> expand_path(std::string_view path, const Environment& environment);

}  // namespace everyitem::identity
