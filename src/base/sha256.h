// SHA-256 (FIPS 180-4) of many texts at once. Every request is signed with the hash of its body.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <openssl/types.h>

namespace everyitem {

using Sha256 = std::array<unsigned char, 32>;

/// Writes the SHA-256 of each of `texts` to the same index in `digests`, which has the same size.
/// Any thread.
void sha256_each(std::span<const std::string_view> texts, std::span<Sha256> digests);

/// What sha256_each does on processors without instructions for it.
void sha256_one_by_one(std::span<const std::string_view> texts, std::span<Sha256> digests);

Sha256 sha256(std::string_view text);

/// As 64 lower-case digits.
std::string hex(const Sha256& digest);

/// How many texts of similar length this processor can hash in about the time of one.
std::size_t sha256_side_by_side();

/// OpenSSL's SHA-256, looked up once: EVP_sha256() is looked up again for each use. Throws
/// std::runtime_error if OpenSSL does not have it.
const EVP_MD* sha256_of_openssl();

}  // namespace everyitem
