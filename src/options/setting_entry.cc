#include "options/setting_entry.h"

#include <algorithm>

namespace everyitem::options {

std::string variable_of(std::string_view flag) {
  std::string variable(flag);
  std::ranges::transform(variable, variable.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == '-' ? '_' : c;
  });
  return variable;
}

}  // namespace everyitem::options
