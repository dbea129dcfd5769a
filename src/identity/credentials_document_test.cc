#include "identity/credentials_document.h"

#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/message_of.h"
#include "identity/iso_time.h"
#include "support/test_freed_memory.h"

namespace everyitem::identity {
namespace {

aws::Credentials read(std::string_view text) {
  return read_credentials_document(PaddedBuffer(text), "Token");
}

TEST(CredentialsDocument, ReadsSession) {
  const aws::Credentials credentials =
      read(R"({"AccessKeyId":"ASIA","SecretAccessKey":"hush","Token":"token",)"
           R"("Expiration":"2026-11-24T10:00:00Z","RoleArn":"arn","LastUpdated":1})");
  EXPECT_EQ(credentials.access_key_id, "ASIA");
  EXPECT_EQ(credentials.secret_access_key, "hush");
  EXPECT_EQ(credentials.session_token, "token");
  EXPECT_EQ(credentials.expires_at, parse_iso_time("2026-11-24T10:00:00Z"));
}

TEST(CredentialsDocument, FreedMemoryWithoutSecrets) {
  for (const std::string_view secret :
       {"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI\\/K7MDENG+bPxRfiCYEXAMPLEKEY"}) {
    const aws::FreedMemory freed("K7MDENG+bPxRfi");
    const aws::Credentials credentials = read(fmt::format(
        R"({{"AccessKeyId":"ASIA","SecretAccessKey":"{0}","Token":"{0}{0}"}})", secret));
    EXPECT_EQ(credentials.secret_access_key, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    EXPECT_EQ(freed.blocks_with_text(), 1);  // that of the test
  }
}

TEST(CredentialsDocument, ReadsLongLivedKeys) {
  for (const char* text :
       {R"({"AccessKeyId":"AKIA","SecretAccessKey":"hush"})",
        R"({"AccessKeyId":"AKIA","SecretAccessKey":"hush","Token":null,"Expiration":null})",
        R"({"AccessKeyId":"AKIA","SecretAccessKey":"hush","Token":"","Expiration":""})",
        R"({"AccessKeyId":"AKIA","SecretAccessKey":"hush","SessionToken":"of another form"})"}) {
    const aws::Credentials credentials = read(text);
    EXPECT_EQ(credentials.session_token, "") << text;
    EXPECT_FALSE(credentials.expires_at) << text;
  }
}

TEST(CredentialsDocument, UnusableDocumentSaysWhy) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"hush", "is not a JSON object"},
      {"", "is not a JSON object"},
      {R"(["hush"])", "is not a JSON object"},
      {"{}", "has no AccessKeyId"},
      {R"({"SecretAccessKey":"hush"})", "has no AccessKeyId"},
      {R"({"AccessKeyId":"hush"})", "has no SecretAccessKey"},
      {R"({"AccessKeyId":"hush","SecretAccessKey":""})", "has no SecretAccessKey"},
      {R"({"AccessKeyId":"hush","SecretAccessKey":null})", "has no SecretAccessKey"},
      {R"({"AccessKeyId":["hush"]})", "has a non-string AccessKeyId"},
      {R"({"AccessKeyId":"a","SecretAccessKey":"hush","Token":1})", "has a non-string Token"},
      {R"({"AccessKeyId":"a","SecretAccessKey":"b","Expiration":"hush"})",
       "has an Expiration that is not a time such as 2026-11-24T10:00:00Z"},
      {R"({"AccessKeyId":"a","SecretAccessKey":"b","Expiration":1})",
       "has a non-string Expiration"},
  };
  for (const auto& bad : cases) {
    EXPECT_EQ(message_of([&] { read(bad.text); }), bad.message) << bad.text;
  }
}

TEST(CredentialsDocument, ProcessVersionIsRequired) {
  const auto message = [](const char* text) {
    return message_of([&] { require_process_version(*SecretDocument::parse(text)); });
  };
  EXPECT_EQ(message(R"({"Version":1})"), "");
  EXPECT_EQ(message("{}"), "has no Version");
  for (const char* text : {R"({"Version":2})", R"({"Version":"1"})", R"({"Version":[]})"}) {
    EXPECT_EQ(message(text), "has a Version other than 1") << text;
  }
}

}  // namespace
}  // namespace everyitem::identity
