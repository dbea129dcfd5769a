#include "identity/dpop_proof.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace everyitem::identity {

namespace {

template <auto kFree>
struct Freed {
  template <typename Object>
  void operator()(Object* object) const {
    kFree(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;

constexpr std::size_t kNumberBytes = 32;  ///< of a coordinate, and of half a signature
using NumberBytes = std::array<unsigned char, kNumberBytes>;

std::string base64url(std::span<const unsigned char> bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  text.erase(std::min(text.find('='), text.size()));
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

std::string base64url(std::string_view text) {
  return base64url(std::span(reinterpret_cast<const unsigned char*>(text.data()), text.size()));
}

/// Null if it is not a key of P-256.
Key read_key(const std::string& pem) {
  const std::unique_ptr<BIO, Freed<BIO_free>> text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // Nobody is asked for the password of a key that has one.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  Key key(PEM_read_bio_PrivateKey(text.get(), nullptr, no_password, nullptr));
  std::array<char, 64> group{};
  std::size_t size = 0;
  const bool is_p256 = key != nullptr &&
                       EVP_PKEY_get_utf8_string_param(key.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                                      group.data(), group.size(), &size) == 1 &&
                       std::string_view(group.data(), size) == "prime256v1";
  return is_p256 ? std::move(key) : nullptr;
}

/// A coordinate of the public key; empty if the key does not tell.
std::string coordinate(const Key& key, const char* name) {
  BIGNUM* found = nullptr;
  EVP_PKEY_get_bn_param(key.get(), name, &found);
  const Number number(found);
  NumberBytes bytes{};
  if (!number || BN_bn2binpad(number.get(), bytes.data(), kNumberBytes) < 0) {
    return {};
  }
  return base64url(bytes);
}

/// The two numbers of an ECDSA signature with SHA-256, one after the other; empty if it fails.
std::string signature(const Key& key, std::string_view text) {
  const std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  std::vector<unsigned char> der(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
  std::size_t size = der.size();
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(),
                            nullptr) != 1 ||
      EVP_DigestSign(context.get(), der.data(), &size, bytes, text.size()) != 1) {
    return {};
  }
  const unsigned char* start = der.data();
  const std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>> pair(
      d2i_ECDSA_SIG(nullptr, &start, static_cast<long>(size)));
  std::array<unsigned char, 2 * kNumberBytes> numbers{};
  if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), numbers.data(), kNumberBytes) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), numbers.data() + kNumberBytes, kNumberBytes) < 0) {
    return {};
  }
  return base64url(numbers);
}

/// A random UUID (RFC 9562, version 4).
std::string uuid(Random& random) {
  const std::uint64_t high = (random.bits() & ~0xF000ULL) | 0x4000ULL;
  const std::uint64_t low = (random.bits() >> 2U) | (1ULL << 63U);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xFFFFU,
                     high & 0xFFFFU, low >> 48U, low & 0xFFFFFFFFFFFFULL);
}

}  // namespace

std::optional<std::string> dpop_proof(const std::string& private_key, std::string_view url,
                                      std::chrono::system_clock::time_point now, Random& random) {
  const Key key = read_key(private_key);
  if (!key) {
    return std::nullopt;
  }
  const boost::json::object header{{"typ", "dpop+jwt"},
                                   {"alg", "ES256"},
                                   {"jwk",
                                    {{"kty", "EC"},
                                     {"x", coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X)},
                                     {"y", coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y)},
                                     {"crv", "P-256"}}}};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const boost::json::object payload{
      {"htm", "POST"}, {"htu", url}, {"iat", seconds}, {"jti", uuid(random)}};
  std::string token =
      base64url(boost::json::serialize(header)) + "." + base64url(boost::json::serialize(payload));
  const std::string signed_text = signature(key, token);
  return signed_text.empty() ? std::nullopt : std::optional(token + "." + signed_text);
}

}  // namespace everyitem::identity
