#include "aws/redaction.h"

#include <gtest/gtest.h>

namespace everyitem::aws {
namespace {

const Credentials kCredentials{.access_key_id = "AKIDEXAMPLE00000",
                               .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY",
                               .session_token = "AQoDYXdzEPT//////////wEXAMPLEtc764"};

TEST(Redaction, CredentialsAreTakenOutWhereverTheyStand) {
  EXPECT_EQ(without_secrets("AKIDEXAMPLE00000, x-amz-security-token:AQoDYXdzEPT//////////wEXAMPLEtc"
                            "764 and wJalrXUtnFEMI/K7MDENG+bPxRfiCYwJalrXUtnFEMI/K7MDENG+bPxRfiCY",
                            kCredentials),
            "***, x-amz-security-token:*** and ******");
}

TEST(Redaction, WhatAServiceSaysOtherwiseIsKept) {
  const std::string message = "User: arn:aws:iam::1:user/me is not authorized. It's so, 'a' at 'b'";
  EXPECT_EQ(without_secrets(message, kCredentials), message);
  EXPECT_EQ(without_secrets("the demo table", {.access_key_id = "demo", .secret_access_key = ""}),
            "the demo table");
}

TEST(Redaction, QuotedValuesAreTakenOut) {
  EXPECT_EQ(without_secrets("2 validation errors detected: Value 'jane' at 'a.1.key' failed; Value "
                            "'it's' at 'a.2.key' failed",
                            kCredentials),
            "2 validation errors detected: Value '...' at 'a.1.key' failed; Value '...' at "
            "'a.2.key' failed");
  EXPECT_EQ(without_secrets("Value 'cut short", kCredentials), "Value '...");
}

TEST(Redaction, ALongMessageIsCutBehindItsSecrets) {
  const std::string message = without_secrets(
      std::string(kMaxMessageBytes - 3, 'x') + kCredentials.session_token, kCredentials);
  EXPECT_EQ(message, std::string(kMaxMessageBytes - 3, 'x') + "***");
  EXPECT_EQ(without_secrets(std::string(5000, 'x'), kCredentials).size(), kMaxMessageBytes + 3);
}

}  // namespace
}  // namespace everyitem::aws
