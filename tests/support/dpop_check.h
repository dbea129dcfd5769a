// For tests: reads and verifies the proofs of RFC 9449 ("DPoP").
#pragma once

#include <optional>
#include <string_view>

#include <boost/json/object.hpp>

namespace everyitem {

struct DpopProof {
  boost::json::object header;
  boost::json::object payload;
};

/// Nothing unless it is signed, with ES256, by the key that its header shows.
std::optional<DpopProof> verified_dpop_proof(std::string_view token);

}  // namespace everyitem
