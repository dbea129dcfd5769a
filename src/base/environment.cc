#include "base/environment.h"

#include <cstdlib>

namespace everyitem {

Environment process_environment() {
  return [](std::string_view name) {
    const char* value = std::getenv(std::string(name).c_str());
    return std::string(value == nullptr ? "" : value);
  };
}

}  // namespace everyitem
