// Beast's parser of HTTP responses, which decides what is allowed, filling a Response.
#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include "http/message.h"

namespace everyitem::http {

/// Stops after the head; continues to the end of the body once `eager(true)` was called.
class ResponseParser final : public boost::beast::http::basic_parser<false> {
 public:
  using ErrorCode = boost::beast::error_code;
  using Text = boost::beast::string_view;

  /// `response` must outlive the parser. Every response needs a new parser.
  /// `max_bytes`: of the body of a successful response.
  explicit ResponseParser(Response& response, std::size_t max_bytes = kSmallAnswerBytes)
      : response_(response), max_bytes_(max_bytes) {}

  std::size_t max_bytes() const { return max_bytes_; }
  std::size_t body_bytes() const { return response_.body.size(); }

 private:
  void on_request_impl(boost::beast::http::verb /*method*/, Text /*method_text*/, Text /*target*/,
                       int /*version*/, ErrorCode& /*error*/) override {}
  void on_response_impl(int status, Text /*reason*/, int /*version*/,
                        ErrorCode& /*error*/) override {
    response_.status = status;
    if (status / 100 != 2) {
      max_bytes_ = kSmallAnswerBytes;
    }
    body_limit(max_bytes_);
  }
  void on_field_impl(boost::beast::http::field /*field*/, Text name, Text value,
                     ErrorCode& /*error*/) override {
    response_.headers.push_back({std::string(name), std::string(value)});
  }
  void on_header_impl(ErrorCode& /*error*/) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                         ErrorCode& /*error*/) override {}
  std::size_t on_body_impl(Text part, ErrorCode& /*error*/) override {
    response_.body.append(part);
    return part.size();
  }
  void on_chunk_header_impl(std::uint64_t /*size*/, Text /*extensions*/,
                            ErrorCode& /*error*/) override {}
  std::size_t on_chunk_body_impl(std::uint64_t /*remaining*/, Text part,
                                 ErrorCode& /*error*/) override {
    response_.body.append(part);
    return part.size();
  }
  void on_finish_impl(ErrorCode& /*error*/) override {}

  Response& response_;
  std::size_t max_bytes_;
};

}  // namespace everyitem::http
