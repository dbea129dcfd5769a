#include "support/dpop_check.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

namespace everyitem {

namespace {

constexpr std::size_t kNumberBytes = 32;

/// Empty if it is not base64url without padding.
std::string decoded(std::string_view text) {
  std::string padded(text);
  if (padded.find_first_of("+/=") != std::string::npos) {
    return {};
  }
  std::ranges::replace(padded, '-', '+');
  std::ranges::replace(padded, '_', '/');
  const std::size_t padding = (4 - padded.size() % 4) % 4;
  padded.append(padding, '=');
  std::string bytes(3 * padded.size() / 4, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(padded.data()), int(padded.size()));
  return size < 0 ? "" : bytes.substr(0, static_cast<std::size_t>(size) - padding);
}

std::optional<boost::json::object> decoded_object(std::string_view text) {
  boost::system::error_code not_json;
  boost::json::value value = boost::json::parse(decoded(text), not_json);
  return !not_json && value.is_object() ? std::optional(std::move(value.get_object()))
                                        : std::nullopt;
}

std::string member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

/// Null if there is no such point on the curve.
Key public_key(const std::string& x, const std::string& y) {
  const std::string point = "\x04" + x + y;
  OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context) != 1 ||
      EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
    key = nullptr;
  }
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(builder);
  return {key, &EVP_PKEY_free};
}

bool is_signed_by(const Key& key, std::string_view text, const std::string& numbers) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(numbers.data());
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(ECDSA_SIG_new(),
                                                                   &ECDSA_SIG_free);
  ECDSA_SIG_set0(pair.get(), BN_bin2bn(bytes, kNumberBytes, nullptr),
                 BN_bin2bn(bytes + kNumberBytes, kNumberBytes, nullptr));
  std::vector<unsigned char> der(static_cast<std::size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)));
  unsigned char* start = der.data();
  i2d_ECDSA_SIG(pair.get(), &start);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  return EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(),
                                 nullptr) == 1 &&
         EVP_DigestVerify(context.get(), der.data(), der.size(),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
}

}  // namespace

std::optional<DpopProof> verified_dpop_proof(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  if (first == std::string_view::npos || first == second) {
    return std::nullopt;
  }
  const auto header = decoded_object(token.substr(0, first));
  const auto payload = decoded_object(token.substr(first + 1, second - first - 1));
  const std::string numbers = decoded(token.substr(second + 1));
  const boost::json::value* jwk = header ? header->if_contains("jwk") : nullptr;
  if (!payload || jwk == nullptr || !jwk->is_object() || numbers.size() != 2 * kNumberBytes ||
      member(*header, "alg") != "ES256" || member(*header, "typ") != "dpop+jwt") {
    return std::nullopt;
  }
  const boost::json::object& shown = jwk->get_object();
  const Key key = public_key(decoded(member(shown, "x")), decoded(member(shown, "y")));
  if (member(shown, "kty") != "EC" || member(shown, "crv") != "P-256" || !key ||
      !is_signed_by(key, token.substr(0, second), numbers)) {
    return std::nullopt;
  }
  return DpopProof{.header = *header, .payload = *payload};
}

}  // namespace everyitem
