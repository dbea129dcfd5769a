// HTTP responses, read in pieces as in Connection: the pieces must make no difference.
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "fuzz_target.h"
#include "http/response_parser.h"

namespace everyitem::http {
namespace {

using fuzz::require;
namespace beast = boost::beast;

constexpr std::size_t kHeaderBytes = 16 << 10;
constexpr std::size_t kBodyBytes = 64 << 10;  // smaller than the client's, so that it is reached

/// The response; nothing if the bytes are not a complete one.
struct Answer {
  int status = 0;
  std::vector<Header> headers;
  std::string body;
  bool keep_alive = false;

  friend bool operator==(const Answer&, const Answer&) = default;
};

/// Bytes that arrive in pieces.
class Reader {
 public:
  Reader(std::string_view text, std::size_t piece) : text_(text), piece_(piece) {}

  std::optional<Answer> read() {
    Response response;
    ResponseParser parser(response, kBodyBytes);
    parser.header_limit(kHeaderBytes);
    if (!parse_to_end(parser, false)) {
      return std::nullopt;
    }
    if (!parser.is_done()) {
      const auto length = parser.content_length();
      if (length && !parser.chunked()) {
        require(*length <= parser.max_bytes(), "no body is larger than allowed");
        if (*length > text_.size() - begin_) {
          return std::nullopt;
        }
        response.body.append(text_.substr(begin_, static_cast<std::size_t>(*length)));
      } else {
        parser.eager(true);
        if (!parse_to_end(parser, true)) {
          return std::nullopt;
        }
      }
    }
    require(response.body.size() <= parser.max_bytes(), "no body is larger than allowed");
    require(response.status >= 0 && response.status <= 999, "a status has three digits");
    for (const Header& header : response.headers) {
      require(!header.name.empty(), "a header has a name");
      require((header.name + header.value).find_first_of("\r\n") == std::string::npos,
              "a header is one line");
    }
    response.body.finish();
    return Answer{.status = response.status,
                  .headers = response.headers,
                  .body = std::string(response.body.view()),
                  .keep_alive = parser.keep_alive()};
  }

 private:
  bool parse_to_end(ResponseParser& parser, bool body) {
    if (end_ > begin_ && !parse(parser)) {
      return false;
    }
    while (body ? !parser.is_done() : !parser.is_header_done()) {
      if (end_ < text_.size()) {
        end_ += std::min(piece_, text_.size() - end_);
        if (!parse(parser)) {
          return false;
        }
        continue;
      }
      beast::error_code error = beast::http::error::partial_message;
      if (parser.got_some()) {
        parser.put_eof(error);
      }
      if (error) {
        return false;
      }
    }
    return true;
  }

  bool parse(ResponseParser& parser) {
    beast::error_code error;
    begin_ += parser.put(boost::asio::buffer(text_.substr(begin_, end_ - begin_)), error);
    require(begin_ <= end_, "no more is taken than there is");
    return !error || error == beast::http::error::need_more;
  }

  std::string_view text_;
  std::size_t piece_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace
}  // namespace everyitem::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = everyitem::fuzz::as_text(data, size);
  const auto whole = everyitem::http::Reader(text, size).read();
  for (const std::size_t piece : {1, 7}) {
    everyitem::fuzz::require(everyitem::http::Reader(text, piece).read() == whole,
                             "an answer is the same in pieces");
  }
  return 0;
}
