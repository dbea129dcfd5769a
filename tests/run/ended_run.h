// A run on a loop of its own, until it has ended.
#pragma once

#include <exception>
#include <optional>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "run/scan_run.h"

namespace everyitem::run {

struct EndedRun {
  std::optional<ScanOutcome> outcome;
  std::string error;  ///< without an outcome
};

inline EndedRun run_on(asio::io_context& loop, ScanRun& scan) {
  EndedRun ended;
  asio::co_spawn(loop, scan.run(),
                 [&](const std::exception_ptr& failure, const ScanOutcome& outcome) {
                   try {
                     if (failure) {
                       std::rethrow_exception(failure);
                     }
                     ended.outcome = outcome;
                   } catch (const std::exception& error) {
                     ended.error = error.what();
                   }
                 });
  loop.run();
  return ended;
}

}  // namespace everyitem::run
