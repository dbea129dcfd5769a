// What a service says may repeat what it was sent. Before its words reach a user or a log, they
// pass through here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "aws/credentials.h"

namespace everyitem::aws {

/// The longest text of a service that is shown, in bytes; the rest is cut off.
inline constexpr std::size_t kMaxMessageBytes = 500;

/// `message` without the key, the secret and the token of `credentials`, which a refused signature
/// may be explained with, and without `another`. At most kMaxMessageBytes.
std::string without_secrets(std::string message, const Credentials& credentials,
                            std::string_view another = {});

/// `message` without what may be an item's, for answers to requests that held items: what stands in
/// braces or quotes, and words that are longer than any of a service's own but ARNs.
std::string without_items(std::string message);

/// Whether a text can be a service's error code: letters, digits, '_' and '.', 64 of them at most.
bool is_error_code(std::string_view text);

}  // namespace everyitem::aws
