// AWS Signature Version 4, in the Authorization header. Pure: the time is an argument.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credentials.h"
#include "base/sha256.h"
#include "http/message.h"

namespace everyitem::aws {

/// The request to sign. Everything is borrowed during the call.
struct SigningInput {
  std::string_view method;  ///< "POST"
  std::string_view path;    ///< absolute, as sent (already percent-encoded): "/"
  std::string_view query;   ///< as sent, without '?'; empty for the services used here
  std::span<const http::Header> headers;  ///< all headers to sign; must include Host
  std::string_view body;
  std::string_view region;
  std::string_view service;  ///< the signing name: "dynamodb", "kinesis"
  std::chrono::system_clock::time_point time;
  /// Whether ".", ".." and double slashes are removed from the path that is signed (not from the
  /// one that is sent), which all services except S3 do.
  bool normalize_path = true;
  /// In hexadecimal, or "UNSIGNED-PAYLOAD"; if empty, the body is hashed.
  std::string_view payload_hash = {};
};

/// Signing keys are derived from the secret. They are the same for all requests in one day to one
/// service in one region, so this caches the last one. One thread.
class SigningKey {
 public:
  SigningKey() = default;
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;
  ~SigningKey() { wipe(); }

  /// `date`: "20261124". The result is valid until the next call.
  const Sha256& derive(std::string_view secret, std::string_view date, std::string_view region,
                       std::string_view service);

 private:
  void wipe();

  std::string derived_from_;  ///< includes the secret
  Sha256 bytes_{};
};

/// The headers to add: X-Amz-Date, X-Amz-Security-Token if the credentials have a token (it is
/// signed), and Authorization. Reuses `key` if it is still the same.
std::vector<http::Header> sign(const SigningInput& input, const Credentials& credentials,
                               SigningKey& key);
/// The same for a single request.
std::vector<http::Header> sign(const SigningInput& input, const Credentials& credentials);

}  // namespace everyitem::aws
