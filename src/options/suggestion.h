// What somebody who mistyped a word may have meant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace everyitem::options {

/// The candidate that differs least, if it differs little: at most one letter in three is missing,
/// surplus, another, or changed places with its neighbour. Case does not matter.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

}  // namespace everyitem::options
