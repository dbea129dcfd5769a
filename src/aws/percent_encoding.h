// Percent-encoding (RFC 3986), as required by Signature Version 4.
#pragma once

#include <string>
#include <string_view>

namespace everyitem::aws {

/// Encodes every byte except the unreserved ones (letters, digits, "-._~") and those in `kept`. For
/// a segment of a path, which may be an ARN, keep nothing.
std::string percent_encode(std::string_view text, std::string_view kept = {});

}  // namespace everyitem::aws
