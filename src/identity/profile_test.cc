#include "identity/profile.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "support/temporary_home.h"

namespace everyitem::identity {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(LoadProfile, FlagVariableThenDefault) {
  const TemporaryHome home;
  home.write(".aws/config", "[default]\n[profile variable]\n[profile flag]\n");
  EXPECT_EQ(load_profile("flag", home.environment({{"AWS_PROFILE", "variable"}})).name, "flag");
  EXPECT_EQ(load_profile("", home.environment({{"AWS_PROFILE", "variable"}})).name, "variable");
  EXPECT_EQ(load_profile("", home.environment()).name, "default");
}

TEST(LoadProfile, CredentialsFileComesFirst) {
  const TemporaryHome home;
  home.write(".aws/config", "[profile x]\nregion = eu-west-1\naws_access_key_id = config\n");
  home.write(".aws/credentials", "[x]\naws_access_key_id = credentials\n");
  const Profile profile = load_profile("x", home.environment());
  EXPECT_EQ(profile.setting("region"), "eu-west-1");
  EXPECT_EQ(profile.setting("aws_access_key_id"), "credentials");
  EXPECT_EQ(profile.setting("output"), "");
}

TEST(LoadProfile, TokenStaysWithKeys) {
  const TemporaryHome home;
  home.write(
      ".aws/config",
      "[default]\naws_access_key_id = a\naws_secret_access_key = b\naws_session_token = c\n");
  home.write(".aws/credentials", "[default]\naws_access_key_id = d\naws_secret_access_key = e\n");
  EXPECT_EQ(load_profile("", home.environment()).setting("aws_session_token"), "");
}

TEST(LoadProfile, MissingProfileListsPlaces) {
  const TemporaryHome home;
  home.write(".aws/config", "[profile prod]\n");
  const auto message_with = [&](const char* flag, const Variables& variables) {
    return message_of([&] { load_profile(flag, home.environment(variables)); });
  };
  const auto places =
      AllOf(HasSubstr("\"pord\""), HasSubstr(home.file(".aws/config") + " (no such profile)"),
            HasSubstr(home.file(".aws/credentials") + " (no such file)"));
  EXPECT_THAT(message_with("pord", {}), AllOf(HasSubstr("--profile"), places));
  EXPECT_THAT(message_with("", {{"AWS_PROFILE", "pord"}}), AllOf(HasSubstr("AWS_PROFILE"), places));
}

TEST(LoadProfile, NamesUnreadFiles) {
  const TemporaryHome home;
  const Profile profile =
      load_profile("", home.environment({{"AWS_SHARED_CREDENTIALS_FILE", home.file(".aws")}}));
  EXPECT_THAT(profile.unread_files, ElementsAre(home.file(".aws") + ": Is a directory"));
  EXPECT_THAT(profile.place, HasSubstr(home.file(".aws") + " (Is a directory)"));
}

TEST(LoadProfile, MissingDefaultIsEmpty) {
  const Profile profile = load_profile("", environment_of({}));
  EXPECT_TRUE(profile.settings.empty());
  EXPECT_EQ(profile.place,
            "profile \"default\" in ~/.aws/config (no such file) and ~/.aws/credentials (no such "
            "file)");
}

TEST(LoadProfile, ReadsServicesSection) {
  const TemporaryHome home;
  home.write(".aws/config",
             "[default]\nservices = local\n"
             "[services local]\ndynamodb =\n  endpoint_url = http://localhost:8000\n"
             "[services other]\nkinesis =\n  endpoint_url = http://localhost:4567\n");
  const Profile profile = load_profile("", home.environment());
  EXPECT_EQ(profile.service_setting("dynamodb", "endpoint_url"), "http://localhost:8000");
  EXPECT_EQ(profile.service_setting("dynamodb", "other"), "");
  EXPECT_EQ(profile.service_setting("kinesis", "endpoint_url"), "");
}

TEST(LoadProfile, MissingServicesSectionFails) {
  const TemporaryHome home;
  home.write(".aws/config", "[default]\nservices = lcoal\n");
  EXPECT_THAT(message_of([&] { load_profile("", home.environment()); }),
              AllOf(HasSubstr("[services lcoal]"), HasSubstr(home.file(".aws/config"))));
}

TEST(LoadProfile, NamesExposedFile) {
  const TemporaryHome home;
  home.write(".aws/config", "[profile a]\nregion = x\n");
  home.write(".aws/credentials", "[a]\naws_secret_access_key = hush\n[b]\nregion = x\n");
  const std::filesystem::path file = home.file(".aws/credentials");
  using std::filesystem::perms;
  std::filesystem::permissions(file, perms::owner_read | perms::group_read | perms::others_read);
  EXPECT_EQ(load_profile("a", home.environment()).exposed_file, file);
  EXPECT_EQ(load_profile("b", home.environment()).exposed_file, "");
  std::filesystem::permissions(file, perms::owner_read | perms::group_read);
  EXPECT_EQ(load_profile("a", home.environment()).exposed_file, "");
}

TEST(LoadProfile, ReadsSsoSession) {
  const TemporaryHome home;
  home.write(".aws/config",
             "[default]\nsso_session = x\n[profile other]\nsso_session = y\n[profile none]\n"
             "[sso-session x]\nsso_region = eu-west-1\n");
  EXPECT_EQ(load_profile("", home.environment()).sso_session,
            (Settings{{"sso_region", "eu-west-1"}}));
  EXPECT_FALSE(load_profile("other", home.environment()).sso_session);
  EXPECT_FALSE(load_profile("none", home.environment()).sso_session);
}

}  // namespace
}  // namespace everyitem::identity
