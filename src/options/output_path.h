// Where --to puts the items.
#pragma once

#include <string>
#include <string_view>

#include "base/setting_id.h"

namespace everyitem::options {

/// "-" for standard output, or the path of a file in a folder that exists. Throws a usage error for
/// a folder, a missing folder, and what is meant as an address ("s3://bucket/key").
std::string parse_output_path(SettingId id, std::string_view text);

}  // namespace everyitem::options
