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

/// What is signed. Everything is borrowed for the length of the call.
struct SigningInput {
  std::string_view method;  ///< "POST"
  std::string_view path;    ///< absolute, as sent (already percent-encoded): "/"
  std::string_view query;   ///< as sent, without '?'; empty for the services used here
  std::span<const http::Header> headers;  ///< all that are to be signed; must hold Host
  std::string_view body;
  std::string_view region;
  std::string_view service;  ///< the signing name: "dynamodb", "kinesis"
  std::chrono::system_clock::time_point time;
  /// Whether "." and ".." and doubled slashes are taken out of the path that is signed (not of the
  /// one that is sent): all services but S3 do that.
  bool normalize_path = true;
  /// In hexadecimal, or "UNSIGNED-PAYLOAD"; empty: the body is hashed.
  std::string_view payload_hash = {};
};

/// The key that signatures are made with is derived from the secret, and the same for all requests
/// of a day to one service in one region: this keeps the last one. One thread.
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

  std::string derived_from_;  ///< the secret among it
  Sha256 bytes_{};
};

/// The headers to add: X-Amz-Date, X-Amz-Security-Token where the credentials have a token (it is
/// signed), and Authorization. `key` is used again where it is the same.
std::vector<http::Header> sign(const SigningInput& input, const Credentials& credentials,
                               SigningKey& key);
/// The same for a single request.
std::vector<http::Header> sign(const SigningInput& input, const Credentials& credentials);

}  // namespace everyitem::aws
