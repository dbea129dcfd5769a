// What makes a scan the scan that it is, so that it is the same run however it is written, and
// without what only the request needs to know.
#pragma once

#include <string>
#include <string_view>

namespace everyitem::source {

/// An expression without the white space that means nothing.
std::string canonical_expression(std::string_view expression);

/// A JSON object without white space and with its members in order; text that is not JSON stays as
/// it is.
std::string canonical_json(std::string_view text);

/// Tells ExpressionAttributeValues apart without showing them: "sha256:" and 16 hexadecimal digits
/// of their canonical JSON. Empty for none.
std::string values_mark(std::string_view values);

}  // namespace everyitem::source
