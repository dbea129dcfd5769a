#include "checkpoint/ssm_names.h"

#include <gtest/gtest.h>

#include "checkpoint/ssm_limits.h"

namespace everyitem::checkpoint {
namespace {

constexpr const char* kToken = "0123456789abcdef0123456789abcdef";

TEST(SsmNames, AreReadAsWritten) {
  EXPECT_EQ(parse_record_name("run-12")->version, 12U);
  EXPECT_EQ(parse_identity_name(IdentityName{.token = kToken}.text())->token, kToken);
  const GroupName group{.token = kToken,
                        .group = 62499,
                        .generation = ~0ULL,
                        .write = ~0ULL,
                        .part = {.part = 9999, .parts = 9999}};
  const auto parsed = parse_group_name(group.text());
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->group, group.group);
  EXPECT_EQ(parsed->generation, group.generation);
  EXPECT_EQ(parsed->write, group.write);
  EXPECT_EQ(parsed->part.parts, group.part.parts);
  EXPECT_LE(group.text().size(), kMaxOwnNameCharacters);
}

TEST(SsmNames, OthersAreForeign) {
  const std::string token = kToken;
  for (const std::string& name :
       {std::string(), std::string("run"), std::string("run-"), std::string("run--1"),
        std::string("run-+1"), std::string("run-01"), std::string("run-1 "),
        std::string("run-18446744073709551616"), std::string("RUN-1"), "identity-" + token,
        "identity-" + token + ".0-of-1", "identity-" + token + ".2-of-1",
        "identity-" + token + ".1-of-1.1-of-1", "identity-" + token.substr(1) + ".1-of-1",
        "identity-" + token.substr(1) + "G.1-of-1", "segments-" + token + "-0-1.1-of-1",
        "segments-" + token + "-0-1-1", "segments-" + token + "-0-1-1.1-of-1/x"}) {
    EXPECT_FALSE(is_own_name(name)) << name;
  }
}

}  // namespace
}  // namespace everyitem::checkpoint
