#include <array>

#include "cli/scan_command.h"
#include "cli/verb.h"
#include "cli/whoami_command.h"

namespace everyitem::cli {

std::span<const MakeVerb> verbs() {
  static constexpr std::array kVerbs = {
      &make_scan_verb,
      &make_whoami_verb,
  };
  return kVerbs;
}

}  // namespace everyitem::cli
