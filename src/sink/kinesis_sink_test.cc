#include "sink/kinesis_sink.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/test_service.h"

namespace everyitem::sink {
namespace {

namespace json = boost::json;

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kThrottled = "ProvisionedThroughputExceededException";

/// A stream that decides about each record of each request. The partition key identifies a record.
/// As long as the keys that are written: 16 characters.
std::string key_of(std::size_t index) { return fmt::format("key {:012}", index); }

class KinesisSinkTest : public testing::Test {
 protected:
  using Keys = std::vector<std::string>;
  /// The ErrorCode of each record of the `round`-th request, from 1; empty for those it accepts.
  using Decide = std::function<Keys(int round, const Keys& keys)>;

  KinesisSinkTest() {
    batch_.body.append(format_.opening({.name = "backfill"}));
    for (int i = 0; i < kRecords; ++i) {
      batch_.body.append(i > 0 ? format_.separator() : "");
      const std::string record = fmt::format(R"({{"Data":"e30=","PartitionKey":"{}"}})", key_of(i));
      batch_.records.push_back({.offset = static_cast<std::uint32_t>(batch_.body.size()),
                                .length = static_cast<std::uint32_t>(record.size())});
      batch_.body.append(record);
      // Two more items share the last record.
      for (int items = i + 1 == kRecords ? 3 : 1; items > 0; --items) {
        batch_.add({.record = static_cast<std::uint32_t>(i), .offset = 0, .length = 0}, {0, 0});
      }
    }
    batch_.body.append(format_.closing());
    for (const json::value& record : records_of(batch_.body.view())) {
      keys_.emplace_back(record.at("PartitionKey").as_string());
    }
  }

  static json::array records_of(std::string_view body) {
    return json::parse(body).at("Records").as_array();
  }

  nanoseconds slept() const {
    const auto& sleeps = service_->clock.sleeps();
    return std::accumulate(sleeps.begin(), sleeps.end(), nanoseconds{0});
  }

  /// A stream that refuses whole requests as invalid, and accepts the others.
  void refuse_requests(std::function<bool(const Keys&)> invalid) {
    stream([](int, const Keys& keys) { return none(keys); });
    service_->handler = [this, invalid = std::move(invalid)](
                            http::Peer& peer, const std::string& request) -> Awaitable<void> {
      Keys keys;
      for (const json::value& record : records_of(http::body_of(request))) {
        keys.emplace_back(record.at("PartitionKey").as_string());
      }
      if (!invalid(keys)) {
        co_await answer(peer, request);
        co_return;
      }
      rounds_.push_back(keys);
      const std::string bytes = http::answer(
          R"({"__type":"ValidationException","message":"in its words"})", "400 Bad Request");
      co_await peer.write(bytes);
    };
  }

  void stream(Decide decide, const aws::Patience& patience = {}) {
    decide_ = std::move(decide);
    rounds_.clear();
    accepted_.clear();
    stream_.accepted_any = false;
    service_ = std::make_unique<aws::TestService>(
        [this](http::Peer& peer, const std::string& request) { return answer(peer, request); },
        aws::kKinesis, http::Timeouts{}, patience);
    open_sink();
  }

  void open_sink() {
    sink_ = std::make_unique<KinesisSink>(service_->client, format_, stream_, service_->clock,
                                          service_->random);
  }

  /// From now on the sink paces a stream with one shard, which takes nothing more for the moment.
  void pace_a_full_shard() {
    shards_.emplace(batch::ShardMap({{"shardId-0", 0, batch::kLastHashKey}}));
    paced_.emplace(service_->loop.get_executor(), service_->clock, *shards_,
                   StreamMode::provisioned, [this]() -> Awaitable<batch::ShardMap> {
                     ++listed_;
                     co_return batch::ShardMap({{"another", 0, batch::kLastHashKey}});
                   });
    const auto work = [&]() -> Awaitable<void> {
      PacedBatch paced(std::vector<batch::RecordLoad>(195));
      RecordIndexes pending(195);
      std::iota(pending.begin(), pending.end(), 0U);
      co_await paced_->take(paced, pending);
    };
    http::run(service_->loop, work());
    stream_.shards = &*paced_;
  }

  Awaitable<void> answer(http::Peer& peer, const std::string& request) {
    Keys keys;
    for (const json::value& record : records_of(http::body_of(request))) {
      keys.emplace_back(record.at("PartitionKey").as_string());
    }
    rounds_.push_back(keys);
    const Keys codes = decide_(static_cast<int>(rounds_.size()), keys);
    json::array results;
    std::size_t failed = 0;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (codes[i].empty()) {
        results.push_back({{"SequenceNumber", "1"}, {"ShardId", "shardId-0"}});
      } else {
        results.push_back({{"ErrorCode", codes[i]}, {"ErrorMessage", words_}});
        ++failed;
      }
    }
    if (codes.size() == keys.size()) {
      for (std::size_t i = 0; i < codes.size(); ++i) {
        accepted_[keys[i]] += codes[i].empty() ? 1 : 0;
      }
    }
    const std::string body =
        json::serialize(json::object{{"FailedRecordCount", failed}, {"Records", results}});
    const std::string bytes = http::answer(body);
    co_await peer.write(bytes);
  }

  /// Refuses all records of a request with one code.
  static Keys all(const Keys& keys, std::string_view code) {
    return Keys(keys.size(), std::string(code));
  }
  static Keys none(const Keys& keys) { return all(keys, ""); }

  std::vector<RefusedItem> deliver() {
    std::vector<RefusedItem> refused;
    const auto work = [&]() -> Awaitable<void> { refused = co_await sink_->deliver(batch_); };
    http::run(service_->loop, work());
    return refused;
  }

  Error failed_delivery() {
    try {
      deliver();
    } catch (const Error& error) {
      return error;
    }
    throw std::runtime_error("the delivery did not fail");
  }

  bool every_record_accepted_once() const {
    return accepted_.size() == keys_.size() &&
           std::ranges::all_of(accepted_, [](const auto& record) { return record.second == 1; });
  }

  static constexpr int kRecords = 40;

  const batch::PutRecordsFormat& format_ = batch::put_records_format(Wire::json);
  batch::RecordBatch batch_;
  Keys keys_;  ///< of the batch's records, in their order
  Decide decide_;
  std::unique_ptr<aws::TestService> service_;
  std::optional<batch::CurrentShards> shards_;
  std::optional<PacedShards> paced_;
  int listed_ = 0;  ///< how often the shards were listed
  FilledStream stream_{.name = "backfill"};
  std::unique_ptr<KinesisSink> sink_;
  std::string words_ = "in its words";
  std::vector<Keys> rounds_;             ///< what each request held
  std::map<std::string, int> accepted_;  ///< how often each record was
};

TEST_F(KinesisSinkTest, AcceptedBatchSentOnce) {
  stream([](int, const Keys& keys) { return none(keys); });
  deliver();
  EXPECT_THAT(rounds_, ElementsAre(keys_));
  EXPECT_TRUE(service_->clock.sleeps().empty());
  EXPECT_EQ(sink_->records_sent_again(), 0U);
}

TEST_F(KinesisSinkTest, OnlyFailedRecordsResent) {
  // In three rounds: those at even indexes, then every third of these, then the last of these.
  stream([](int round, const Keys& keys) {
    Keys codes = none(keys);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const bool fails = (round == 1 && i % 2 == 0) || (round == 2 && i % 3 == 0) ||
                         (round == 3 && i + 1 == codes.size());
      codes[i] = fails ? kThrottled : "";
    }
    return codes;
  });
  deliver();
  ASSERT_EQ(rounds_.size(), 4U);
  Keys second;
  Keys third;
  for (int i = 0; i < kRecords; i += 2) {
    second.push_back(keys_[i]);
  }
  for (int i = 0; i < kRecords; i += 6) {
    third.push_back(keys_[i]);
  }
  EXPECT_EQ(rounds_[1], second);
  EXPECT_EQ(rounds_[2], third);
  EXPECT_THAT(rounds_[3], ElementsAre(third.back()));
  EXPECT_TRUE(every_record_accepted_once());
  EXPECT_EQ(sink_->records_sent_again(), second.size() + third.size() + 1);
}

TEST_F(KinesisSinkTest, RandomFailuresLoseNothing) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    const double failing = random.uniform() * 0.6;
    std::set<std::string> open;
    bool in_order = true;
    stream([&](int round, const Keys& keys) {
      if (round == 1) {
        open.insert(keys.begin(), keys.end());
      }
      in_order = in_order && std::set<std::string>(keys.begin(), keys.end()) == open;
      Keys codes = none(keys);
      for (std::size_t i = 0; i < codes.size(); ++i) {
        if (random.uniform() < failing) {
          codes[i] = random.uniform() < 0.5 ? kThrottled : "InternalFailure";
        } else {
          open.erase(keys[i]);
        }
      }
      return codes;
    });
    deliver();
    ASSERT_TRUE(every_record_accepted_once()) << "seed " << seed;
    ASSERT_TRUE(in_order) << "a round with other records than the open ones; seed " << seed;
    ASSERT_TRUE(open.empty()) << "seed " << seed;
    for (const Keys& round : rounds_) {
      Keys expected;
      std::ranges::copy_if(keys_, std::back_inserter(expected), [&](const std::string& key) {
        return std::ranges::find(round, key) != round.end();
      });
      ASSERT_EQ(round, expected) << "not in the batch's order; seed " << seed;
    }
  }
}

TEST_F(KinesisSinkTest, ThrottledThousandRounds) {
  constexpr int kThrottledRounds = 1000;
  stream([](int round, const Keys& keys) {
    return all(keys, round <= kThrottledRounds ? kThrottled : "");
  });
  deliver();
  EXPECT_EQ(rounds_.size(), kThrottledRounds + 1U);
  EXPECT_TRUE(every_record_accepted_once());

  const auto& sleeps = service_->clock.sleeps();
  Random random(aws::TestService::kSeed);
  const aws::Backoff backoff{.base = milliseconds(100), .cap = seconds(5)};
  ASSERT_EQ(sleeps.size(), static_cast<std::size_t>(kThrottledRounds));
  for (int i = 0; i < kThrottledRounds; ++i) {
    ASSERT_EQ(sleeps[i], backoff.wait(i + 1, random.uniform())) << i;
  }
}

TEST_F(KinesisSinkTest, ProgressShortensWaits) {
  // Nothing for 20 rounds, one record, then nothing again.
  stream([](int round, const Keys& keys) {
    Keys codes = all(keys, round <= 25 ? kThrottled : "");
    if (round == 21) {
      codes[0].clear();
    }
    return codes;
  });
  deliver();
  const auto& sleeps = service_->clock.sleeps();
  ASSERT_EQ(sleeps.size(), 25U);
  EXPECT_GT(*std::max_element(sleeps.begin(), sleeps.begin() + 20), milliseconds(1600));
  EXPECT_LT(sleeps[20], milliseconds(100));
  EXPECT_LT(sleeps[21], milliseconds(200));
}

TEST_F(KinesisSinkTest, FailureWithoutProgressEnds) {
  stream([](int, const Keys& keys) { return all(keys, "InternalFailure"); });
  const Error error = failed_delivery();
  EXPECT_GE(slept(), std::chrono::minutes(2));
  EXPECT_LT(slept(), std::chrono::minutes(2) + seconds(5));
  EXPECT_THAT(error.what(),
              AllOf(StartsWith("PutRecords on stream backfill in eu-west-1: InternalFailure: 40 of "
                               "40 records of a batch were refused: in its words (gave up after "),
                    EndsWith(": failed requests are retried for at most 2 min 0 s)")));
}

TEST_F(KinesisSinkTest, ProgressKeepsRetrying) {
  // Again and again, one record is accepted just before the delivery would end.
  constexpr int kFruitlessRounds = 15;
  stream([](int round, const Keys& keys) {
    Keys codes = all(keys, "InternalFailure");
    if (round % kFruitlessRounds == 0) {
      codes[keys.size() / 2].clear();
    }
    return codes;
  });
  deliver();
  EXPECT_TRUE(every_record_accepted_once());
  EXPECT_EQ(rounds_.size(), std::size_t{kFruitlessRounds} * kRecords);
  EXPECT_GT(slept(), std::chrono::minutes(5));
}

TEST_F(KinesisSinkTest, ProgressResetsFailureCount) {
  // At most three failures in a row, where the fourth would end the delivery.
  stream(
      [](int round, const Keys& keys) {
        Keys codes = all(keys, "InternalFailure");
        if (round % 3 == 0) {
          codes.front().clear();
        }
        return codes;
      },
      {.failing = milliseconds(500)});
  deliver();
  EXPECT_TRUE(every_record_accepted_once());
  EXPECT_EQ(rounds_.size(), std::size_t{3} * kRecords);

  stream([](int, const Keys& keys) { return all(keys, "InternalFailure"); },
         {.failing = milliseconds(500)});
  failed_delivery();
  EXPECT_GE(rounds_.size(), 3U);
  EXPECT_EQ(slept(), milliseconds(500));
}

TEST_F(KinesisSinkTest, ThrottlingIsNotFailure) {
  stream([](int round, const Keys& keys) {
    return round > 200 ? none(keys) : all(keys, round % 5 == 0 ? "InternalFailure" : kThrottled);
  });
  deliver();
  EXPECT_EQ(rounds_.size(), 201U);
}

TEST_F(KinesisSinkTest, ThrottledUntilMaxWait) {
  stream([](int, const Keys& keys) { return all(keys, kThrottled); },
         aws::waiting_at_most(std::chrono::hours(3)));
  const Error error = failed_delivery();
  EXPECT_EQ(slept(), std::chrono::hours(3));
  EXPECT_THAT(error.what(), EndsWith("throttled requests are retried for at most 3 h 0 min)"));
}

// Paced shards

TEST_F(KinesisSinkTest, PacedBatchInParts) {
  stream([](int, const Keys& keys) { return none(keys); });
  pace_a_full_shard();
  deliver();
  EXPECT_GE(rounds_.size(), 2U);
  EXPECT_TRUE(every_record_accepted_once());
  EXPECT_GT(slept(), milliseconds(30));
  EXPECT_LT(slept(), milliseconds(100));
  EXPECT_EQ(sink_->records_sent_again(), 0U);
  EXPECT_EQ(listed_, 0);
}

TEST_F(KinesisSinkTest, FailedJoinNextPart) {
  stream([](int round, const Keys& keys) {
    Keys codes = none(keys);
    codes.front() = round <= 2 ? kThrottled : "";
    return codes;
  });
  pace_a_full_shard();
  deliver();
  EXPECT_TRUE(every_record_accepted_once());
  EXPECT_EQ(sink_->records_sent_again(), 2U);
  for (const Keys& round : rounds_) {
    Keys in_order;
    std::ranges::copy_if(keys_, std::back_inserter(in_order), [&](const std::string& key) {
      return std::ranges::find(round, key) != round.end();
    });
    EXPECT_EQ(round, in_order);
  }
}

TEST_F(KinesisSinkTest, OnlyInvalidPartHalved) {
  const std::set<std::string> invalid = {key_of(0), key_of(17), key_of(39)};
  refuse_requests([&](const Keys& keys) {
    return std::ranges::any_of(keys, [&](const std::string& key) { return invalid.contains(key); });
  });
  pace_a_full_shard();
  std::vector<std::uint32_t> indexes;
  for (const RefusedItem& item : deliver()) {
    indexes.push_back(item.index);
  }
  EXPECT_THAT(indexes, ElementsAre(0, 17, 39, 40, 41));
  for (const std::string& key : keys_) {
    EXPECT_EQ(accepted_[key], invalid.contains(key) ? 0 : 1) << key;
  }
}

TEST_F(KinesisSinkTest, PacingIsNotStalling) {
  stream([](int, const Keys& keys) { return all(keys, kThrottled); },
         aws::waiting_at_most(seconds(10)));
  pace_a_full_shard();
  EXPECT_THAT(failed_delivery().what(), HasSubstr(kThrottled));
  EXPECT_GE(slept(), seconds(10));
}

TEST_F(KinesisSinkTest, UnknownShardListsAgain) {
  stream([](int, const Keys& keys) { return none(keys); });
  pace_a_full_shard();
  shards_->replace(batch::ShardMap({{"closed", 0, batch::kLastHashKey}}));
  deliver();
  EXPECT_EQ(listed_, 1);
  EXPECT_EQ(shards_->newest()->shards()[0].id, "another");
}

// Invalid records

TEST_F(KinesisSinkTest, InvalidRecordsAreReturned) {
  stream([](int round, const Keys& keys) {
    Keys codes = none(keys);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const bool invalid = keys[i] == key_of(3) || keys[i] == key_of(39);
      codes[i] = invalid ? "InvalidArgumentException" : round == 1 && i % 2 == 0 ? kThrottled : "";
    }
    return codes;
  });
  const std::vector<RefusedItem> refused = deliver();
  ASSERT_EQ(refused.size(), 4U);
  EXPECT_EQ(refused[0].index, 3U);
  for (std::uint32_t i = 1; i < 4; ++i) {
    EXPECT_EQ(refused[i].index, 38U + i) << "all items of the last record";
  }
  for (const RefusedItem& item : refused) {
    EXPECT_EQ(item.code, "InvalidArgumentException");
    EXPECT_EQ(item.reason, "in its words");
  }
  EXPECT_EQ(std::ranges::count(accepted_, 1, &std::pair<const std::string, int>::second), 38);
}

TEST_F(KinesisSinkTest, AttemptsCountedPerRecord) {
  stream([](int round, const Keys& keys) {
    Keys codes = none(keys);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (keys[i] == key_of(3)) {
        codes[i] = "InvalidArgumentException";
      } else if (keys[i] == key_of(5)) {
        codes[i] = round <= 3 ? kThrottled : "InvalidArgumentException";
      }
    }
    return codes;
  });
  const std::vector<RefusedItem> refused = deliver();
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(refused[0].attempts, 1U);
  EXPECT_EQ(refused[1].attempts, 4U);
}

TEST_F(KinesisSinkTest, ReasonWithoutTheItem) {
  words_ = R"(no such value: {"pk":{"S":"private"}})";
  stream([](int, const Keys& keys) {
    Keys codes = none(keys);
    codes[0] = "InvalidArgumentException";
    return codes;
  });
  EXPECT_EQ(deliver().at(0).reason, "no such value: ...");
}

TEST_F(KinesisSinkTest, InvalidRequestIsHalved) {
  const std::set<std::string> invalid = {key_of(0), key_of(17), key_of(18), key_of(39)};
  refuse_requests([&](const Keys& keys) {
    return std::ranges::any_of(keys, [&](const std::string& key) { return invalid.contains(key); });
  });
  const std::vector<RefusedItem> refused = deliver();
  std::vector<std::uint32_t> indexes;
  for (const RefusedItem& item : refused) {
    indexes.push_back(item.index);
    const std::string key = key_of(std::min(item.index, 39U));  // the last record has three items
    EXPECT_EQ(item.attempts, std::ranges::count_if(rounds_, [&](const Keys& round) {
                return std::ranges::find(round, key) != round.end();
              }));
    EXPECT_GT(item.attempts, 1U);
    EXPECT_EQ(item.code, "ValidationException");
    EXPECT_EQ(item.reason, "in its words");
  }
  EXPECT_THAT(indexes, ElementsAre(0, 17, 18, 39, 40, 41));
  for (const std::string& key : keys_) {
    EXPECT_EQ(accepted_[key], invalid.contains(key) ? 0 : 1) << key;
  }
  EXPECT_LT(rounds_.size(), 40U) << "no better than one by one";
}

TEST_F(KinesisSinkTest, AllRefusedBlamesStream) {
  refuse_requests([](const Keys&) { return true; });
  EXPECT_THAT(failed_delivery().what(), HasSubstr("ValidationException"));
  EXPECT_LT(rounds_.size(), 50U);

  stream([](int, const Keys& keys) { return all(keys, "InvalidArgumentException"); });
  EXPECT_THAT(failed_delivery().what(),
              HasSubstr("InvalidArgumentException: 40 of 40 records of a batch were refused"));
}

TEST_F(KinesisSinkTest, SomeAcceptedThenNone) {
  stream([](int round, const Keys& keys) {
    return all(keys, round == 1 ? "" : "InvalidArgumentException");
  });
  EXPECT_TRUE(deliver().empty());
  EXPECT_EQ(deliver().size(), 42U);
}

TEST_F(KinesisSinkTest, StreamFailureIsFinal) {
  stream([](int, const Keys& keys) {
    Keys codes = all(keys, kThrottled);
    codes[7] = "KMSDisabledException";
    return codes;
  });
  const Error error = failed_delivery();
  EXPECT_EQ(rounds_.size(), 1U);
  EXPECT_THAT(error.what(),
              AllOf(HasSubstr("KMSDisabledException"), EndsWith("Enable the stream's KMS key.")));
}

TEST_F(KinesisSinkTest, MismatchedAnswerResendsAll) {
  stream([](int round, const Keys& keys) {
    Keys codes = none(keys);
    if (round <= 2) {
      codes.resize(round == 1 ? keys.size() - 1 : keys.size() + 1);
    }
    return codes;
  });
  deliver();
  EXPECT_THAT(rounds_, ElementsAre(keys_, keys_, keys_));
  EXPECT_TRUE(every_record_accepted_once());
}

TEST_F(KinesisSinkTest, RefusedRequestEndsDelivery) {
  stream([](int, const Keys& keys) { return none(keys); });
  service_->handler = [](http::Peer& peer, const std::string&) -> Awaitable<void> {
    const std::string bytes = http::answer(
        R"({"__type":"ResourceNotFoundException","message":"no such stream"})", "400 Bad Request");
    co_await peer.write(bytes);
  };
  EXPECT_THAT(
      failed_delivery().what(),
      StartsWith("PutRecords on stream backfill in eu-west-1: ResourceNotFoundException: no "
                 "such stream"));
}

TEST_F(KinesisSinkTest, BatchesInFlight) {
  stream([](int, const Keys& keys) { return none(keys); });
  const auto batches = [this](std::uint32_t open_shards) {
    stream_.open_shards = open_shards;
    return sink_->max_batches_in_flight();
  };
  EXPECT_EQ(batches(0), 8U);
  EXPECT_EQ(batches(4), 8U);
  EXPECT_EQ(batches(16), 32U);
  EXPECT_EQ(batches(10'000), 64U);
  stream_.sinks = 3;
  EXPECT_EQ(batches(10'000), 22U) << "sinks share the batches in flight";
}

}  // namespace
}  // namespace everyitem::sink
