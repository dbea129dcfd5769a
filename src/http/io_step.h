// One step on a stream, which never waits: it moves what it can, or says what it has to wait for.
#pragma once

#include <cstddef>

#include <boost/system/error_code.hpp>

namespace everyitem::http {

struct IoStep {
  /// What the socket must become before the same step is retried.
  enum class Needs { nothing, readable, writable };

  Needs needs = Needs::nothing;
  /// What ended the stream; asio::error::eof if the other side ended it properly.
  boost::system::error_code error = {};
  std::size_t bytes = 0;  ///< bytes moved; at least one if nothing is needed and nothing failed
};

}  // namespace everyitem::http
