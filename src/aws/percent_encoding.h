// Percent-encoding (RFC 3986), as Signature Version 4 wants it.
#pragma once

#include <string>
#include <string_view>

namespace everyitem::aws {

/// Encodes every byte but the unreserved ones (letters, digits, "-._~") and those in `kept`: for a
/// part of a path, which an ARN may be, keep nothing.
std::string percent_encode(std::string_view text, std::string_view kept = {});

}  // namespace everyitem::aws
