// Environment variables, injected, so that tests do not touch the process's own.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace everyitem {

/// The value of a variable, empty when it is not set. A variable that is set to nothing counts as
/// not set, as in the AWS tools.
using Environment = std::function<std::string(std::string_view name)>;

/// The process's own environment. Nobody may change it (setenv) meanwhile.
Environment process_environment();

}  // namespace everyitem
