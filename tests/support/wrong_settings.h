// For tests of the doors: settings that both refuse before anything is called, each in its own
// words.
#pragma once

#include <string>
#include <vector>

#include "base/message.h"
#include "options/setting_entry.h"

namespace everyitem {

struct WrongSettings {
  options::GivenSettings given;  ///< besides kRightSettings, or instead of one of them
  Message says;                  ///< part of the refusal
};

inline const options::GivenSettings kRightSettings = {
    {"table", "orders"}, {"stream", "backfill"}, {"checkpoint", "sqlite:/nowhere/run"}};

inline std::vector<WrongSettings> wrong_settings() {
  using namespace setting;
  const auto is = [](SettingId id, const std::string& text) {
    return id + (" is \"" + text + "\"");
  };
  const SettingId threads{"threads"};
  const SettingId limit{"limit"};
  const SettingId max_wait{"max-wait"};
  return {
      // What is named
      {{{"table", "no table!"}}, is(kTable, "no table!")},
      {{{"table", "arn:aws:s3:::bucket"}}, is(kTable, "arn:aws:s3:::bucket")},
      {{{"stream", "arn:aws:dynamodb:eu-west-1:1:table/t"}}, kStream + Message(" is")},
      {{{"checkpoint", "redis:x"}},
       is(kCheckpoint, "redis:x") +
           ": unknown kind. Give a path, sqlite:PATH, ssm:/PREFIX, dynamodb:TABLE, or none."},
      {{{"checkpoint", "ssm:x"}}, is(kCheckpoint, "ssm:x")},
      {{{"checkpoint", "dynamodb:"}}, is(kCheckpoint, "dynamodb:") + ": no table is named"},
      // Numbers, percentages, times, words
      {{{"segments", "0"}},
       is(kSegments, "0") +
           ". Give a whole number from 1 to 1,000,000, such as 250, 1,000, 5k or 2M."},
      {{{"segments", "1000001"}}, is(kSegments, "1000001")},
      {{{"segments", "-1"}}, is(kSegments, "-1")},
      {{{"segments", "many"}}, is(kSegments, "many")},
      {{{"threads", "65"}}, is(threads, "65") + ". Give a whole number from 1 to 64."},
      {{{"limit", "0"}}, is(limit, "0")},
      {{{"read-units", "nan"}}, is(kReadUnits, "nan") + ". Give a number above 0"},
      {{{"read-units", "10%"}},
       is(kReadUnits, "10%") + ", but takes read units per second. Give " + kReadPercent("10") +
           "."},
      {{{"read-percent", "101"}},
       is(kReadPercent, "101") + ". Give a percentage above 0, at most 100, such as 25 or 0.5%."},
      {{{"max-wait", "soon"}},
       is(max_wait, "soon") + ". Give a time from 1 s to 365 d 0 h, such as 45s, 10m or 1h30m"},
      {{{"max-wait", "400d"}}, is(max_wait, "400d")},
      {{{"partition-key", "hash"}}, is(kPartitionKey, "hash") + ". Give one of: key, random."},
      {{{"kinesis-wire", "jsn"}},
       is(kKinesisWire, "jsn") + ". Did you mean json? Give one of: auto, cbor, json."},
      {{{"aggregate", "yes"}}, is(kAggregate, "yes") + ". Give true or false."},
      // Several that do not go together
      {{{"read-units", "5"}, {"read-percent", "5"}},
       enumerated({kReadUnits, kReadPercent}) + " are both given"},
      {{{"role-arn", "deploy"}}, is(kRoleArn, "deploy")},
      {{{"stream-role-arn", "arn:aws:iam::1:user/deploy"}},
       is(kStreamRoleArn, "arn:aws:iam::1:user/deploy") + ". Give the ARN of a role"},
      {{{"stream-external-id", "77"}}, kStreamExternalId + " needs " + kStreamRoleArn},
      {{{"checkpoint-kms-key", "k"}}, kCheckpointKmsKey + " needs " + kCheckpoint("ssm:/PREFIX")},
      {{{"checkpoint-interval", "10s"}},
       kCheckpointInterval + " needs " + kCheckpoint("ssm:/PREFIX")},
      {{{"checkpoint", "ssm:/x"}, {"checkpoint-interval", "2h"}}, is(kCheckpointInterval, "2h")},
      {{{"share", "true"}}, kShare + " needs a checkpoint in a table"},
      {{{"share", "true"}, {"checkpoint", "ssm:/x"}}, kShare + " needs a checkpoint in a table"},
      {{{"share", "true"}, {"checkpoint", "dynamodb:table/r"}, {"restart", "true"}},
       " are both given"},
      {{{"share", "true"}, {"checkpoint", "dynamodb:table/r"}, {"limit", "5"}}, " are both given"},
      {{{"share", "true"}, {"checkpoint", "dynamodb:table/r"}, {"dead-letters", "f"}},
       kDeadLetters + " names a file"},
      // Expressions
      {{{"filter", "status = 'open'"}},
       kFilter + " has a value in it, which DynamoDB takes from " + kValues + " only. Write: " +
           kFilter("status = :open") + " " + kValues(R"({":open": {"S":"open"}})")},
      {{{"projection", "'id'"}},
       kProjection +
           " has quotes in it, which DynamoDB does not take. Write: " + kProjection("id")},
      {{{"filter", "a = :a"}, {"values", "fileb://v"}},
       is(kValues, "fileb://v") + ", but takes text"},
      {{{"names", "{"}}, kNames + " is not the JSON object that DynamoDB takes: it is not JSON"},
      {{{"values", "[]"}},
       kValues + " is not the JSON object that DynamoDB takes: it is not an object"},
      {{{"filter", "a = :a"}, {"values", R"({":a":{"X":"b"}})"}},
       kValues + R"( is not the JSON object that DynamoDB takes: ":a" has no type)"},
      {{{"names", R"({"#a":"b"})"}}, kNames + " defines #a, which no expression uses"},
      {{{"filter", "#s = :s"}, {"names", R"({"#s":"x"})"}},
       kValues + " does not define :s, which an expression uses. Example: " +
           kValues(R"({":s": {"S": "text"}})")},
      {{{"projection", "#p"}},
       kNames + " does not define #p, which an expression uses. Example: " +
           kNames(R"({"#p": "attribute"})")},
      {{{"filter", "a = :a"}, {"values", R"({":a":{"S":"x"},":b":{"S":"x"}})"}},
       kValues + " defines :b, which no expression uses"},
  };
}

}  // namespace everyitem
