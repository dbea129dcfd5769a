// Environment variables, injected so that tests do not touch those of the process.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace everyitem {

/// The value of a variable, or empty if it is not set. As in the AWS tools, a variable set to an
/// empty value counts as not set.
using Environment = std::function<std::string(std::string_view name)>;

/// The environment of the process. It must not be changed (setenv) while this is in use. HOME, if
/// it is not an absolute path, is the home of the user in the password database; empty if there is
/// none either, so that nothing is ever looked for in the current folder instead.
Environment process_environment();

}  // namespace everyitem
