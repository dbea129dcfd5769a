#include "base/sha256.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include <openssl/evp.h>

#include "base/sha256_lanes.h"

namespace everyitem {

void sha256_each(std::span<const std::string_view> texts, std::span<Sha256> digests) {
  if (has_sha_instructions()) {
    sha256_in_lanes(texts, digests);
  } else {
    sha256_one_by_one(texts, digests);
  }
}

void sha256_one_by_one(std::span<const std::string_view> texts, std::span<Sha256> digests) {
  std::ranges::transform(texts, digests.begin(), sha256);
}

Sha256 sha256(std::string_view text) {
  Sha256 digest;
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, sha256_of_openssl(), nullptr) !=
      1) {
    throw std::runtime_error("OpenSSL could not compute a SHA-256");
  }
  return digest;
}

std::string hex(const Sha256& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xf];
  }
  return text;
}

std::size_t sha256_side_by_side() { return has_sha_instructions() ? kMaxSha256Lanes : 1; }

const EVP_MD* sha256_of_openssl() {
  static const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> algorithm(
      EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free);
  if (!algorithm) {
    throw std::runtime_error("OpenSSL offers no SHA-256");
  }
  return algorithm.get();
}

}  // namespace everyitem
