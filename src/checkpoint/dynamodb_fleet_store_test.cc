#include "checkpoint/dynamodb_fleet_store.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "checkpoint/checkpoint_store_conformance.h"
#include "checkpoint/dynamodb_store.h"
#include "checkpoint/run_record.h"
#include "emulator/emulated_items.h"
#include "support/test_service.h"

namespace everyitem::checkpoint {
namespace {

const DynamoDbLocation kLocation{.table = "checkpoints", .run = "nightly"};

class DynamoDbFleetStoreTest : public testing::Test {
 protected:
  static FleetRecord example() {
    return {.identity = {{"table", "orders"}, {"workers", "3"}},
            .segments = 40,
            .members = {{.worker = 0, .turn = 7, .read_units = 12.5},
                        {.worker = 2,
                         .state = FleetMember::State::complete,
                         .turn = 1ULL << 40,
                         .read_units = 0,
                         .wanted = 0.25}}};
  }

  StoreContext context(std::string owner = "process") {
    StoreContext context{.clock = service_.clock,
                         .owner = std::move(owner),
                         .kms_key = {},
                         .interval = {},
                         .client = {},
                         .notice = {},
                         .handed_over = {}};
    context.client = [this](const aws::ServiceModel&, const std::string&) -> aws::Client& {
      return service_.client;
    };
    return context;
  }

  template <typename T>
  T run(Awaitable<T> work) {
    auto result = asio::co_spawn(service_.loop, std::move(work), asio::use_future);
    service_.loop.restart();
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      service_.loop.run_one();
    }
    return result.get();
  }

  boost::json::object& item() { return items_.tables.at("checkpoints").at({"nightly", "workers"}); }

  emulator::EmulatedItems items_;
  bool answers_are_lost_ = false;
  aws::TestService service_{
      [this](http::Peer& peer, const std::string& request) -> Awaitable<void> {
        constexpr std::string_view kTarget = "DynamoDB_20120810.";
        const auto operation = request.find(kTarget) + kTarget.size();
        const emulator::ServiceReply reply =
            items_.answer(request.substr(operation, request.find('\r', operation) - operation),
                          http::body_of(request));
        const std::string bytes =
            answers_are_lost_
                ? http::answer("", "500 Internal Server Error")
                : http::answer(reply.body, reply.status == 200 ? "200 OK" : "400 Bad Request");
        co_await peer.write(bytes);
      },
      aws::kDynamoDb};
  DynamoDbFleetStore store_{kLocation, context()};
};

TEST_F(DynamoDbFleetStoreTest, WrittenRecordIsRead) {
  EXPECT_EQ(run(store_.read()), std::nullopt);
  EXPECT_TRUE(run(store_.write(example())));
  EXPECT_EQ(run(store_.read()), example());
  FleetRecord next = example();
  next.members.pop_back();
  EXPECT_TRUE(run(store_.write(next)));
  EXPECT_EQ(run(store_.read()), next);
}

TEST_F(DynamoDbFleetStoreTest, StaleReaderCannotWrite) {
  DynamoDbFleetStore other(kLocation, context());
  run(store_.read());
  run(other.read());
  EXPECT_TRUE(run(store_.write(example())));
  EXPECT_FALSE(run(other.write({.identity = {}, .segments = 1})))
      << "there was none when it looked";
  run(other.read());
  FleetRecord changed = example();
  changed.members.front().turn = 8;
  run(store_.read());
  EXPECT_TRUE(run(other.write(changed)));
  EXPECT_FALSE(run(store_.write(example())));
  EXPECT_EQ(run(store_.read()), changed);
}

TEST_F(DynamoDbFleetStoreTest, LostAnswerWrittenOnce) {
  run(store_.read());
  answers_are_lost_ = true;
  EXPECT_THROW(run(store_.write(example())), Error);
  answers_are_lost_ = false;
  EXPECT_FALSE(run(store_.write(example())));
  EXPECT_EQ(run(store_.read()), example());
}

TEST_F(DynamoDbFleetStoreTest, ItGoesByItself) {
  run(store_.read());
  run(store_.write(example()));
  EXPECT_EQ(item().at("expires_at").at("N").as_string(),
            std::to_string(seconds_now(service_.clock) + 30L * 86400));
}

TEST_F(DynamoDbFleetStoreTest, DamageIsReported) {
  const auto failure = [this](const char* attribute, boost::json::value value) -> std::string {
    run(store_.read());
    run(store_.write(example()));
    item()[attribute] = std::move(value);
    try {
      run(store_.read());
    } catch (const Error& error) {
      items_.tables.clear();
      return error.what();
    }
    return "read";
  };
  for (const char* attribute : {"identity", "members", "segments", "version"}) {
    const std::string text = failure(attribute, {{"S", "[[\"x\""}});
    EXPECT_NE(text.find("dynamodb:checkpoints/nightly"), std::string::npos) << text;
    EXPECT_NE(text.find("not a checkpoint of everyitem, or damaged"), std::string::npos) << text;
  }
  for (const char* members :
       {R"([[0,"asleep",1,2.0,null]])", R"([[0,"left",1,-2.0,null]])", R"([[0,"left",1]])",
        R"([[0,"left",1,2.0,1e999]])", R"([[-1,"left",1,2.0,null]])", "{}"}) {
    EXPECT_NE(failure("members", {{"S", members}}).find("damaged"), std::string::npos) << members;
  }
  EXPECT_NE(failure("format", {{"N", "3"}}).find("its format is 3"), std::string::npos);
}

TEST_F(DynamoDbFleetStoreTest, OwnSegmentsCompleteWorker) {
  StoreContext of_worker = context();
  of_worker.part = {.worker = 1, .workers = 3};
  const DynamoDbLocation place{.table = "checkpoints", .run = "nightly/worker-1-of-3"};
  RunState state{.identity = example().identity,
                 .segments = fresh_segments(5, of_worker.part),
                 .token = new_run_token()};
  EXPECT_FALSE(state.complete());
  EXPECT_EQ(state.items(), 0U);
  {
    DynamoDbStore worker(place, of_worker);
    run(worker.begin(state));
    EXPECT_EQ(items_.tables.at("checkpoints").size(), 1U) << "what others read is not written";
    run(worker.save({{.segment = 4, .position = {.complete = true}, .items = 3}}));
    run(worker.release());
  }
  {
    DynamoDbStore worker(place, of_worker);
    EXPECT_FALSE(run(worker.load())->complete());
    run(worker.save({{.segment = 1, .position = {.complete = true}, .items = 4}}));
    run(worker.release());
  }
  EXPECT_EQ(items_.tables.at("checkpoints").size(), 1U) << "a finished run is one item";
  DynamoDbStore worker(place, of_worker);
  const auto found = run(worker.load());
  EXPECT_TRUE(found->complete());
  EXPECT_EQ(found->items(), 7U);
}

TEST(WorkerLocation, NeedsASharedTable) {
  EXPECT_EQ(
      worker_location(kLocation, {.worker = 1, .workers = 3}),
      CheckpointLocation(DynamoDbLocation{.table = "checkpoints", .run = "nightly/worker-1-of-3"}));
  for (const CheckpointLocation& own :
       {CheckpointLocation(NoCheckpoint{}), CheckpointLocation(SqliteLocation{.path = "run"}),
        CheckpointLocation(SsmLocation{.prefix = "/run"})}) {
    EXPECT_THROW(require_shareable(own), Error) << to_text(own);
  }
}

}  // namespace
}  // namespace everyitem::checkpoint
