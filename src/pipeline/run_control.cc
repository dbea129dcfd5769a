#include "pipeline/run_control.h"

#include <utility>

#include <boost/asio/dispatch.hpp>
#include <fmt/format.h>

namespace everyitem::pipeline {

void RunControl::page_was_read() {
  state_.with([](State& state) { state.segments.page_was_read(); });
}

bool RunControl::segment_failed(std::uint32_t segment, const Error& failure) {
  std::size_t kept = 0;
  state_.with([&](State& state) {
    kept = state.segments.keep(segment, failure, readers_) ? state.segments.count() : 0;
  });
  if (kept == 0) {
    fail(std::make_exception_ptr(failure));
  } else if (kept == 1) {
    notice(fmt::format("segment {} failed; continuing with the others: ", segment) +
           failure.message());
  }
  return kept > 0;
}

void RunControl::dead_letters_written(const Message& first) {
  if (!state_.with([](State& state) { return std::exchange(state.dead_letters_told, true); })) {
    notice(first + "; it and others like it go to the dead letters");
  }
}

void RunControl::fail(const std::exception_ptr& failure) {
  state_.with([&](State& state) {
    if (!state.failure) {
      state.failure = failure;
    }
  });
  stop_lanes();
}

void RunControl::destination_closed() {
  state_.with([](State& state) { state.closed = true; });
  stop_lanes();
}

void RunControl::stop_lanes() {
  asio::dispatch(home_, [this] { reactions_.stop_lanes(); });
}

void RunControl::notice(Message text) {
  if (reactions_.notice) {
    asio::dispatch(home_, [this, text = std::move(text)] { reactions_.notice(text); });
  }
}

}  // namespace everyitem::pipeline
