#include "checkpoint/ssm_store.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "checkpoint/checkpoint_store_conformance.h"
#include "checkpoint/remote_store_conformance.h"
#include "checkpoint/ssm_names.h"
#include "checkpoint/ssm_parameters.h"
#include "emulator/emulated_parameters.h"
#include "support/mutated_text.h"

namespace everyitem::checkpoint {
namespace {

constexpr std::string_view kPrefix = "/everyitem/nightly";

class SsmUnderTest final : public RemoteUnderTest {
 public:
  SsmUnderTest() : RemoteUnderTest(aws::kSsm) { ssm.parameters_per_page = 3; }

  std::unique_ptr<CheckpointStore> open() override {
    return std::make_unique<SsmStore>(SsmLocation{.prefix = std::string(kPrefix)}, context());
  }
  void damage() override { record().value = "[1"; }
  void set_format(int format) override {
    constexpr std::string_view kFormat = R"("format":2)";
    std::string& run = record().value;
    run.replace(run.find(kFormat), kFormat.size(), "\"format\":" + std::to_string(format));
  }
  /// The run's record that counts.
  emulator::EmulatedParameters::Parameter& record() {
    std::string last;
    std::uint64_t highest = 0;
    for (const auto& [name, parameter] : ssm.parameters) {
      const auto record = parse_record_name(name.substr(kPrefix.size() + 1));
      if (record && record->version > highest) {
        highest = record->version;
        last = name;
      }
    }
    return ssm.parameters.at(last);
  }
  auto& content() { return ssm.parameters; }
  /// Some parameter.
  void mutate(std::uint64_t seed) {
    auto& [name, parameter] = *std::next(ssm.parameters.begin(),
                                         static_cast<std::ptrdiff_t>(seed % ssm.parameters.size()));
    parameter.value = mutated(parameter.value, seed);
  }
  std::size_t count_named(std::string_view part) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        ssm.parameters, [&](const auto& one) { return one.first.find(part) != one.first.npos; }));
  }

  emulator::EmulatedParameters ssm;
  std::size_t decrypted_lists = 0;
  /// This many lists show what was there before.
  std::size_t stale_lists = 0;
  std::map<std::string, emulator::EmulatedParameters::Parameter> stale;

 protected:
  emulator::ServiceReply answer(std::string_view operation, std::string_view body) override {
    if (body.find(R"("WithDecryption":true)") != std::string_view::npos) {
      ++decrypted_lists;
    }
    if (stale_lists == 0 || operation != "GetParametersByPath") {
      return ssm.answer(operation, body);
    }
    --stale_lists;
    std::swap(ssm.parameters, stale);
    emulator::ServiceReply reply = ssm.answer(operation, body);
    std::swap(ssm.parameters, stale);
    return reply;
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Ssm, CheckpointStoreConformance, SsmUnderTest);
INSTANTIATE_TYPED_TEST_SUITE_P(Ssm, RemoteStoreConformance, SsmUnderTest);
INSTANTIATE_TYPED_TEST_SUITE_P(Ssm, FailingCalls, SsmUnderTest);

TEST(ParameterParts, CutsLoseNothing) {
  for (const std::string around : {"ab cd", "a  b", " \u00e4 ", "\u65e5\u65e5", "{{", "abcd"}) {
    for (std::size_t before = 4085; before <= 4100; ++before) {
      SCOPED_TRACE(around + " behind " + std::to_string(before));
      const std::string text = std::string(before, 'x') + around + std::string(200, 'y');
      std::string whole;
      for (const std::string& part : parameter_parts(text)) {
        EXPECT_LE(part.size(), 4096U);
        EXPECT_NE(part.front(), ' ') << "somebody may trim it";
        EXPECT_NE(part.back(), ' ');
        EXPECT_NE(static_cast<unsigned char>(part.front()) & 0xC0U, 0x80U) << "half a character";
        EXPECT_EQ(part.find("{{"), std::string::npos);
        whole += part;
      }
      EXPECT_EQ(whole.size(), text.size() + (around == "{{" ? 5 : 0));
    }
  }
}

class SsmStoreTest : public RemoteStoreConformance<SsmUnderTest> {
 protected:
  static RunState with_segments(std::uint32_t count) {
    RunState state{.identity = {{"table", "t"}}, .segments = {}};
    for (std::uint32_t i = 0; i < count; ++i) {
      state.segments.push_back({.segment = i});
    }
    return state;
  }
};

TEST_F(SsmStoreTest, SavesEveryTenSeconds) {
  auto store = backend_.open();
  begin(*store, with_segments(32));
  const std::uint64_t before = backend_.count("PutParameter");
  for (int look = 1; look <= 50; ++look) {
    for (std::uint32_t segment = 0; segment < 32; ++segment) {
      save(*store,
           {{.segment = segment,
             .position = {.last_evaluated_key = R"({"pk":{"S":"some-usual-key-0123456789"}})"},
             .items = static_cast<std::uint64_t>(look)}});
    }
    keep(*store, 2);  // looks once, and takes two seconds
  }
  // Two groups of segments and the lease, each every ten seconds of a hundred.
  EXPECT_LE(backend_.count("PutParameter") - before, 3U * 11);
  EXPECT_GE(backend_.count("PutParameter") - before, 3U * 8);
  end(store);
  EXPECT_EQ(found()->items(), 32U * 50);
}

TEST_F(SsmStoreTest, SavesKeepUsersInterval) {
  backend_.interval = std::chrono::seconds(60);
  auto store = backend_.open();
  begin(*store, example());
  save(*store, {{.segment = 0, .items = 1}});
  keep(*store, 50);
  EXPECT_EQ(backend_.count_named("segments-"), 0U);
  keep(*store, 20);
  EXPECT_EQ(backend_.count_named("segments-"), 1U);
  end(store);
}

TEST_F(SsmStoreTest, KillLosesOnlyDeferred) {
  auto store = backend_.open();
  begin(*store, example());
  save(*store, {{.segment = 0, .items = 1}});
  EXPECT_FALSE(store->has_written());
  keep(*store, 12);
  EXPECT_TRUE(store->has_written());
  save(*store, {{.segment = 0, .items = 2}});
  store.reset();
  EXPECT_EQ(found()->items(), 1U);
}

TEST_F(SsmStoreTest, LongKeysAreSplit) {
  auto store = backend_.open();
  begin(*store, example());
  for (std::uint64_t i = 1; i <= 7; ++i) {
    save(*store, {{.segment = 0,
                   .position = {.last_evaluated_key = std::string(4000 * (1 + i % 3), 'k')},
                   .items = i}});
    run(store->flush());
  }
  // Two writes stay, of up to four parts each.
  EXPECT_LE(backend_.count_named("/segments-"), 2U * 4);
  EXPECT_GE(backend_.count_named("/segments-"), 3U);
  end(store);
  EXPECT_EQ(found()->items(), 7U);
}

TEST_F(SsmStoreTest, IncompleteWriteIsIgnored) {
  auto store = backend_.open();
  begin(*store, example());
  for (const std::uint64_t items : {1, 2}) {
    save(*store, {{.segment = 0,
                   .position = {.last_evaluated_key = std::string(9000, 'k')},
                   .items = items}});
    run(store->flush());
  }
  end(store);
  std::erase_if(backend_.ssm.parameters,
                [](const auto& one) { return one.first.ends_with("-1-2.2-of-3"); });
  EXPECT_EQ(found()->items(), 1U);
}

TEST_F(SsmStoreTest, AnotherRunsValuesIgnored) {
  auto store = backend_.open();
  begin(*store, example());
  save(*store, {{.segment = 0, .items = 5}});
  end(store);
  auto& parameters = backend_.ssm.parameters;
  const auto group = std::ranges::find_if(
      parameters, [](const auto& one) { return one.first.find("/segments-") != one.first.npos; });
  const std::string value = group->second.value;
  for (const auto& [text, other] :
       {std::pair<std::string, std::string>{R"("token":")", R"("token":"0)"},
        {R"("total_segments":3)", R"("total_segments":4)"}}) {
    group->second.value = value;
    group->second.value.replace(value.find(text), text.size(), other);
    EXPECT_EQ(found()->items(), 0U) << text;
  }
  group->second.value = value;
  EXPECT_EQ(found()->items(), 5U);
}

TEST_F(SsmStoreTest, ForeignParametersRefusedUnchanged) {
  auto store = backend_.open();
  begin(*store, example());
  save(*store, {{.segment = 0, .items = 5}});
  end(store);
  const auto ours = backend_.ssm.parameters;
  for (const std::string name :
       {"password", "run", "run-1x", "run-01", "identity-0123456789abcdef", "segments-0",
        "segments-0.a-1", "segments-0123456789abcdef0123456789abcdef-0-1-1.1-of-1x"}) {
    backend_.ssm.parameters = ours;
    const emulator::EmulatedParameters::Parameter secret{
        .value = "a secret", .type = "SecureString", .key_id = {}, .version = 1, .labelled = {}};
    backend_.ssm.parameters[std::string(kPrefix) + "/" + name] = secret;
    const std::size_t before = backend_.count("PutParameter");
    const std::string failure = load_failure();
    EXPECT_NE(failure.find("/" + name + " is not a checkpoint's"), std::string::npos) << failure;
    auto restarted = backend_.open();
    EXPECT_THROW(begin(*restarted, example()), Error);
    run(restarted->release());
    EXPECT_EQ(backend_.ssm.parameters.size(), ours.size() + 1);
    EXPECT_EQ(backend_.count("PutParameter"), before);
  }
  EXPECT_EQ(backend_.decrypted_lists, 0U);
  // What is deeper below the prefix is not even looked at.
  backend_.ssm.parameters = ours;
  backend_.ssm.parameters[std::string(kPrefix) + "/app/password"] = {};
  EXPECT_EQ(found()->items(), 5U);
}

TEST_F(SsmStoreTest, StaleReadIsRepeated) {
  auto store = backend_.open();
  begin(*store, example());
  backend_.stale = backend_.ssm.parameters;
  keep(*store, 12);  // renews
  // Its next renewal is refused, as one of its own has come late, and what is read is older still.
  backend_.on_answered = [this](std::string_view operation) {
    if (operation == "PutParameter") {
      backend_.stale_lists = 2;
      backend_.on_answered = {};
    }
  };
  keep(*store, 24);
  EXPECT_EQ(backend_.stale_lists, 0U);
  save(*store, {{.segment = 0, .items = 5}});
  end(store);
  EXPECT_EQ(found()->items(), 5U);
}

TEST_F(SsmStoreTest, EarlierRunsRemainsRemoved) {
  auto store = backend_.open();
  begin(*store, with_segments(500));
  std::vector<SegmentProgress> all = with_segments(500).segments;
  for (SegmentProgress& segment : all) {
    segment.items = 1;
  }
  save(*store, all);
  run(store->flush());
  EXPECT_EQ(backend_.count_named("/segments-"), 32U);
  EXPECT_EQ(backend_.count_named("/identity-"), 1U);
  begin(*store, example());
  EXPECT_EQ(backend_.count_named("/segments-"), 0U);
  EXPECT_EQ(backend_.count_named("/identity-"), 1U);
  end(store);
}

TEST_F(SsmStoreTest, FinishedIsComplete) {
  complete(example());
  std::string& text = backend_.record().value;
  const std::size_t flag = text.find("true", text.find("totals"));
  ASSERT_NE(flag, std::string::npos) << text;
  text.replace(flag, 4, "false");
  EXPECT_NE(load_failure().find("finished and not complete"), std::string::npos);
}

TEST_F(SsmStoreTest, SecureParametersOnRequest) {
  backend_.kms_key = "alias/mine";
  auto store = backend_.open();
  begin(*store, example());
  save(*store, {{.segment = 0, .items = 4}});
  end(store);
  EXPECT_GE(backend_.ssm.parameters.size(), 3U);
  for (const auto& [name, parameter] : backend_.ssm.parameters) {
    EXPECT_EQ(parameter.type, "SecureString") << name;
    EXPECT_EQ(parameter.key_id, "alias/mine") << name;
  }
  EXPECT_EQ(found()->items(), 4U);
}

TEST_F(SsmStoreTest, NothingOverwrittenLittleLeft) {
  auto store = backend_.open();
  begin(*store, example());
  for (std::uint64_t i = 1; i <= 30; ++i) {
    save(*store, {{.segment = 0, .items = i}});
    keep(*store, 11);
    for (const auto& [name, parameter] : backend_.ssm.parameters) {
      ASSERT_EQ(parameter.version, 1U) << name;  // so that no history fills up
    }
    ASSERT_LE(backend_.ssm.parameters.size(), 9U);
  }
  end(store);
}

TEST_F(SsmStoreTest, OutdatedRecordIsIgnored) {
  auto stopped = backend_.open();
  begin(*stopped, example());
  run(backend_.service.clock.sleep(kLease));
  auto second = backend_.open();
  run(second->load());
  keep(*second, 100);  // and what the first one would write next is deleted by now
  EXPECT_THROW(keep(*stopped, 12), OwnedByAnother);
  end(second);
}

}  // namespace
}  // namespace everyitem::checkpoint
