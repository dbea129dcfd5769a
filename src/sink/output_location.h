// What --to names: parsed once, before anything is opened or called.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace everyitem::sink {

/// "-".
struct StandardOutput {
  friend bool operator==(const StandardOutput&, const StandardOutput&) = default;
};

struct OutputFile {
  std::string path;

  friend bool operator==(const OutputFile&, const OutputFile&) = default;
};

using OutputLocation = std::variant<StandardOutput, OutputFile>;

/// "-", or the path of a file in a folder that exists. Throws a usage error that names --to for a
/// folder, a missing folder, and what is meant as an address ("s3://bucket/key").
OutputLocation parse_output_location(std::string_view text);

/// Parsed again, it is the same location.
std::string to_text(const OutputLocation& location);

}  // namespace everyitem::sink
