#include "identity/shared_credentials.h"

#include <chrono>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "base/run_to_end.h"
#include "support/fake_clock.h"

namespace everyitem::identity {
namespace {

/// Finds a new key each time it looks, and keeps it.
class CountingProvider final : public aws::CredentialsProvider {
 public:
  Awaitable<std::optional<aws::Credentials>> find() override {
    if (!held_) {
      held_.emplace();
      held_->access_key_id = "key " + std::to_string(++looked);
      held_->expires_at = expires_at;
    }
    co_return held_;
  }
  void invalidate() override { held_.reset(); }
  std::string place() const override { return "a test"; }

  int looked = 0;
  std::optional<std::chrono::system_clock::time_point> expires_at;

 private:
  std::optional<aws::Credentials> held_;
};

class SharedCredentialsTest : public testing::Test {
 protected:
  std::string find(SharedCredentials& credentials) {
    return run_to_end(loop_, credentials.find())->access_key_id;
  }

  asio::io_context loop_;
  FakeClock clock_{std::chrono::sys_days{std::chrono::year{2026} / 11 / 24}};
  CountingProvider finder_;
  SharedCredentials one_{loop_.get_executor(), finder_, clock_};
  SharedCredentials other_{loop_.get_executor(), finder_, clock_};
};

TEST_F(SharedCredentialsTest, AllLoopsShareCredentials) {
  EXPECT_EQ(find(one_), "key 1");
  EXPECT_EQ(find(other_), "key 1");
  EXPECT_EQ(find(one_), "key 1");
  EXPECT_EQ(finder_.looked, 1);
  EXPECT_EQ(one_.place(), "a test");
}

TEST_F(SharedCredentialsTest, RejectedOnesReplacedOnce) {
  find(one_);
  find(other_);
  one_.invalidate();
  other_.invalidate();
  EXPECT_EQ(find(one_), "key 2");
  EXPECT_EQ(find(other_), "key 2");
  EXPECT_EQ(finder_.looked, 2);
}

TEST_F(SharedCredentialsTest, ExpiringOnesRequestedAgain) {
  finder_.expires_at = clock_.wall_now() + std::chrono::hours(1);
  find(one_);
  finder_.invalidate();  // the finder has renewed them by itself
  EXPECT_EQ(find(one_), "key 1");
  run_to_end(loop_, clock_.sleep(std::chrono::seconds(2)));
  EXPECT_EQ(find(one_), "key 2");
}

TEST_F(SharedCredentialsTest, RepeatedRejectionsAskAgain) {
  find(one_);
  one_.invalidate();
  find(one_);
  one_.invalidate();
  EXPECT_EQ(find(one_), "key 3");
}

}  // namespace
}  // namespace everyitem::identity
