#include "checkpoint/dead_letter_table.h"

#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/message_of.h"
#include "checkpoint/dynamodb_store.h"
#include "checkpoint/remote_store_conformance.h"
#include "emulator/emulated_items.h"

namespace everyitem::checkpoint {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const DynamoDbLocation kLettersTable{.table = "checkpoints", .run = "nightly"};

/// The service in which the letters are, which fails as a test says.
class LettersUnderTest final : public RemoteUnderTest {
 public:
  LettersUnderTest() : RemoteUnderTest(aws::kDynamoDb) {}
  std::unique_ptr<CheckpointStore> open() override {
    return std::make_unique<DynamoDbStore>(kLettersTable, context());
  }
  void damage() override {}
  void set_format(int /*format*/) override {}

  emulator::EmulatedItems items;

 protected:
  emulator::ServiceReply answer(std::string_view operation, std::string_view body) override {
    return items.answer(operation, body);
  }
};

class DeadLetterTableTest : public testing::Test {
 protected:
  static sink::DeadLetter letter(const std::string& id) {
    return {.segment = 3,
            .attempts = 2,
            .code = "InvalidArgumentException",
            .reason = "No such record",
            .key = R"({"id":{"S":")" + id + R"("},"n":{"N":"1.50"}})",
            .item = R"({"id":{"S":")" + id + R"("},"n":{"N":"1.50"},"private":{"S":"hidden"}})"};
  }

  DeadLetterTable table(const std::string& token = "token1",
                        const DynamoDbLocation& location = kLettersTable) {
    StoreContext context = remote_.context();
    return {location,
            context,
            {.table = "orders",
             .table_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders",
             .destination = "backfill",
             .token = token},
            remote_.loop().get_executor()};
  }

  template <typename T>
  T run(Awaitable<T> work) {
    auto result = asio::co_spawn(remote_.loop(), std::move(work), asio::use_future);
    remote_.loop().restart();
    remote_.run_until(
        [&] { return result.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
    return result.get();
  }
  void write(std::vector<sink::DeadLetter> letters) {
    DeadLetterTable letters_table = table();
    run(letters_table.write(std::move(letters)));
  }

  emulator::EmulatedItems::Table& items() { return remote_.items.tables["checkpoints"]; }
  const boost::json::object& only() {
    EXPECT_EQ(items().size(), 1U);
    return items().begin()->second;
  }
  std::string text(const char* name) {
    return std::string(only().at(name).as_object().at("S").as_string());
  }

  LettersUnderTest remote_;
};

TEST_F(DeadLetterTableTest, HoldsKeyAndReason) {
  write({letter("a")});
  EXPECT_EQ(only().at("run").at("S"), "nightly");
  EXPECT_THAT(text("item"), StartsWith("dead-letter-token1-"));
  EXPECT_EQ(only().at("key"), boost::json::parse(R"({"M":{"id":{"S":"a"},"n":{"N":"1.50"}}})"));
  EXPECT_EQ(text("code"), "InvalidArgumentException");
  EXPECT_EQ(text("reason"), "No such record");
  EXPECT_EQ(text("table"), "arn:aws:dynamodb:eu-west-1:123456789012:table/orders");
  EXPECT_EQ(text("destination"), "backfill");
  EXPECT_EQ(text("token"), "token1");
  EXPECT_EQ(only().at("attempts").at("N"), "2");
  EXPECT_EQ(only().at("segment").at("N"), "3");
  EXPECT_EQ(only().at("written_at").at("N").as_string(),
            std::to_string(seconds_now(remote_.service.clock)));
  EXPECT_FALSE(only().contains("expires_at")) << "it would expire";
  EXPECT_THAT(boost::json::serialize(only()), testing::Not(HasSubstr("hidden")));
}

TEST_F(DeadLetterTableTest, ReasonWithoutTheItem) {
  sink::DeadLetter refused = letter("a");
  refused.reason = R"(cannot take {"private":{"S":"hidden"}} now)";
  write({refused});
  EXPECT_EQ(text("reason"), "cannot take ... now");
}

TEST_F(DeadLetterTableTest, FitsWhateverTheSizes) {
  sink::DeadLetter huge = letter("a");
  huge.key = R"({"id":{"S":")" + std::string(2048, 'x') + R"("},"n":{"B":")" +
             std::string(1368, 'A') + R"("}})";
  huge.item.assign(5'000'000, 'x');
  huge.reason.clear();
  while (huge.reason.size() < 1'000'000) {
    huge.reason += "\u00e4\u65e5\U0001f680 ";
  }
  huge.code.assign(1000, 'c');
  write({huge});
  EXPECT_LE(text("reason").size(), DeadLetterTable::kMaxReasonBytes + 3);
  EXPECT_GT(text("reason").size(), DeadLetterTable::kMaxReasonBytes - 10);
  EXPECT_THAT(text("reason"), testing::EndsWith("..."));
  EXPECT_EQ(text("code").size(), DeadLetterTable::kMaxCodeBytes + 3);
  EXPECT_LT(boost::json::serialize(only()).size(), 20'000U);
}

TEST_F(DeadLetterTableTest, InvalidUtf8Replaced) {
  sink::DeadLetter foreign = letter("a");
  foreign.reason = "a\xff b\xc3 c\xed\xa0\x80 d\xc3\xa4 e\xf4\x90\x80\x80 f\xc0\xaf g\xe2\x82";
  write({foreign});
  EXPECT_EQ(text("reason"), "a? b? c??? d\xc3\xa4 e???? f?? g??");
}

TEST_F(DeadLetterTableTest, RepeatedLetterStoredOnce) {
  write({letter("a"), letter("b")});
  sink::DeadLetter again = letter("a");
  again.attempts = 7;
  write({again, letter("a"), again});
  EXPECT_EQ(items().size(), 2U);
}

TEST_F(DeadLetterTableTest, ItemWithoutItsKey) {
  sink::DeadLetter keyless = letter("a");
  keyless.key.clear();
  write({keyless});
  EXPECT_FALSE(only().contains("key"));
  write({keyless, letter("a")});
  EXPECT_EQ(items().size(), 2U);
}

TEST_F(DeadLetterTableTest, SeparatesRuns) {
  DeadLetterTable other_run = table("token1", {.table = "checkpoints", .run = "weekly"});
  DeadLetterTable restarted = table("token2");
  write({letter("a")});
  run(other_run.write({letter("a")}));
  run(restarted.write({letter("a")}));
  EXPECT_EQ(items().size(), 3U);
  EXPECT_EQ(items().rbegin()->first.first, "weekly");
}

TEST_F(DeadLetterTableTest, CheckpointLeavesLettersAlone) {
  write({letter("a"), letter("b")});
  RunState state{.identity = {{"table", "t"}}, .segments = fresh_segments(3), .token = "token1"};
  for (const char* token : {"token1", "token2"}) {
    state.token = token;
    const auto store = remote_.open();
    run(store->begin(state));
    for (SegmentProgress& segment : state.segments) {
      segment.position.complete = true;
    }
    run(store->save(state.segments));
    run(store->release());
  }
  EXPECT_EQ(items().size(), 3U) << "a finished run is one item, and nothing deletes letters";
}

TEST_F(DeadLetterTableTest, CheckWritesNothing) {
  DeadLetterTable letters = table();
  run(letters.check());
  EXPECT_EQ(items().size(), 0U);
  EXPECT_EQ(remote_.count("PutItem"), 1U);
  remote_.refusal = "ResourceNotFoundException";
  EXPECT_THAT(message_of([&] { run(letters.check()); }), HasSubstr("Check --dead-letters, "));
  remote_.refusal = "AccessDeniedException";
  EXPECT_THAT(message_of([&] { run(letters.check()); }),
              HasSubstr("PutItem on dead letters dynamodb:checkpoints/nightly in eu-west-1: "
                        "AccessDeniedException"));
}

/// Each of the calls in turn fails, is cut off after its effect, or lands late.
TEST_F(DeadLetterTableTest, WrittenOrAnError) {
  using Fate = RemoteUnderTest::Fate;
  const std::vector<sink::DeadLetter> three = {letter("a"), letter("b"), letter("c")};
  for (const Fate fate : {Fate::fails, Fate::cut_off, Fate::lands_late}) {
    for (std::size_t request = 1; request <= three.size() + 1; ++request) {
      items().clear();
      remote_.set_fault(RemoteUnderTest::Fault{.request = request, .fate = fate});
      bool written = true;
      try {
        write(three);
      } catch (const Error&) {
        written = false;
      }
      EXPECT_EQ(written, request > three.size());
      EXPECT_TRUE(!written || items().size() == three.size())
          << "it returned before they were there";
      remote_.set_fault({});
      write(three);  // as the next process does
      remote_.land();
      EXPECT_EQ(items().size(), three.size());
    }
  }
}

TEST_F(DeadLetterTableTest, ThrottledIsRetried) {
  remote_.throttle_every = 5;
  write({letter("a"), letter("b"), letter("c")});
  EXPECT_EQ(items().size(), 3U);
}

TEST_F(DeadLetterTableTest, WritesFromOtherLoops) {
  DeadLetterTable letters = table();
  asio::io_context other;
  bool written = false;
  asio::co_spawn(other, letters.write({letter("a")}), [&](const std::exception_ptr& failure) {
    EXPECT_FALSE(failure);
    EXPECT_TRUE(other.get_executor().running_in_this_thread());
    written = true;
  });
  std::thread thread([&] { other.run(); });
  while (!other.stopped()) {
    remote_.loop().restart();
    remote_.loop().poll();
  }
  thread.join();
  EXPECT_TRUE(written);
}

}  // namespace
}  // namespace everyitem::checkpoint
