// The event loops of a run, each on a thread of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "base/async.h"

namespace everyitem::pipeline {

/// The first is the caller's, which is running already; the others run until `join`.
class EventLoops {
 public:
  explicit EventLoops(asio::any_io_executor first) : first_(std::move(first)) {}
  ~EventLoops() { join(); }
  EventLoops(const EventLoops&) = delete;
  EventLoops& operator=(const EventLoops&) = delete;

  /// To `count` loops in total. Never shrinks.
  void grow(std::size_t count);
  std::size_t size() const { return 1 + others_.size(); }
  asio::any_io_executor executor(std::size_t place) const;

  /// Ends the threads; work waiting on their loops is abandoned. After this, whatever uses the
  /// loops can be destroyed, while the loops still exist.
  void join();

 private:
  struct Loop {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
    std::thread thread{[this] { context.run(); }};
  };

  asio::any_io_executor first_;
  std::vector<std::unique_ptr<Loop>> others_;
};

}  // namespace everyitem::pipeline
