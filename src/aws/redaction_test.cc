#include "aws/redaction.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "aws/percent_encoding.h"

namespace everyitem::aws {
namespace {

const Credentials kCredentials{.access_key_id = "AKIDEXAMPLE00000",
                               .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY",
                               .session_token = "AQoDYXdzEPT//////////wEXAMPLEtc764"};

TEST(Redaction, CredentialsRemovedEverywhere) {
  EXPECT_EQ(without_secrets("AKIDEXAMPLE00000, x-amz-security-token:AQoDYXdzEPT//////////wEXAMPLEtc"
                            "764 and wJalrXUtnFEMI/K7MDENG+bPxRfiCYwJalrXUtnFEMI/K7MDENG+bPxRfiCY",
                            kCredentials),
            "***, x-amz-security-token:*** and ***");
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

TEST(Redaction, ServiceWordingIsKept) {
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

TEST(Redaction, LongMessageCutAfterwards) {
  const std::string message = without_secrets(
      std::string(kMaxMessageBytes - 3, 'x').append(kCredentials.session_token), kCredentials);
  EXPECT_EQ(message, std::string(kMaxMessageBytes - 3, 'x') + "***");
  EXPECT_EQ(without_secrets(std::string(5000, 'x'), kCredentials).size(), kMaxMessageBytes + 3);
}

// How services, gateways and proxies write what they were sent.

std::string percent_encoded(const std::string& text) { return percent_encode(text); }

std::string percent_encoded_small(const std::string& text) {
  std::string encoded;
  for (const unsigned char c : text) {
    encoded += fmt::format("%{:02x}", c);
  }
  return encoded;
}

std::string json_escaped(const std::string& text) {
  std::string encoded;
  for (const char c : text) {
    encoded += c == '/' || c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  }
  return encoded;
}

std::string json_in_numbers(const std::string& text) {
  std::string encoded;
  for (const unsigned char c : text) {
    encoded += fmt::format("\\u{:04X}", c);
  }
  return encoded;
}

std::string xml_escaped(const std::string& text) {
  std::string encoded;
  for (const char c : text) {
    encoded += c == '/' ? "&#x2F;" : c == '+' ? "&#43;" : c == '&' ? "&amp;" : std::string(1, c);
  }
  return encoded;
}

template <std::size_t before>
std::string in_base64(const std::string& text) {
  std::string whole = std::string("xx").substr(0, before);
  whole += text + "and more";
  std::string form(4 * (whole.size() / 3 + 1) + 1, '\0');
  form.resize(static_cast<std::size_t>(EVP_EncodeBlock(
      reinterpret_cast<unsigned char*>(form.data()),
      reinterpret_cast<const unsigned char*>(whole.data()), static_cast<int>(whole.size()))));
  return form;
}

std::string in_base64_of_urls(const std::string& text) {
  std::string form = in_base64<4>(text);
  std::ranges::replace(form, '+', '-');
  std::ranges::replace(form, '/', '_');
  return form;
}

std::string as_it_is(const std::string& text) { return text; }

using Encoding = std::string (*)(const std::string&);

constexpr std::array<Encoding, 6> kEscapes = {as_it_is,     percent_encoded, percent_encoded_small,
                                              json_escaped, json_in_numbers, xml_escaped};
constexpr std::array<Encoding, 5> kForms = {as_it_is, in_base64<0>, in_base64<1>, in_base64<2>,
                                            in_base64_of_urls};

std::string with_escapes_taken_off(const std::string& text, Encoding escape) {
  // From the encoded alphabet: what a reader would look up.
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t taken = 0;
    for (int c = 0x20; c < 0x7f && taken == 0; ++c) {
      const std::string encoded = escape(std::string(1, static_cast<char>(c)));
      if (encoded.size() > 1 && text.compare(at, encoded.size(), encoded) == 0) {
        plain += static_cast<char>(c);
        taken = encoded.size();
      }
    }
    plain += taken == 0 ? text.substr(at, 1) : "";
    at += taken == 0 ? 1 : taken;
  }
  return plain;
}

/// Whether `shown` has 16 characters in a row of `secret`.
bool shows(const std::string& shown, const std::string& secret) {
  for (std::size_t at = 0; at + 16 <= secret.size(); ++at) {
    if (shown.find(secret.substr(at, 16)) != std::string::npos) {
      return true;
    }
  }
  return false;
}

TEST(Redaction, EncodedSecrets) {
  const std::string jwt =
      "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl-c2ln_bmF0dXJl&\"more\\";
  const std::vector<std::string_view> others = {jwt};
  const std::string& key = kCredentials.secret_access_key;
  const std::string& token = kCredentials.session_token;
  for (const std::string& secret : {key, token, jwt}) {
    for (const Encoding form : kForms) {
      for (const Encoding inner : kEscapes) {
        for (const Encoding outer : kEscapes) {
          const std::string echo = outer(inner(form(secret)));
          const std::string shown =
              without_secrets("before " + echo + " after", kCredentials, others);
          const std::string read =
              with_escapes_taken_off(with_escapes_taken_off(shown, outer), inner);
          ASSERT_FALSE(shows(read, form(secret).substr(4, secret.size()))) << shown;
          ASSERT_TRUE(shown.starts_with("before ")) << shown;
          ASSERT_NE(shown.find("***"), std::string::npos);
        }
      }
    }
  }
}

TEST(Redaction, PartsOfASecret) {
  const std::string& token = kCredentials.session_token;
  EXPECT_EQ(without_secrets("token " + token.substr(0, 20) + "... is invalid", kCredentials),
            "token ***... is invalid");
  EXPECT_EQ(without_secrets("token " + token.substr(0, 12), kCredentials),
            "token " + token.substr(0, 12));
}

TEST(Redaction, ShortSecretsAreWords) {
  const std::vector<std::string_view> code = {"123456", "7", ""};
  EXPECT_EQ(without_secrets("code 123456, \"123456\", 1234567, 7", {}, code),
            "code ***, \"***\", 1234567, 7");
  EXPECT_EQ(without_secrets("code=%31%32%33%34%35%36", {}, code), "code=***");
  EXPECT_EQ(without_secrets("123456", {}, code), "***");
}

TEST(Redaction, NothingEncodedIsLost) {
  for (const char* message : {"100% of &amp; %zz \\", "%2", "&", "&#x110000000;", "\\u12", "%"}) {
    EXPECT_EQ(without_secrets(message, kCredentials), message);
  }
}

}  // namespace
}  // namespace everyitem::aws
