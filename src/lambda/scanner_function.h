// The Lambda function: one invocation is one round of a run, and starts the next one until the
// table is done. An invocation from outside starts the first one and is answered at once.
//
//   read until the deadline is near -> deliver and checkpoint what was read -> invoke itself
//                                                                          -> answer
//
// What is still being delivered when time runs out was not checkpointed, so the next round delivers
// it again and nothing is lost. Why that round's process is not used again:
// docs/adr/2026-11-24-lambda-rounds.md.
#pragma once

#include <cstdint>

#include "base/async.h"
#include "base/clock.h"
#include "base/environment.h"
#include "lambda/log.h"
#include "lambda/runtime_client.h"

namespace everyitem::lambda {

/// This many rounds in a row in which nothing could be checkpointed end the chain, which would
/// otherwise cost money forever.
inline constexpr std::uint32_t kMaxRoundsWithoutProgress = 3;

/// Used from one event loop, one invocation at a time.
class ScannerFunction {
 public:
  /// Clock and log outlive it, and the event loop.
  ScannerFunction(asio::any_io_executor executor, Environment environment, Clock& clock, Log& log);

  /// Answers the summary of docs/output.md, as an error if the status is "failed". The answer is
  /// the process's last one if the round was left unfinished. Throws Error if the settings are
  /// wrong.
  Awaitable<Answer> handle(const Invocation& invocation);

 private:
  asio::any_io_executor executor_;
  Environment environment_;
  Clock& clock_;
  Log& log_;
};

}  // namespace everyitem::lambda
