// An HTTP request and its response.
#pragma once

#include <chrono>
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

/// The largest accepted body of a small answer: an error, a token, a description. Services' own are
/// a few KiB; validation errors that go through 500 records are about 100 KiB.
inline constexpr std::size_t kSmallAnswerBytes = 256U << 10;

/// What an answer may cost, whoever sends it.
struct AnswerLimits {
  /// The body's maximum size if the request succeeded (2xx). Of others: kSmallAnswerBytes.
  std::size_t bytes = kSmallAnswerBytes;
  /// How long to connect, and then to wait without a byte moving; the Timeouts hold as well.
  std::chrono::nanoseconds silence = std::chrono::nanoseconds::max();
};

struct Request {
  std::string_view method = "POST";
  std::string_view target = "/";
  std::vector<Header> headers;  ///< Host and Content-Length are added by the client
  std::string_view body;        ///< borrowed until the call returns
  AnswerLimits limits;
};

struct Response {
  int status = 0;
  std::vector<Header> headers;
  PaddedBuffer body;
  /// The value of the first header named `name` (case-insensitive), or an empty view.
  std::string_view header(std::string_view name) const&;
  std::string_view header(std::string_view name) && = delete;
};

}  // namespace everyitem::http
