#include "identity/shared_config_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "base/temporary_home.h"
#include "identity/find_credentials.h"

namespace everyitem::identity {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(SharedConfigCredentials, FindsTheKeysOfEitherFile) {
  for (const char* file : {".aws/credentials", ".aws/config"}) {
    const TemporaryHome home;
    home.write(file,
               "[default]\naws_access_key_id = AKID\naws_secret_access_key = hush/+=\n"
               "aws_session_token = token==\n");
    SharedConfigCredentials provider("", home.environment());
    const auto found = find_credentials(provider);
    ASSERT_TRUE(found) << file;
    EXPECT_EQ(found->access_key_id, "AKID");
    EXPECT_EQ(found->secret_access_key, "hush/+=");
    EXPECT_EQ(found->session_token, "token==");
  }
}

TEST(SharedConfigCredentials, UsesTheProfileOfTheFlag) {
  const TemporaryHome home;
  home.write(".aws/credentials",
             "[default]\naws_access_key_id = wrong\naws_secret_access_key = wrong\n"
             "[prod]\naws_access_key_id = right\naws_secret_access_key = hush\n");
  SharedConfigCredentials provider("prod", home.environment());
  EXPECT_EQ(find_credentials(provider)->access_key_id, "right");
}

TEST(SharedConfigCredentials, ReadsTheFilesAnewEachTime) {
  const TemporaryHome home;
  SharedConfigCredentials provider("", home.environment());
  EXPECT_FALSE(find_credentials(provider));
  home.write(".aws/credentials",
             "[default]\naws_access_key_id = AKID\naws_secret_access_key = hush\n");
  EXPECT_EQ(find_credentials(provider)->access_key_id, "AKID");
}

TEST(SharedConfigCredentials, HasNoneInAProfileWithoutKeysAndSaysWhereItLooked) {
  const TemporaryHome home;
  home.write(".aws/config", "[default]\nregion = eu-west-1\n");
  SharedConfigCredentials provider("", home.environment());
  EXPECT_FALSE(find_credentials(provider));
  EXPECT_EQ(provider.place(), "profile \"default\" in " + home.file(".aws/config") + " and " +
                                  home.file(".aws/credentials") + " (no such file)");
}

TEST(SharedConfigCredentials, HalfAPairIsAnErrorThatNamesWhatIsMissing) {
  const TemporaryHome home;
  SharedConfigCredentials provider("", home.environment());
  home.write(".aws/credentials", "[default]\naws_access_key_id = AKID\n");
  EXPECT_THAT(message_of([&] { find_credentials(provider); }),
              HasSubstr("has aws_access_key_id and no aws_secret_access_key"));
  home.write(".aws/credentials", "[default]\naws_secret_access_key = hush\n");
  EXPECT_THAT(message_of([&] { find_credentials(provider); }),
              AllOf(HasSubstr("has aws_secret_access_key and no aws_access_key_id"),
                    Not(HasSubstr("hush"))));
}

TEST(SharedConfigCredentials, AProfileWhoseCredentialsComeFromElsewhereIsRefusedByName) {
  for (const char* setting : {"role_arn", "web_identity_token_file", "sso_session", "sso_start_url",
                              "credential_process"}) {
    const TemporaryHome home;
    home.write(".aws/config", "[profile prod]\n" + std::string(setting) + " = x\n");
    SharedConfigCredentials provider("prod", home.environment());
    EXPECT_THAT(message_of([&] { find_credentials(provider); }),
                AllOf(HasSubstr("profile \"prod\" has " + std::string(setting)),
                      HasSubstr("aws configure export-credentials --profile prod")));
  }
}

TEST(SharedConfigCredentials, ARoleComesBeforeKeysAndAProgramAfterThem) {
  const TemporaryHome home;
  const std::string keys = "[default]\naws_access_key_id = AKID\naws_secret_access_key = hush\n";
  SharedConfigCredentials provider("", home.environment());
  home.write(".aws/config", keys + "role_arn = x\n");
  EXPECT_THROW(find_credentials(provider), Error);
  home.write(".aws/config", keys + "credential_process = x\n");
  EXPECT_EQ(find_credentials(provider)->access_key_id, "AKID");
}

}  // namespace
}  // namespace everyitem::identity
