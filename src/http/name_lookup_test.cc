#include "http/name_lookup.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/transport_error.h"
#include "support/fake_clock.h"
#include "support/test_server.h"

namespace everyitem::http {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using TimePoint = std::chrono::steady_clock::time_point;

/// A resolver that answers when the test lets it.
class TestResolver {
 public:
  NameLookup::System system() {
    return [this](const std::string& host) {
      std::unique_lock lock(mutex_);
      asked_.push_back(host);
      changed_.notify_all();
      changed_.wait(lock, [this] { return answers_; });
      return answer_;
    };
  }
  void answer(const std::string& address) {
    const std::lock_guard lock(mutex_);
    answer_ = {};
    if (address.empty()) {
      answer_.failure = "Name or service not known";
    } else {
      answer_.addresses = {asio::ip::make_address(address)};
    }
    answers_ = true;
    changed_.notify_all();
  }
  void wait_until_asked() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !asked_.empty(); });
  }
  std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> asked_;
  NameLookup::Answer answer_;
  bool answers_ = false;
};

class NameLookupTest : public testing::Test {
 protected:
  static constexpr const char* kHost = "dynamodb.eu-west-1.amazonaws.com";

  /// The first address that is found, or why there is none.
  Awaitable<std::string> find(TimePoint deadline = TimePoint::max()) {
    const Endpoint endpoint{.host = kHost};
    try {
      const auto found = co_await names_->find(endpoint, clock_, deadline);
      co_return found.front().address().to_string();
    } catch (const TransportError& error) {
      co_return error.what();
    }
  }
  void start(int connections, TimePoint deadline = TimePoint::max()) {
    for (int i = 0; i < connections; ++i) {
      asio::co_spawn(loop_, find(deadline), [this](const std::exception_ptr&, std::string result) {
        results_.push_back(std::move(result));
      });
    }
  }
  void finish(std::size_t connections) {
    loop_.restart();
    while (results_.size() < connections) {
      loop_.run_one();
    }
  }
  std::string found() {
    results_.clear();
    start(1);
    finish(1);
    return results_.front();
  }

  // The resolver outlives the threads that ask it: each test lets them all answer.
  TestResolver resolver_;
  FakeClock clock_{std::chrono::system_clock::time_point()};
  asio::io_context loop_;
  std::optional<NameLookup> names_{resolver_.system()};
  std::vector<std::string> results_;
};

TEST_F(NameLookupTest, ConnectionsShareOneLookup) {
  start(64);
  loop_.poll();
  resolver_.wait_until_asked();
  resolver_.answer("192.0.2.1");
  finish(64);
  EXPECT_THAT(results_, testing::Each("192.0.2.1"));
  EXPECT_THAT(resolver_.asked(), ElementsAre(kHost));
}

TEST_F(NameLookupTest, AnswerKeptForLifetime) {
  resolver_.answer("192.0.2.1");
  EXPECT_EQ(found(), "192.0.2.1");
  resolver_.answer("192.0.2.2");
  clock_.advance(NameLookup::kLifetime - seconds(1));
  EXPECT_EQ(found(), "192.0.2.1");
  clock_.advance(seconds(1));
  EXPECT_EQ(found(), "192.0.2.2");
}

TEST_F(NameLookupTest, FailureIsNotKept) {
  resolver_.answer("");
  EXPECT_THAT(found(), HasSubstr("the host has no address: Name or service not known"));
  resolver_.answer("192.0.2.1");
  EXPECT_EQ(found(), "192.0.2.1");
}

TEST_F(NameLookupTest, HangingResolverTimesOut) {
  start(2, clock_.now() + seconds(10));
  loop_.poll();
  resolver_.wait_until_asked();
  clock_.advance(seconds(10));
  finish(2);
  EXPECT_THAT(results_, testing::Each(HasSubstr("took longer than the connect timeout")));
  loop_.run();  // ends, although the system has not answered
  EXPECT_EQ(resolver_.asked().size(), 1U);

  // Its answer is not lost.
  resolver_.answer("192.0.2.1");
  EXPECT_EQ(found(), "192.0.2.1");
  EXPECT_EQ(resolver_.asked().size(), 1U);
}

TEST_F(NameLookupTest, AddressNotLookedUp) {
  std::vector<asio::ip::tcp::endpoint> endpoints;
  const Endpoint endpoint{.host = "::1", .port = 8000};
  const auto work = [&]() -> Awaitable<void> {
    endpoints = co_await names_->find(endpoint, clock_, TimePoint::max());
  };
  run(loop_, work());
  EXPECT_THAT(endpoints, ElementsAre(asio::ip::tcp::endpoint(asio::ip::make_address("::1"), 8000)));
  EXPECT_TRUE(resolver_.asked().empty());
}

}  // namespace
}  // namespace everyitem::http
