#include "aws/sigv4.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include "aws/percent_encoding.h"
#include "base/sha256.h"

namespace everyitem::aws {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

Sha256 hmac_sha256(std::string_view key, std::string_view text) {
  Sha256 digest;
  if (HMAC(sha256_of_openssl(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
           nullptr) == nullptr) {
    throw std::runtime_error("OpenSSL could not compute an HMAC");
  }
  return digest;
}

std::string_view bytes(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// <cctype> depends on the locale, but a signature must not.
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

/// Sorted by name, then by value; a name without '=' gets one. Percent-encoded parts stay
/// unchanged; raw parts are encoded.
std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(parameter.size() + 1, query.size()));
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    const std::string_view value = parameter.substr(std::min(equals + 1, parameter.size()));
    parameters.emplace_back(percent_encode(parameter.substr(0, equals), "%"),
                            percent_encode(value, "%"));
  }
  std::ranges::sort(parameters);
  std::string canonical;
  for (const auto& [name, value] : parameters) {
    fmt::format_to(std::back_inserter(canonical), "{}{}={}", canonical.empty() ? "" : "&", name,
                   value);
  }
  return canonical;
}

/// Without spaces at either end, and with runs of spaces reduced to one.
void append_folded(std::string& text, std::string_view value) {
  const std::size_t start = text.size();
  bool space = false;
  for (const char c : value) {
    if (is_space(c)) {
      space = true;
      continue;
    }
    if (space && text.size() > start) {
      text += ' ';
    }
    space = false;
    text += c;
  }
}

struct CanonicalHeaders {
  std::string lines;         ///< "name:value\n" each, sorted
  std::string signed_names;  ///< "name;name"
};

CanonicalHeaders canonical_headers(std::span<const http::Header> given,
                                   std::span<const http::Header> added) {
  std::vector<std::pair<std::string, std::string_view>> headers;
  headers.reserve(given.size() + added.size());
  for (const std::span<const http::Header> some : {given, added}) {
    for (const http::Header& header : some) {
      headers.emplace_back(lower(header.name), header.value);
    }
  }
  // Stable, so that the values of a repeated header stay in the order they are sent in.
  std::ranges::stable_sort(headers, {}, [](const auto& header) { return header.first; });

  CanonicalHeaders canonical;
  std::string_view previous;
  for (const auto& [name, value] : headers) {
    if (name == previous) {
      canonical.lines.back() = ',';
    } else {
      canonical.lines.append(name).append(":");
      canonical.signed_names.append(canonical.signed_names.empty() ? "" : ";").append(name);
    }
    append_folded(canonical.lines, value);
    canonical.lines += '\n';
    previous = name;
  }
  return canonical;
}

/// Without segments that are empty, "." or "..", where ".." also removes the one before it. A final
/// slash stays, and replaces a final dot segment.
std::string normalized(std::string_view path) {
  std::vector<std::string_view> segments;
  bool ends_in_slash = true;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    const bool is_dot_segment = segment == "." || segment == "..";
    ends_in_slash = slash != std::string_view::npos || is_dot_segment;
    if (segment == ".." && !segments.empty()) {
      segments.pop_back();
    } else if (!segment.empty() && !is_dot_segment) {
      segments.push_back(segment);
    }
    path.remove_prefix(std::min(segment.size() + 1, path.size()));
  }
  std::string result;
  for (const std::string_view segment : segments) {
    result.append("/").append(segment);
  }
  return ends_in_slash || result.empty() ? result + "/" : result;
}

/// As it is signed: encoded once more than it is sent, as all services except S3 require.
std::string canonical_path(const SigningInput& input) {
  const bool is_plain = input.path == "/" || !input.normalize_path;
  return percent_encode(is_plain ? std::string(input.path) : normalized(input.path), "/");
}

/// Whether `text` consists of the parts, each followed by a line break.
bool is_joined(std::string_view text, std::span<const std::string_view> parts) {
  for (const std::string_view part : parts) {
    if (!text.starts_with(part) || text.substr(part.size(), 1) != "\n") {
      return false;
    }
    text.remove_prefix(part.size() + 1);
  }
  return text.empty();
}

}  // namespace

const Sha256& SigningKey::derive(std::string_view secret, std::string_view date,
                                 std::string_view region, std::string_view service) {
  // None of these contains a line break.
  const std::array<std::string_view, 4> parts = {date, region, service, secret};
  if (!is_joined(derived_from_, parts)) {
    wipe();
    // Allocated at full length, because growing would leave the secret in old memory.
    derived_from_.reserve(date.size() + region.size() + service.size() + secret.size() + 4);
    for (const std::string_view part : parts) {
      derived_from_.append(part).append("\n");
    }
    std::string first_key;
    first_key.reserve(secret.size() + 4);
    first_key.append("AWS4").append(secret);
    Sha256 key = hmac_sha256(SecretText(std::move(first_key)), date);
    for (const std::string_view part : {region, service, std::string_view("aws4_request")}) {
      key = hmac_sha256(bytes(key), part);
    }
    bytes_ = key;
  }
  return bytes_;
}

void SigningKey::wipe() {
  OPENSSL_cleanse(derived_from_.data(), derived_from_.size());
  derived_from_.clear();
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

std::vector<http::Header> sign(const SigningInput& input, const Credentials& credentials) {
  SigningKey key;
  return sign(input, credentials, key);
}

std::vector<http::Header> sign(const SigningInput& input, const Credentials& credentials,
                               SigningKey& key) {
  const auto second = std::chrono::floor<std::chrono::seconds>(input.time);
  const std::string time = fmt::format("{:%Y%m%dT%H%M%SZ}", second);
  const std::string_view date = std::string_view(time).substr(0, 8);

  std::vector<http::Header> added;
  added.reserve(3);
  added.push_back({"X-Amz-Date", time});
  if (!credentials.session_token.empty()) {
    added.push_back({"X-Amz-Security-Token", credentials.session_token});
  }

  const CanonicalHeaders headers = canonical_headers(input.headers, added);
  const std::string request = fmt::format(
      "{}\n{}\n{}\n{}\n{}\n{}", input.method, canonical_path(input), canonical_query(input.query),
      headers.lines, headers.signed_names,
      input.payload_hash.empty() ? hex(sha256(input.body)) : std::string(input.payload_hash));
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", date, input.region, input.service);
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, scope, hex(sha256(request)));

  const Sha256& signing_key =
      key.derive(credentials.secret_access_key, date, input.region, input.service);
  const std::string signature = hex(hmac_sha256(bytes(signing_key), to_sign));

  added.push_back({"Authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, "
                                                "Signature={}",
                                                kAlgorithm, credentials.access_key_id, scope,
                                                headers.signed_names, signature)});
  return added;
}

}  // namespace everyitem::aws
