// An HTTP request and its response.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/padded_buffer.h"

namespace everyitem::http {

struct Header {
  std::string name;
  std::string value;

  friend bool operator==(const Header&, const Header&) = default;
};

struct Request {
  std::string_view method = "POST";
  std::string_view target = "/";
  std::vector<Header> headers;  ///< Host and Content-Length are added by the client
  std::string_view body;        ///< borrowed until the call returns
};

struct Response {
  int status = 0;
  std::vector<Header> headers;
  PaddedBuffer body;
  /// The value of the first header named `name` (case-insensitive), or an empty view.
  std::string_view header(std::string_view name) const&;
  std::string_view header(std::string_view name) && = delete;
};

/// The largest accepted body, in bytes. A Scan page is at most 1 MB as DynamoDB counts, and its
/// JSON can be about ten times as large (a one-digit number is 2 bytes there and 9 in JSON).
inline constexpr std::size_t kMaxBodyBytes = 64U << 20;

}  // namespace everyitem::http
