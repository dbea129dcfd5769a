#include "base/clock.h"

#include <utility>

namespace everyitem {

namespace {

class SystemTimer final : public Timer {
 public:
  SystemTimer(const asio::any_io_executor& executor, std::function<void()> ring)
      : state_(std::make_shared<State>(executor, std::move(ring))) {}
  SystemTimer(const SystemTimer&) = delete;
  SystemTimer& operator=(const SystemTimer&) = delete;
  ~SystemTimer() override { stop(); }

  void set(std::chrono::steady_clock::time_point when) override {
    state_->timer.expires_at(when);
    state_->timer.async_wait(
        [state = state_, turn = ++state_->turn](const boost::system::error_code& error) {
          if (!error && turn == state->turn) {
            state->ring();
          }
        });
  }
  void cancel() override { stop(); }

 private:
  /// Kept by a wait until its handler ran, which may be after the timer was destroyed.
  struct State {
    State(const asio::any_io_executor& executor, std::function<void()> when_due)
        : timer(executor), ring(std::move(when_due)) {}
    asio::steady_timer timer;
    std::function<void()> ring;
    std::uint64_t turn = 0;  ///< which wait may still ring: the last one, unless cancelled
  };

  void stop() {
    ++state_->turn;
    state_->timer.cancel();
  }

  std::shared_ptr<State> state_;
};

}  // namespace

std::chrono::system_clock::time_point SystemClock::wall_now() const {
  return std::chrono::system_clock::now();
}

std::chrono::steady_clock::time_point SystemClock::now() const {
  return std::chrono::steady_clock::now();
}

Awaitable<void> SystemClock::sleep(std::chrono::nanoseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(duration));
  co_await timer.async_wait(asio::use_awaitable);
}

std::unique_ptr<Timer> SystemClock::make_timer(const asio::any_io_executor& executor,
                                               std::function<void()> ring) {
  return std::make_unique<SystemTimer>(executor, std::move(ring));
}

}  // namespace everyitem
