// A process that shares a run, in simulated time: with an event loop, clocks and a network of its
// own, which can be killed, stopped and cut off as a real one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "aws/credentials.h"
#include "base/clock.h"
#include "emulator/emulated_services.h"
#include "emulator/fault_plan.h"
#include "emulator/fault_server.h"
#include "promise_watch.h"
#include "run/scan_run.h"
#include "support/simulated_clock.h"

namespace everyitem::faults {

/// What happens to calls about the checkpoint table that a process makes while it is cut off.
enum class CutOff {
  refused,    ///< the connection is reset
  swallowed,  ///< they never arrive, and nobody says so
  late,       ///< they arrive when it is over, whoever waits for them by then
};

/// What a process is started with.
struct SharerTerms {
  std::string name;
  std::uint64_t seed = 1;
  std::uint32_t segments = 1;
  std::string filter = {};
  std::optional<double> rate = {};  ///< read units per second
  std::chrono::hours clock_wrong_by{0};
  std::vector<emulator::FaultRule> faults = {};
  std::chrono::nanoseconds page_time{std::chrono::milliseconds(50)};  ///< on average
  std::chrono::nanoseconds call_time{std::chrono::milliseconds(10)};  ///< of other calls
};

/// How it ended by itself.
struct SharerEnd {
  bool complete = false;
  bool interrupted = false;
  std::string error = {};
};

/// The world's event loop, its clock, the services and the watch outlive it. All of one thread.
class SimulatedSharer final : private emulator::Network {
 public:
  SimulatedSharer(asio::io_context& world, SimulatedClock& clock,
                  std::shared_ptr<emulator::EmulatedServices> services,
                  emulator::FaultServerOptions server, PromiseWatch& watch, SharerTerms terms);
  ~SimulatedSharer() override;

  /// Begins to run.
  void start();
  /// As SIGTERM does.
  void terminate();
  /// As SIGKILL does: it never does anything again, but what is under way in the network arrives.
  void kill();
  /// As SIGSTOP and SIGCONT do.
  void stop() { stopped_ = true; }
  void go_on() { stopped_ = false; }
  void cut_off(CutOff how, std::chrono::nanoseconds duration);

  /// Does what there is to do at this instant. Returns how much that was.
  std::size_t poll();
  /// Whether bytes are under way in the kernel, which arrive at this instant.
  bool has_bytes_under_way() const;

  const SharerTerms& terms() const { return terms_; }
  bool started() const { return run_ != nullptr; }
  bool killed() const { return killed_; }
  /// By itself; nothing while it runs, and if it was killed.
  const std::optional<SharerEnd>& end() const { return end_; }
  /// For the user.
  const std::vector<std::string>& notices() const { return notices_; }
  const emulator::FaultPlan& plan() const { return server_.plan(); }

  /// One that was killed, or hangs, still has to be taken apart: from then on it runs without a
  /// network, until it has ended.
  void take_down();
  bool is_down() const { return !started() || ended_; }

 private:
  class OwnClock;

  Awaitable<bool> carry_request(const emulator::ReceivedRequest& request) override;
  Awaitable<bool> carry_reply(const emulator::ReceivedRequest& request,
                              const emulator::Reply& reply) override;
  Awaitable<void> travel(const emulator::ReceivedRequest& request);
  /// Where the way is cut off.
  Awaitable<bool> pass(const emulator::ReceivedRequest& request);
  Awaitable<void> run();
  bool lives() const { return started() && !killed_ && !stopped_ && !ended_; }

  SimulatedClock& clock_;
  PromiseWatch& watch_;
  SharerTerms terms_;
  Random random_;
  aws::Credentials credentials_;
  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  std::unique_ptr<OwnClock> own_clock_;
  emulator::FaultServer server_;
  std::vector<std::string> notices_;
  std::unique_ptr<run::ScanRun> run_;

  bool stopped_ = false;
  bool killed_ = false;
  bool taken_down_ = false;
  bool ended_ = false;
  bool terminated_ = false;
  std::size_t held_ = 0;  ///< requests that the network carries
  CutOff cut_off_ = CutOff::refused;
  std::chrono::steady_clock::time_point cut_off_until_;
  std::optional<SharerEnd> end_;
};

}  // namespace everyitem::faults
