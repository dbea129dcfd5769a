// A service's message may repeat parts of the request. It passes through here before it reaches a
// user or a log.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "aws/credentials.h"

namespace everyitem::aws {

/// The maximum length of a service's message that is shown, in bytes; the rest is cut off.
inline constexpr std::size_t kMaxMessageBytes = 500;

/// `message` without the key, the secret and the token of `credentials`, which an error about a
/// signature may contain, and without `others`. At most kMaxMessageBytes.
///
/// Of long secrets, any 16 characters in a row are taken out; short ones, of 3 or more, where they
/// are a word. Both also where they are encoded: in base64 with whatever surrounds them, and
/// percent-encoded or escaped as in JSON or XML, up to three times.
std::string without_secrets(std::string message, const Credentials& credentials,
                            std::span<const std::string_view> others = {});

/// `message` without anything that may come from an item, for responses to requests with items:
/// text in braces or quotes, and words longer than any word of a service except ARNs.
std::string without_items(std::string message);

/// Whether a text can be a service's error code: at most 64 letters, digits, '_' and '.'.
bool is_error_code(std::string_view text);

}  // namespace everyitem::aws
