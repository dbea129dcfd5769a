// One step on a stream that never waits: it moves what it can, or says what it waits for.
#pragma once

#include <cstddef>

#include <boost/system/error_code.hpp>

namespace everyitem::http {

struct IoStep {
  /// What the socket must become before the same step is tried again.
  enum class Needs { nothing, readable, writable };

  Needs needs = Needs::nothing;
  /// What ended the stream; asio::error::eof where the other side ended it in good order.
  boost::system::error_code error = {};
  std::size_t bytes = 0;  ///< moved; at least one when nothing is needed and nothing failed
};

}  // namespace everyitem::http
