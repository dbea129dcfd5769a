// What a service says may repeat what it was sent. Before its words reach a user or a log, they
// pass through here.
#pragma once

#include <cstddef>
#include <string>

#include "aws/credentials.h"

namespace everyitem::aws {

/// The longest text of a service that is shown, in bytes; the rest is cut off.
inline constexpr std::size_t kMaxMessageBytes = 500;

/// `message` without the key, the secret and the token of `credentials`, which a refused signature
/// may be explained with, and without the value that a validation error quotes ("Value '...' at"):
/// it may be an item's. At most kMaxMessageBytes.
std::string without_secrets(std::string message, const Credentials& credentials);

}  // namespace everyitem::aws
