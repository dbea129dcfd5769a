// The proof that the sender of a request holds a key (RFC 9449, "DPoP").
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace everyitem::identity {

/// The value of the header DPoP of a POST to `url`: a JSON Web Token signed with ES256.
/// `private_key` is a key of the curve P-256 in PEM. Nothing if it is not. The proof is not a
/// secret.
std::optional<std::string> dpop_proof(const std::string& private_key, std::string_view url,
                                      std::chrono::system_clock::time_point now, Random& random);

}  // namespace everyitem::identity
