#include "simulated_sharer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "base/error.h"
#include "scan_process.h"

namespace everyitem::faults {

/// The world's time; its wall clock may be wrong. Counts the timers that are set: all but one watch
/// what the network does.
class SimulatedSharer::OwnClock final : public Clock {
 public:
  OwnClock(SimulatedClock& world, std::chrono::hours wrong_by)
      : world_(world), wrong_by_(wrong_by) {}

  std::chrono::system_clock::time_point wall_now() const override {
    return world_.wall_now() + wrong_by_;
  }
  std::chrono::steady_clock::time_point now() const override { return world_.now(); }
  Awaitable<void> sleep(std::chrono::nanoseconds duration) override {
    return world_.sleep(duration);
  }
  std::unique_ptr<Timer> make_timer(const asio::any_io_executor& executor,
                                    std::function<void()> ring) override {
    return std::make_unique<CountedTimer>(*this, executor, std::move(ring));
  }

  std::size_t timers_set() const { return timers_set_; }

 private:
  /// Rings on its own event loop: not while the process is stopped.
  class CountedTimer final : public Timer {
   public:
    CountedTimer(OwnClock& clock, asio::any_io_executor executor, std::function<void()> ring)
        : clock_(clock),
          executor_(std::move(executor)),
          ring_(std::move(ring)),
          timer_(clock.world_.make_timer(executor_, [this] { on_time(); })) {}
    CountedTimer(const CountedTimer&) = delete;
    CountedTimer& operator=(const CountedTimer&) = delete;
    ~CountedTimer() override { cancel(); }

    void set(std::chrono::steady_clock::time_point when) override {
      cancel();
      set_ = std::make_shared<bool>(true);
      ++clock_.timers_set_;
      timer_->set(when);
    }
    void cancel() override {
      clock_.timers_set_ -= set_ ? 1 : 0;
      set_.reset();
      timer_->cancel();
    }

   private:
    void on_time() {
      asio::post(executor_, [this, set = std::weak_ptr<bool>(set_)] {
        if (!set.expired()) {
          cancel();
          ring_();
        }
      });
    }

    OwnClock& clock_;
    asio::any_io_executor executor_;
    std::function<void()> ring_;
    std::unique_ptr<Timer> timer_;
    std::shared_ptr<bool> set_;  ///< null: not set
  };

  SimulatedClock& world_;
  std::chrono::hours wrong_by_;
  std::size_t timers_set_ = 0;
};

namespace {

bool is_about_checkpoints(const emulator::ReceivedRequest& request) {
  const std::string operation = emulator::EmulatedServices::operation_of(request);
  return emulator::EmulatedItems::knows(operation) &&
         request.body.find("\"checkpoints\"") != std::string::npos;
}

emulator::FaultServerOptions with_network(emulator::FaultServerOptions server,
                                          emulator::Network& network, const SharerTerms& terms) {
  server.network = &network;
  server.faults = terms.faults;
  server.seed = terms.seed;
  return server;
}

}  // namespace

SimulatedSharer::SimulatedSharer(asio::io_context& world, SimulatedClock& clock,
                                 std::shared_ptr<emulator::EmulatedServices> services,
                                 emulator::FaultServerOptions server, PromiseWatch& watch,
                                 SharerTerms terms)
    : clock_(clock),
      watch_(watch),
      terms_(std::move(terms)),
      random_(terms_.seed),
      credentials_(server.credentials),
      own_clock_(std::make_unique<OwnClock>(clock, terms_.clock_wrong_by)),
      server_(world.get_executor(), with_network(std::move(server), *this, terms_),
              std::move(services)) {}

SimulatedSharer::~SimulatedSharer() = default;

void SimulatedSharer::start() {
  run::ScanSettings settings;
  settings.table.name = "table";
  settings.stream = aws::ResourceName{.name = "stream"};
  settings.segments = terms_.segments;
  settings.threads = 1;
  settings.scan.filter_expression = terms_.filter;
  settings.read_rate.units = terms_.rate;
  settings.checkpoint = checkpoint::DynamoDbLocation{.table = "checkpoints", .run = "faults"};
  settings.dead_letters = kLetters;
  settings.share = true;
  settings.identity.endpoint_url = server_.url();
  run::RunContext context{.environment = environment_with(credentials_),
                          .clock = *own_clock_,
                          .random_seed = terms_.seed};
  context.owner = terms_.name;
  run_ = std::make_unique<run::ScanRun>(
      loop_.get_executor(), std::move(settings), std::move(context),
      [this](const Message& text) { notices_.push_back(text.text()); });
  asio::co_spawn(loop_, run(), [this](const std::exception_ptr&) { ended_ = true; });
}

Awaitable<void> SimulatedSharer::run() {
  SharerEnd end;
  try {
    const run::ScanOutcome outcome = co_await run_->run();
    end.complete = outcome.status == pipeline::RunStatus::complete;
    end.interrupted = outcome.status == pipeline::RunStatus::interrupted;
  } catch (const std::exception& error) {
    end.error = error.what();
  }
  if (killed_) {
    co_return;
  }
  if (end.complete) {
    watch_.see_complete(terms_.name);
  }
  end_ = std::move(end);
}

void SimulatedSharer::terminate() {
  if (started() && !killed_ && !ended_) {
    terminated_ = true;
    run_->stop();
  }
}

void SimulatedSharer::kill() {
  killed_ = !ended_;
  server_.stop();
}

void SimulatedSharer::cut_off(CutOff how, std::chrono::nanoseconds duration) {
  cut_off_ = how;
  cut_off_until_ = clock_.now() + duration;
}

std::size_t SimulatedSharer::poll() { return lives() || taken_down_ ? loop_.poll() : 0; }

bool SimulatedSharer::has_bytes_under_way() const {
  // One that was asked to stop has a timer for that.
  const std::size_t network_timers = own_clock_->timers_set() - (terminated_ ? 1 : 0);
  return lives() && own_clock_->timers_set() > 0 && network_timers > held_;
}

void SimulatedSharer::take_down() {
  taken_down_ = true;
  server_.stop();
  if (started() && !ended_) {
    run_->stop();
  }
}

Awaitable<void> SimulatedSharer::travel(const emulator::ReceivedRequest& request) {
  const bool is_page = emulator::EmulatedServices::operation_of(request) == "Scan";
  const auto one_way = (is_page ? terms_.page_time : terms_.call_time) / 2;
  ++held_;
  co_await clock_.sleep(
      std::chrono::duration_cast<std::chrono::nanoseconds>(one_way * (0.5 + random_.uniform())));
  --held_;
}

Awaitable<bool> SimulatedSharer::carry_request(const emulator::ReceivedRequest& request) {
  co_await travel(request);
  co_return co_await pass(request);
}

Awaitable<bool> SimulatedSharer::carry_reply(const emulator::ReceivedRequest& request,
                                             const emulator::Reply& reply) {
  watch_.see(request, reply);
  co_await travel(request);
  co_return co_await pass(request);
}

Awaitable<bool> SimulatedSharer::pass(const emulator::ReceivedRequest& request) {
  if (clock_.now() >= cut_off_until_ || !is_about_checkpoints(request)) {
    co_return true;
  }
  if (cut_off_ == CutOff::refused) {
    co_return false;
  }
  const bool arrives = cut_off_ == CutOff::late;
  ++held_;
  co_await clock_.sleep(cut_off_until_ - clock_.now());
  --held_;
  co_return arrives;
}

}  // namespace everyitem::faults
