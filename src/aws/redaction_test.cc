#include "aws/redaction.h"

#include <gtest/gtest.h>

namespace everyitem::aws {
namespace {

const Credentials kCredentials{.access_key_id = "AKIDEXAMPLE00000",
                               .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY",
                               .session_token = "AQoDYXdzEPT//////////wEXAMPLEtc764"};

TEST(Redaction, CredentialsRemovedEverywhere) {
  EXPECT_EQ(without_secrets("AKIDEXAMPLE00000, x-amz-security-token:AQoDYXdzEPT//////////wEXAMPLEtc"
                            "764 and wJalrXUtnFEMI/K7MDENG+bPxRfiCYwJalrXUtnFEMI/K7MDENG+bPxRfiCY",
                            kCredentials),
            "***, x-amz-security-token:*** and ******");
}

TEST(Redaction, OtherTextIsKept) {
  const std::string message = "User: arn:aws:iam::1:user/me is not authorized. It's so, 'a' at 'b'";
  EXPECT_EQ(without_secrets(message, kCredentials), message);
  EXPECT_EQ(without_secrets("the demo table", {.access_key_id = "demo", .secret_access_key = ""}),
            "the demo table");
}

TEST(Redaction, ItemDataIsRemoved) {
  EXPECT_EQ(without_items("2 errors: Value 'jane' at 'key' failed; 'joe's' is too long"),
            "2 errors: Value ... is too long");
  EXPECT_EQ(without_items(R"(cannot take {"pk":{"S":"jane"}} at all)"), "cannot take ... at all");
  EXPECT_EQ(without_items("Value 'cut short"), "Value ...");
  EXPECT_EQ(without_items("at eyJwayI6eyJTIjoiamFuZSJ9LCJuIjp7Ik4iOiIxIn19fQ== or so"),
            "at ... or so");
}

TEST(Redaction, WhatIsTheServicesIsKept) {
  for (const char* message :
       {"", "Rate exceeded for shard shardId-000000000000 in stream orders under account 1.",
        "User: arn:aws:iam::123456789012:user/a-name-that-is-quite-long is not authorized"}) {
    EXPECT_EQ(without_items(message), message);
  }
}

TEST(Redaction, CodesAreWords) {
  EXPECT_TRUE(is_error_code("ProvisionedThroughputExceededException"));
  EXPECT_TRUE(is_error_code("AWS.SimpleQueueService_1"));
  for (const std::string& code : {std::string(), std::string("a code"), std::string("a/b=="),
                                  std::string("{}"), std::string(65, 'x')}) {
    EXPECT_FALSE(is_error_code(code)) << code;
  }
}

TEST(Redaction, LongMessageCutAfterRedaction) {
  const std::string message = without_secrets(
      std::string(kMaxMessageBytes - 3, 'x').append(kCredentials.session_token), kCredentials);
  EXPECT_EQ(message, std::string(kMaxMessageBytes - 3, 'x') + "***");
  EXPECT_EQ(without_secrets(std::string(5000, 'x'), kCredentials).size(), kMaxMessageBytes + 3);
}

}  // namespace
}  // namespace everyitem::aws
