#include "identity/dpop_proof.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/dpop_check.h"
#include "support/test_login_key.h"

namespace everyitem::identity {
namespace {

using testing::MatchesRegex;

constexpr std::string_view kUrl = "https://us-east-1.signin.aws.amazon.com/v1/token";
constexpr std::chrono::system_clock::time_point kNow{std::chrono::seconds(1'795'500'000)};

TEST(DpopProof, IsSignedByKey) {
  Random random(1);
  for (const char* key : {kLoginKey, kLoginKeyInPkcs8}) {
    for (int i = 0; i < 50; ++i) {  // so that some numbers have leading zeros
      const std::optional<std::string> token = dpop_proof(key, kUrl, kNow, random);
      ASSERT_TRUE(token);
      EXPECT_TRUE(verified_dpop_proof(*token)) << *token;
    }
  }
}

TEST(DpopProof, NamesRequestAndTime) {
  Random random(1);
  const auto proof = verified_dpop_proof(*dpop_proof(kLoginKey, kUrl, kNow, random));
  ASSERT_TRUE(proof);
  EXPECT_EQ(proof->payload.at("htm"), "POST");
  EXPECT_EQ(proof->payload.at("htu"), boost::json::value(kUrl));
  EXPECT_EQ(proof->payload.at("iat"), 1'795'500'000);
  EXPECT_THAT(std::string(proof->payload.at("jti").get_string()),
              MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  // The numbers of "openssl ec -text", in base64url.
  EXPECT_EQ(proof->header.at("jwk").at("x"), "nCN0Nk7JLeMBtIpIvWz5Wr8MHPsQTkPX-nZUEZMIvTk");
  EXPECT_EQ(proof->header.at("jwk").at("y"), "XVAy5kxRctDFxXF3ZPkqf6iyiHjLdKUBzpzhunBu69E");
}

TEST(DpopProof, EachHasOwnId) {
  Random random(1);
  const auto first = verified_dpop_proof(*dpop_proof(kLoginKey, kUrl, kNow, random));
  const auto second = verified_dpop_proof(*dpop_proof(kLoginKey, kUrl, kNow, random));
  EXPECT_NE(first->payload.at("jti"), second->payload.at("jti"));
}

TEST(DpopProof, CheckNoticesChanges) {
  Random random(1);
  const std::string token = *dpop_proof(kLoginKey, kUrl, kNow, random);
  for (const std::size_t at : {token.find('.') + 10, token.rfind('.') + 20}) {
    std::string changed = token;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verified_dpop_proof(changed)) << changed;
  }
}

TEST(DpopProof, NothingWithoutUsableKey) {
  Random random(1);
  for (const char* key : {"", "key", kLoginKeyOfAnotherCurve}) {
    EXPECT_FALSE(dpop_proof(key, kUrl, kNow, random)) << key;
  }
}

}  // namespace
}  // namespace everyitem::identity
