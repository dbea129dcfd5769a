// A scan of the fault server, in this process or in a separate one that can be killed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>

#include "aws/credentials.h"
#include "base/clock.h"
#include "base/environment.h"
#include "checkpoint/checkpoint_location.h"

namespace everyitem::faults {

/// Where dead letters go that are in a table.
inline const checkpoint::DynamoDbLocation kLetters{.table = "letters", .run = "faults"};

/// All that a scan finds in its environment.
Environment environment_with(aws::Credentials credentials, std::string ca_bundle = {});

/// Waits a thousandth of the requested time, which keeps the order of events but not the time.
class HastyClock final : public Clock {
 public:
  HastyClock() = default;
  /// A clock whose wall time is wrong by up to 40 minutes and jumps occasionally, but not within
  /// kCallsBetweenJumps calls, because a client has only one remedy per request.
  explicit HastyClock(std::uint64_t seed_of_jumps);

  std::chrono::system_clock::time_point wall_now() const override;
  std::chrono::steady_clock::time_point now() const override;
  Awaitable<void> sleep(std::chrono::nanoseconds duration) override;
  /// In real time: they watch a network that is real.
  std::unique_ptr<Timer> make_timer(const asio::any_io_executor& executor,
                                    std::function<void()> ring) override;

  static constexpr std::uint64_t kCallsBetweenJumps = 300;

 private:
  void jump() const;

  mutable std::mutex mutex_;
  // Callers need not know that it jumps.
  mutable std::optional<std::mt19937_64> random_;
  mutable std::chrono::seconds offset_{0};
  mutable std::uint64_t calls_to_jump_ = 0;
};

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct ScanSetup {
  std::string url;             ///< the server's URL
  std::string ca_bundle = {};  ///< AWS_CA_BUNDLE, if the server has a generated certificate
  aws::Credentials credentials;
  std::uint32_t segments = 1;
  std::uint32_t threads = 1;
  bool aggregate = false;
  std::string checkpoint;
  bool letters_in_table = false;  ///< dead letters go to kLetters
  std::uint64_t seed = 1;
  bool clock_jumps = false;
  /// A stall takes all of it. If it is short, it also expires on a busy machine without a stall,
  /// which repeats a request that was fine.
  std::chrono::milliseconds idle_timeout{30'000};
};

struct ScanEnd {
  bool complete = false;
  std::string code;  ///< the error code, if a service returned one
  std::string hint;
  std::string message;  ///< the message for the user; empty if complete
};

/// Scans the whole table, or as much as possible.
Awaitable<ScanEnd> scan(ScanSetup setup);

/// A scan in a separate process. The caller must have only one thread.
class ScanProcess {
 public:
  explicit ScanProcess(const ScanSetup& setup);
  ~ScanProcess();
  ScanProcess(const ScanProcess&) = delete;
  ScanProcess& operator=(const ScanProcess&) = delete;

  /// Whether it has ended, by itself or killed. Does not wait.
  bool ended();
  void kill_now();

  /// Why it failed; empty if it did not. Call after it has ended by itself.
  std::string failure() const;

 private:
  pid_t pid_ = 0;
  int message_ = -1;
};

}  // namespace everyitem::faults
