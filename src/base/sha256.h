// SHA-256 (FIPS 180-4), of many texts at once: the body of each request is signed by it.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <openssl/types.h>

namespace everyitem {

using Sha256 = std::array<unsigned char, 32>;

/// Writes the SHA-256 of each of `texts` to the same place in `digests`, which are as many. Any
/// thread.
void sha256_each(std::span<const std::string_view> texts, std::span<Sha256> digests);

Sha256 sha256(std::string_view text);

/// In 64 lower-case digits.
std::string hex(const Sha256& digest);

/// How many texts of some length this processor hashes in about the time of one.
std::size_t sha256_side_by_side();

/// OpenSSL's, found once: EVP_sha256() is looked up anew for each use. Throws std::runtime_error
/// where OpenSSL has none.
const EVP_MD* sha256_of_openssl();

}  // namespace everyitem
