// A scan of the fault server: in this process, or in one of its own that can be killed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>

#include "aws/credentials.h"
#include "base/clock.h"

namespace everyitem::faults {

/// Waits a thousandth of what it is asked for: the order of things stays, the time does not.
class HastyClock final : public Clock {
 public:
  HastyClock() = default;
  /// One whose wall clock is wrong by up to 40 minutes, and jumps now and then. Never within
  /// kCallsBetweenJumps calls of it: a client has one remedy for each request.
  explicit HastyClock(std::uint64_t seed_of_jumps);

  std::chrono::system_clock::time_point wall_now() const override;
  std::chrono::steady_clock::time_point now() const override;
  Awaitable<void> sleep(std::chrono::nanoseconds duration) override;

  static constexpr std::uint64_t kCallsBetweenJumps = 300;

 private:
  void jump() const;

  mutable std::mutex mutex_;
  // Who asks for the time need not know that it jumps.
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
  std::string url;             ///< of the server
  std::string ca_bundle = {};  ///< AWS_CA_BUNDLE, where the server has a certificate of its own
  aws::Credentials credentials;
  std::uint32_t segments = 1;
  std::uint32_t threads = 1;
  bool aggregate = false;
  std::string checkpoint;
  std::uint64_t seed = 1;
  bool clock_jumps = false;
  /// A stall costs all of it. On a busy machine a short one strikes without a stall too, which
  /// repeats a request that nothing was wrong with.
  std::chrono::milliseconds idle_timeout{30'000};
};

struct ScanEnd {
  bool complete = false;
  std::string code;  ///< of the error, where a service said one
  std::string hint;
  std::string message;  ///< what the user is told; empty when complete
};

/// Scans the whole table, or as far as it gets.
Awaitable<ScanEnd> scan(ScanSetup setup);

/// A scan in a process of its own. The caller must have one thread only.
class ScanProcess {
 public:
  explicit ScanProcess(const ScanSetup& setup);
  ~ScanProcess();
  ScanProcess(const ScanProcess&) = delete;
  ScanProcess& operator=(const ScanProcess&) = delete;

  /// Whether it has ended, by itself or killed; looks, does not wait.
  bool ended();
  void kill_now();

  /// What it failed of; empty if it did not. Once it has ended by itself.
  std::string failure() const;

 private:
  pid_t pid_ = 0;
  int message_ = -1;
};

}  // namespace everyitem::faults
