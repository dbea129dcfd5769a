// AWS Signature Version 4, in the Authorization header. Pure: the time is an argument.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credentials.h"

namespace everyitem::aws {

struct Header {
  std::string name;
  std::string value;

  friend bool operator==(const Header&, const Header&) = default;
};

/// What is signed. Everything is borrowed for the length of the call.
struct SigningInput {
  std::string_view method;          ///< "POST"
  std::string_view path;            ///< absolute, as sent (already percent-encoded): "/"
  std::string_view query;           ///< as sent, without '?'; empty for the services used here
  std::span<const Header> headers;  ///< all that are to be signed; must hold Host
  std::string_view body;
  std::string_view region;
  std::string_view service;  ///< the signing name: "dynamodb", "kinesis"
  std::chrono::system_clock::time_point time;
};

/// The headers to add: X-Amz-Date, X-Amz-Security-Token where the credentials have a token (it is
/// signed), and Authorization.
std::vector<Header> sign(const SigningInput& input, const Credentials& credentials);

}  // namespace everyitem::aws
