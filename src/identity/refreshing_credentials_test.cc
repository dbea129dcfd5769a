#include "identity/refreshing_credentials.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "base/run_to_end.h"
#include "support/test_connector.h"

namespace everyitem::identity {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// The test's view of a provider owned by another object.
struct Script {
  int finds = 0;
  int invalidations = 0;
  bool fails = false;
  std::optional<std::chrono::seconds> life = minutes(60);
  bool waits = false;  ///< for `resume`
  std::optional<Event> resume;
};

class ScriptedProvider final : public aws::CredentialsProvider {
 public:
  ScriptedProvider(Script& script, Clock& clock) : script_(script), clock_(clock) {}

  Awaitable<std::optional<aws::Credentials>> find() override {
    const int number = ++script_.finds;
    if (script_.waits) {
      script_.resume.emplace(co_await asio::this_coro::executor);
      co_await script_.resume->wait();
    }
    if (script_.fails) {
      throw usage_error("the place is shut");
    }
    aws::Credentials found;
    found.access_key_id = "key " + std::to_string(number);
    if (script_.life) {
      found.expires_at = clock_.wall_now() + *script_.life;
    }
    co_return found;
  }
  void invalidate() override { ++script_.invalidations; }
  std::string place() const override { return "a test"; }

 private:
  Script& script_;
  Clock& clock_;
};

class RefreshingCredentialsTest : public testing::Test {
 protected:
  /// Also lets background work finish.
  std::string find() { return run_to_end(loop_, credentials_.find())->access_key_id; }
  Awaitable<void> ask() { co_await credentials_.find(); }
  Awaitable<void> count_new(int& answered) {
    const std::optional<aws::Credentials> found = co_await credentials_.find();
    answered += found->access_key_id == "key 2" ? 1 : 0;
  }
  void pass(seconds time) { outside_.clock.jump_wall(time); }

  asio::io_context loop_;
  TestConnector outside_;
  Script script_;
  RefreshingCredentials credentials_{
      std::make_shared<Connector>(Profile(),
                                  outside_.context(environment_of({}), http::Timeouts())),
      std::make_unique<ScriptedProvider>(script_, outside_.clock)};
};

TEST_F(RefreshingCredentialsTest, KeptWhileValid) {
  EXPECT_EQ(find(), "key 1");
  pass(minutes(44));
  EXPECT_EQ(find(), "key 1");
  EXPECT_EQ(script_.finds, 1);
}

TEST_F(RefreshingCredentialsTest, KeptWithoutExpiry) {
  script_.life.reset();
  find();
  pass(std::chrono::hours(1000));
  EXPECT_EQ(find(), "key 1");
}

TEST_F(RefreshingCredentialsTest, BackgroundRenewalBeforeExpiry) {
  find();
  pass(minutes(46));
  EXPECT_EQ(find(), "key 1");  // without waiting
  EXPECT_EQ(script_.finds, 2);
  EXPECT_EQ(find(), "key 2");
  EXPECT_EQ(script_.finds, 2);
}

TEST_F(RefreshingCredentialsTest, CallersShareOneRenewal) {
  find();
  pass(minutes(46));
  script_.waits = true;
  for (int caller = 0; caller < 5; ++caller) {
    asio::co_spawn(loop_, ask(), asio::detached);
  }
  loop_.restart();
  loop_.poll();
  EXPECT_EQ(script_.finds, 2);
  script_.waits = false;
  script_.resume->notify_all();
  EXPECT_EQ(find(), "key 2");
}

TEST_F(RefreshingCredentialsTest, AllWaitNearExpiry) {
  find();
  pass(minutes(58));
  script_.waits = true;
  int answered = 0;
  for (int caller = 0; caller < 5; ++caller) {
    asio::co_spawn(loop_, count_new(answered), asio::detached);
  }
  loop_.restart();
  loop_.poll();
  EXPECT_EQ(answered, 0);
  EXPECT_EQ(script_.finds, 2);
  script_.waits = false;
  script_.resume->notify_all();
  loop_.run();
  EXPECT_EQ(answered, 5);
}

TEST_F(RefreshingCredentialsTest, RenewedInLastThird) {
  script_.life = seconds(60);
  find();
  pass(seconds(39));
  find();
  EXPECT_EQ(script_.finds, 1);
  pass(seconds(2));
  EXPECT_EQ(find(), "key 1");
  EXPECT_EQ(find(), "key 2");
}

TEST_F(RefreshingCredentialsTest, FailedRenewalKeepsOld) {
  find();
  script_.fails = true;
  pass(minutes(46));
  EXPECT_EQ(find(), "key 1");
  EXPECT_THAT(outside_.notices, ElementsAre(AllOf(HasSubstr("could not be renewed"),
                                                  HasSubstr("used until 05:00:00 UTC"),
                                                  HasSubstr("the place is shut"))));
  EXPECT_EQ(find(), "key 1");
  EXPECT_EQ(script_.finds, 2);  // not asked again immediately

  pass(minutes(12));  // two minutes are left, so callers wait, in vain
  EXPECT_EQ(find(), "key 1");
  EXPECT_EQ(find(), "key 1");
  EXPECT_EQ(script_.finds, 3);

  script_.fails = false;
  pass(seconds(61));
  EXPECT_EQ(find(), "key 4");
}

TEST_F(RefreshingCredentialsTest, FailureThrownAfterExpiry) {
  find();
  script_.fails = true;
  pass(minutes(61));
  EXPECT_THAT(message_of([&] { find(); }), HasSubstr("the place is shut"));
  script_.fails = false;
  EXPECT_EQ(find(), "key 3");
}

TEST_F(RefreshingCredentialsTest, InitialFailureIsThrown) {
  script_.fails = true;
  EXPECT_THAT(message_of([&] { find(); }), HasSubstr("the place is shut"));
}

TEST_F(RefreshingCredentialsTest, RejectedOnesNotReused) {
  find();
  credentials_.invalidate();
  EXPECT_EQ(find(), "key 2");
  EXPECT_EQ(script_.invalidations, 1);
  credentials_.invalidate();
  script_.fails = true;
  EXPECT_THROW(find(), Error);
}

TEST_F(RefreshingCredentialsTest, StopLetsLoopEnd) {
  find();
  pass(minutes(46));
  script_.waits = true;
  asio::co_spawn(loop_, ask(), asio::detached);
  loop_.restart();
  loop_.poll();
  EXPECT_FALSE(loop_.stopped());
  credentials_.stop();
  loop_.run();
  EXPECT_TRUE(outside_.notices.empty());
}

TEST_F(RefreshingCredentialsTest, UnrenewableNotRequestedRepeatedly) {
  find();
  pass(minutes(46));
  script_.life = minutes(14);  // the source returns the same ones as before
  find();
  find();
  find();
  EXPECT_EQ(script_.finds, 2);
}

}  // namespace
}  // namespace everyitem::identity
