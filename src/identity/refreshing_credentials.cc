#include "identity/refreshing_credentials.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/error.h"
#include "identity/sendable.h"

namespace everyitem::identity {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using Time = std::chrono::system_clock::time_point;

/// The same lead time as in the AWS SDKs, because some services reject credentials that are about
/// to expire. For credentials with a short lifetime, a fraction of it.
constexpr minutes kRenewBefore{15};
constexpr minutes kWaitBefore{5};
constexpr int kRenewPart = 3;
constexpr int kWaitPart = 10;

/// Time between two attempts while the old credentials are valid.
constexpr seconds kPauseAfterFailure{60};

}  // namespace

struct RefreshingCredentials::State {
  State(std::shared_ptr<Connector> used_connector,
        std::unique_ptr<aws::CredentialsProvider> asked_provider)
      : connector(std::move(used_connector)), provider(std::move(asked_provider)) {}

  Awaitable<void> ask(std::shared_ptr<State> self);
  Awaitable<void> ask_or_wait(const std::shared_ptr<State>& self);
  void ask_in_background(const asio::any_io_executor& executor, const std::shared_ptr<State>& self);
  void keep(std::optional<aws::Credentials> found);
  void tell(const std::exception& failure) const;
  Time now() const { return connector->clock().wall_now(); }

  std::shared_ptr<Connector> connector;
  std::unique_ptr<aws::CredentialsProvider> provider;
  std::optional<aws::Credentials> held;
  Time renew_at = Time::max();  ///< from then on, renew in the background
  Time wait_at = Time::max();   ///< from then on, callers wait for new ones
  bool refused = false;         ///< the current credentials were rejected
  bool asking = false;
  std::exception_ptr failure;      ///< of the last attempt
  std::optional<Event> done;       ///< signals the end of the current attempt
  asio::cancellation_signal stop;  ///< stops the attempt in the background
};

void RefreshingCredentials::State::keep(std::optional<aws::Credentials> found) {
  held = std::move(found);
  refused = false;
  renew_at = wait_at = Time::max();
  if (held && held->expires_at) {
    const auto life = *held->expires_at - now();
    const auto part = [&life](auto at_most, int of_life) {
      return std::min<std::chrono::system_clock::duration>(at_most, life / of_life);
    };
    renew_at = *held->expires_at - part(kRenewBefore, kRenewPart);
    wait_at = *held->expires_at - part(kWaitBefore, kWaitPart);
  }
}

/// If there are no new credentials, stores the reason in `failure`.
Awaitable<void> RefreshingCredentials::State::ask(std::shared_ptr<State> self) {
  asking = true;
  failure = nullptr;
  try {
    if (refused) {
      provider->invalidate();
    }
    std::optional<aws::Credentials> found = co_await provider->find();
    if (found) {
      require_sendable(*found);
    }
    keep(std::move(found));
  } catch (...) {
    failure = std::current_exception();
  }
  asking = false;
  if (done) {
    done->notify_all();
  }
  self.reset();
}

Awaitable<void> RefreshingCredentials::State::ask_or_wait(const std::shared_ptr<State>& self) {
  if (!asking) {
    co_await ask(self);
    co_return;
  }
  if (!done) {
    done.emplace(co_await asio::this_coro::executor);
  }
  while (asking) {
    co_await done->wait();
  }
}

void RefreshingCredentials::State::ask_in_background(const asio::any_io_executor& executor,
                                                     const std::shared_ptr<State>& self) {
  asking = true;
  asio::co_spawn(executor, ask(self),
                 asio::bind_cancellation_slot(stop.slot(), [self](const std::exception_ptr&) {
                   if (self->failure) {
                     self->renew_at = self->now() + kPauseAfterFailure;
                     try {
                       std::rethrow_exception(self->failure);
                     } catch (const Error& error) {
                       self->tell(error);
                     } catch (const std::exception&) {
                       // Stopped because the run has ended.
                     }
                   }
                 }));
}

void RefreshingCredentials::State::tell(const std::exception& error) const {
  if (held && held->expires_at) {
    connector->context().notice(
        fmt::format("the credentials could not be renewed, those of before are used until "
                    "{:%H:%M:%S} UTC: ",
                    std::chrono::floor<seconds>(*held->expires_at)) +
        message_from(error));
  }
}

RefreshingCredentials::RefreshingCredentials(std::shared_ptr<Connector> connector,
                                             std::unique_ptr<aws::CredentialsProvider> provider)
    : state_(std::make_shared<State>(std::move(connector), std::move(provider))) {}

RefreshingCredentials::~RefreshingCredentials() { stop(); }

void RefreshingCredentials::stop() { state_->stop.emit(asio::cancellation_type::terminal); }

std::string RefreshingCredentials::place() const { return state_->provider->place(); }

void RefreshingCredentials::invalidate() { state_->refused = true; }

Awaitable<std::optional<aws::Credentials>> RefreshingCredentials::find() {
  const std::shared_ptr<State> state = state_;
  const Time now = state->now();
  if (state->held && !state->refused && now < state->wait_at) {
    std::optional<aws::Credentials> held = state->held;
    if (now >= state->renew_at && !state->asking) {
      state->ask_in_background(co_await asio::this_coro::executor, state);
    }
    co_return held;
  }
  co_await state->ask_or_wait(state);
  const bool lives = state->held && state->held->expires_at && !state->refused &&
                     state->now() < *state->held->expires_at;
  if (state->failure && !lives) {
    std::rethrow_exception(state->failure);
  }
  if (state->failure) {
    // There are no others, and not every call should wait for its own attempt.
    state->renew_at = state->now() + kPauseAfterFailure;
    state->wait_at = std::min(*state->held->expires_at, state->renew_at);
    try {
      std::rethrow_exception(state->failure);
    } catch (const Error& error) {
      state->tell(error);
    }
  }
  co_return state->held;
}

}  // namespace everyitem::identity
