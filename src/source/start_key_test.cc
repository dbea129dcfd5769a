#include "source/start_key.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace everyitem::source {
namespace {

using Names = std::vector<std::string>;

std::string written(std::string_view json, const Names& names) {
  const auto key = StartKey::parse(json, names);
  return key ? key->json() : "(none)";
}

TEST(StartKey, WrittenAgain) {
  EXPECT_EQ(written(R"({"pk":{"S":"a"}})", {"pk"}), R"({"pk":{"S":"a"}})");
  EXPECT_EQ(written(R"( { "sk" : {"N":"-1.5e7"} , "pk":{"B":"AQI="}} )", {"pk", "sk"}),
            R"({"pk":{"B":"AQI="},"sk":{"N":"-1.5e7"}})");
  EXPECT_EQ(written(R"({"p\u006b":{"\u0053":"\u00e4\"\\\n"}})", {"pk"}),
            "{\"pk\":{\"S\":\"\xc3\xa4\\\"\\\\\\n\"}}");
  EXPECT_EQ(written(R"({"a\"b":{"S":""}})", {"a\"b"}), R"({"a\"b":{"S":""}})");
}

TEST(StartKey, TableAndIndexKeys) {
  EXPECT_EQ(written(R"({"pk":{"S":"a"},"sk":{"S":"b"},"i":{"N":"1"},"j":{"B":""}})",
                    {"pk", "sk", "i", "j"}),
            R"({"pk":{"S":"a"},"sk":{"S":"b"},"i":{"N":"1"},"j":{"B":""}})");
  EXPECT_EQ(written(R"({"pk":{"S":"a"}})", {"pk", "i"}), "(none)");
}

TEST(StartKey, WithoutKnownNames) {
  EXPECT_EQ(written(R"({"b":{"S":"1"},"a":{"N":"2"}})", {}), R"({"b":{"S":"1"},"a":{"N":"2"}})");
  EXPECT_EQ(written(R"({"a":{"S":""},"b":{"S":""},"c":{"S":""},"d":{"S":""},"e":{"S":""}})", {}),
            "(none)");
}

TEST(StartKey, AnythingElseIsRefused) {
  for (const std::string_view json : {"",
                                      "null",
                                      "[]",
                                      "{}",
                                      "{",
                                      R"("pk")",
                                      R"({"pk":"a"})",
                                      R"({"pk":{}})",
                                      R"({"pk":{"S":1}})",
                                      R"({"pk":{"S":null}})",
                                      R"({"pk":{"S":"a","N":"1"}})",
                                      R"({"pk":{"S":"a","S":"b"}})",
                                      R"({"pk":{"SS":["a"]}})",
                                      R"({"pk":{"M":{}}})",
                                      R"({"pk":{"s":"a"}})",
                                      R"({"pk":{"N":""}})",
                                      R"({"pk":{"N":"1x"}})",
                                      R"({"pk":{"N":"."}})",
                                      R"({"pk":{"N":"1."}})",
                                      R"({"pk":{"N":"1e"}})",
                                      R"({"pk":{"N":"NaN"}})",
                                      R"({"pk":{"N":" 1"}})",
                                      R"({"pk":{"B":"A"}})",
                                      R"({"pk":{"B":"===="}})",
                                      R"({"pk":{"B":"A=AA"}})",
                                      R"({"pk":{"B":"AA*A"}})",
                                      R"({"other":{"S":"a"}})",
                                      R"({"pk":{"S":"a"},"pk":{"S":"b"}})",
                                      R"({"pk":{"S":"a"},"x":{"S":"b"}})",
                                      R"({"pk":{"S":"a"}},"TableName":"other")",
                                      R"({"pk":{"S":"a"}} {})",
                                      R"({"pk":{"S":"a"},})",
                                      "{\"pk\":{\"S\":\"\xff\"}}",
                                      "{\"pk\":{\"S\":\"a\nb\"}}",
                                      R"({"pk":{"S":"\ud800"}})"}) {
    EXPECT_EQ(written(json, {"pk"}), "(none)") << json;
  }
}

}  // namespace
}  // namespace everyitem::source
