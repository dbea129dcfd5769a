// An HTTP request and its response.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.h"
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

/// The memory for answers. Implemented by the caller, and must outlive the call.
class AnswerRoom {
 public:
  AnswerRoom() = default;
  AnswerRoom(const AnswerRoom&) = delete;
  AnswerRoom& operator=(const AnswerRoom&) = delete;
  virtual ~AnswerRoom() = default;

  /// The request has succeeded (2xx), and its answer has a body of at most `max_bytes`. Returns
  /// when there is room for it: until then it stays with the network, and no time-out runs. Throws
  /// boost::system::system_error(operation_aborted) when the call is cancelled.
  virtual Awaitable<void> before_body(std::size_t max_bytes) = 0;
};

/// What an answer may cost, whoever sends it.
struct AnswerLimits {
  /// The body's maximum size if the request succeeded (2xx). Of others: kSmallAnswerBytes.
  std::size_t bytes = kSmallAnswerBytes;
  /// How long to connect, and then to wait without a byte moving; the Timeouts hold as well.
  std::chrono::nanoseconds silence = std::chrono::nanoseconds::max();
  AnswerRoom* room = nullptr;  ///< null: there is always room
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
