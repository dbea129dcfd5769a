#include "identity/shared_config_file.h"

#include <unistd.h>

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "support/temporary_home.h"

namespace everyitem::identity {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

SharedConfigFile parse_config(std::string_view text) {
  return parse_shared_config(text, SharedConfigKind::config, "/home/me/.aws/config");
}

SharedConfigFile parse_credentials(std::string_view text) {
  return parse_shared_config(text, SharedConfigKind::credentials, "/home/me/.aws/credentials");
}

Settings only_profile(const SharedConfigFile& file, const std::string& name) {
  EXPECT_THAT(file.profiles, UnorderedElementsAre(Pair(name, testing::_)));
  const auto profile = file.profiles.find(name);
  return profile == file.profiles.end() ? Settings() : profile->second.settings;
}

TEST(SharedConfigFile, HeadingsDifferBetweenFiles) {
  constexpr std::string_view kText = "[default]\na=1\n[profile one]\na=2\n[two]\na=3\n";
  const SharedConfigFile config = parse_config(kText);
  const SharedConfigFile credentials = parse_credentials(kText);
  EXPECT_THAT(config.profiles,
              UnorderedElementsAre(Pair("default", testing::_), Pair("one", testing::_)));
  EXPECT_THAT(credentials.profiles,
              UnorderedElementsAre(Pair("default", testing::_), Pair("two", testing::_)));
  EXPECT_EQ(config.profiles.at("one").settings.at("a"), "2");
  EXPECT_EQ(credentials.profiles.at("two").settings.at("a"), "3");
}

TEST(SharedConfigFile, HeadingSpacesQuotesComments) {
  for (const char* heading :
       {"[profile my team]", "[ profile\tmy team ]", "[profile \"my team\"]", "[profile 'my team']",
        "[profile my team] # of payments", "[profile my team];x", "[profile my team] /* x */"}) {
    const SharedConfigFile file = parse_config(std::string(heading) + "\nregion = eu-west-1\n");
    EXPECT_THAT(only_profile(file, "my team"), UnorderedElementsAre(Pair("region", "eu-west-1")))
        << heading;
  }
}

TEST(SharedConfigFile, ProfileDefaultReplacesDefault) {
  for (const char* text : {"[default]\na=1\nb=1\n[profile default]\na=2\n",
                           "[profile default]\na=2\n[default]\na=1\nb=1\n"}) {
    EXPECT_THAT(only_profile(parse_config(text), "default"), UnorderedElementsAre(Pair("a", "2")))
        << text;
  }
}

TEST(SharedConfigFile, LaterMergedValueWins) {
  const SharedConfigFile file =
      parse_credentials("[x]\na = 1\nb = 1\n[y]\n[x]\nb = 2\nc = 2\nc = 3\n");
  EXPECT_THAT(file.profiles.at("x").settings,
              UnorderedElementsAre(Pair("a", "1"), Pair("b", "2"), Pair("c", "3")));
}

TEST(SharedConfigFile, CommentPlaces) {
  const SharedConfigFile file = parse_config(
      "# one\n; two\n[default]\n  # three\na = x # four\nb = x\t; five\nc = x#y;z\nd = # six\n");
  EXPECT_THAT(
      only_profile(file, "default"),
      UnorderedElementsAre(Pair("a", "x"), Pair("b", "x"), Pair("c", "x#y;z"), Pair("d", "")));
}

TEST(SharedConfigFile, SpacesAreTrimmed) {
  const SharedConfigFile file = parse_config("[default]\n\n  \t\na=1\nb  =  2 3  \nc\t=\t\n");
  EXPECT_THAT(only_profile(file, "default"),
              UnorderedElementsAre(Pair("a", "1"), Pair("b", "2 3"), Pair("c", "")));
}

TEST(SharedConfigFile, EqualsSignsAndQuotes) {
  const SharedConfigFile file = parse_config("[default]\na = b=c==\nd = \"e\"\n");
  EXPECT_THAT(only_profile(file, "default"),
              UnorderedElementsAre(Pair("a", "b=c=="), Pair("d", "\"e\"")));
}

TEST(SharedConfigFile, ColonSeparatesToo) {
  const SharedConfigFile file = parse_config(
      "[default]\nregion: eu-west-1\na:b=c\nd = e:f\ns3:\n  endpoint_url = http://x:1\n");
  const ConfigSection& profile = file.profiles.at("default");
  EXPECT_THAT(profile.settings, UnorderedElementsAre(Pair("region", "eu-west-1"), Pair("a", "b=c"),
                                                     Pair("d", "e:f"), Pair("s3", "")));
  EXPECT_THAT(profile.nested.at("s3"), UnorderedElementsAre(Pair("endpoint_url", "http://x:1")));
}

TEST(SharedConfigFile, CaseInsensitiveSettingNames) {
  const SharedConfigFile file = parse_config("[default]\nRegion = a\nREGION = b\n");
  EXPECT_THAT(only_profile(file, "default"), UnorderedElementsAre(Pair("region", "b")));
}

TEST(SharedConfigFile, BomAndCarriageReturns) {
  const SharedConfigFile file = parse_config("\xef\xbb\xbf[default]\r\na = 1\r\n\r\nb = 2");
  EXPECT_THAT(only_profile(file, "default"), UnorderedElementsAre(Pair("a", "1"), Pair("b", "2")));
}

TEST(SharedConfigFile, CarriageReturnsEndLines) {
  const SharedConfigFile file = parse_config("[default]\ra = 1\r\rb =\r  c = 2\r");
  EXPECT_THAT(file.profiles.at("default").settings,
              UnorderedElementsAre(Pair("a", "1"), Pair("b", "")));
  EXPECT_THAT(file.profiles.at("default").nested.at("b"), UnorderedElementsAre(Pair("c", "2")));
}

TEST(SharedConfigFile, IndentedSettingsAreNested) {
  const SharedConfigFile file = parse_config(
      "[default]\n"
      "s3 =\n"
      "  region = nested\n"
      "\n"
      "  # a comment\n"
      "  max_concurrent_requests = 20 # more\n"
      "region = eu-west-1\n");
  const ConfigSection& profile = file.profiles.at("default");
  EXPECT_THAT(profile.settings, UnorderedElementsAre(Pair("s3", ""), Pair("region", "eu-west-1")));
  EXPECT_THAT(profile.nested.at("s3"), UnorderedElementsAre(Pair("region", "nested"),
                                                            Pair("max_concurrent_requests", "20")));
}

TEST(SharedConfigFile, IndentedSectionNotNested) {
  const SharedConfigFile file =
      parse_config("[default]\n  region = eu-west-1\n  output = json\n  s3 =\n    a = 1\n");
  const ConfigSection& profile = file.profiles.at("default");
  EXPECT_THAT(profile.settings, UnorderedElementsAre(Pair("region", "eu-west-1"),
                                                     Pair("output", "json"), Pair("s3", "")));
  EXPECT_THAT(profile.nested.at("s3"), UnorderedElementsAre(Pair("a", "1")));
}

TEST(SharedConfigFile, NestingEndsAtHeading) {
  const SharedConfigFile file = parse_config("[profile a]\nx = 1\n[profile b]\n  y = 2\n");
  EXPECT_THAT(file.profiles.at("a").settings, UnorderedElementsAre(Pair("x", "1")));
  EXPECT_THAT(file.profiles.at("b").settings, UnorderedElementsAre(Pair("y", "2")));
}

TEST(SharedConfigFile, RepeatedSettingReplacesNested) {
  const SharedConfigFile file = parse_config("[default]\ns3 =\n  a = 1\ns3 =\n  b = 2\n");
  EXPECT_THAT(file.profiles.at("default").nested.at("s3"), UnorderedElementsAre(Pair("b", "2")));
}

TEST(SharedConfigFile, IndentedLineContinuesValue) {
  const SharedConfigFile file = parse_config("[default]\na = 1\n  2\n  b = 3\nc = 4\n");
  EXPECT_THAT(only_profile(file, "default"),
              UnorderedElementsAre(Pair("a", "1\n2\nb = 3"), Pair("c", "4")));
}

TEST(SharedConfigFile, ServicesNestedByService) {
  const SharedConfigFile file = parse_config(
      "[services local]\n"
      "dynamodb =\n  endpoint_url = http://localhost:8000\n"
      "kinesis =\n  endpoint_url = http://localhost:4567\n");
  const ConfigSection& services = file.services.at("local");
  EXPECT_EQ(services.nested.at("dynamodb").at("endpoint_url"), "http://localhost:8000");
  EXPECT_EQ(services.nested.at("kinesis").at("endpoint_url"), "http://localhost:4567");
}

TEST(SharedConfigFile, OtherSectionsAreIgnored) {
  const SharedConfigFile file = parse_config(
      "[sso-sessions x]\nsso_region = a\n[preview]\nb = c\n[plugins]\n[services]\n"
      "[sso-session]\n");
  EXPECT_THAT(file.profiles, IsEmpty());
  EXPECT_THAT(file.services, IsEmpty());
  EXPECT_THAT(file.sso_sessions, IsEmpty());
}

TEST(SharedConfigFile, SsoSessionsByName) {
  constexpr std::string_view kText =
      "[sso-session my-sso]\nsso_region = eu-west-1\n[sso-session 'my other']\na = 1\n";
  const SharedConfigFile file = parse_config(kText);
  EXPECT_THAT(file.sso_sessions,
              UnorderedElementsAre(Pair("my-sso", testing::_), Pair("my other", testing::_)));
  EXPECT_EQ(file.sso_sessions.at("my-sso").settings.at("sso_region"), "eu-west-1");
  EXPECT_THAT(parse_credentials(kText).sso_sessions, IsEmpty());
}

TEST(SharedConfigFile, NoProfilesWhenEmpty) { EXPECT_THAT(parse_config("").profiles, IsEmpty()); }

TEST(SharedConfigFile, InvalidLineOnlyNumbered) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"[default]\nsecret", "config:2: expected \"name = value\""},
      {"[default]\n= secret", "config:2: expected a name before \"=\""},
      {"secret = 1\n", "config:1: a setting before the first heading"},
      {"\n\n[secret\n", "config:3: expected a heading"},
      {"[default]\r\nx = 1\r\nsecret", "config:3: expected \"name = value\""},
      {"[default]\rx = 1\rsecret", "config:3: expected \"name = value\""},
      {"[default]\nx = secret\xff\n", "config:2: not UTF-8"},
      {"[default]\ns3 =\n  secret\n", "config:3: expected \"name = value\""},
  };
  for (const auto& bad : cases) {
    EXPECT_THAT(message_of([&] { parse_config(bad.text); }),
                AllOf(HasSubstr(bad.message), Not(HasSubstr("secret"))))
        << bad.text;
  }
}

TEST(LoadSharedConfig, ReadsFilesInHome) {
  const TemporaryHome home;
  home.write(".aws/config", "[default]\nregion = eu-west-1\n");
  home.write(".aws/credentials", "[default]\naws_access_key_id = AKID\n");
  const SharedConfig files = load_shared_config(home.environment());
  EXPECT_EQ(files.config.problem, "");
  EXPECT_EQ(files.config.path, home.file(".aws/config"));
  EXPECT_EQ(files.config.content.profiles.at("default").settings.at("region"), "eu-west-1");
  EXPECT_EQ(files.credentials.problem, "");
  EXPECT_EQ(files.credentials.content.profiles.at("default").settings.at("aws_access_key_id"),
            "AKID");
}

TEST(LoadSharedConfig, VariablesNameOtherFiles) {
  const TemporaryHome home;
  home.write(".aws/config", "[default]\nregion = wrong\n");
  home.write("my config", "[default]\nregion = right\n");
  home.write("my credentials", "[other]\n");
  const SharedConfig files = load_shared_config(
      home.environment({{"AWS_CONFIG_FILE", "~/my config"},
                        {"AWS_SHARED_CREDENTIALS_FILE", home.file("my credentials")}}));
  EXPECT_EQ(files.config.content.profiles.at("default").settings.at("region"), "right");
  EXPECT_TRUE(files.credentials.content.profiles.contains("other"));
}

TEST(LoadSharedConfig, MissingFileIsEmpty) {
  const TemporaryHome home;
  const SharedConfig files =
      load_shared_config(home.environment({{"AWS_CONFIG_FILE", home.file("none/config")}}));
  EXPECT_EQ(files.config.problem, "no such file");
  EXPECT_EQ(files.credentials.problem, "no such file");
  EXPECT_THAT(files.config.content.profiles, IsEmpty());
}

TEST(LoadSharedConfig, NothingWithoutHome) {
  // Not even if the current folder has one named "~".
  const TemporaryHome current;
  std::filesystem::create_directories(current.file("~/.aws"));
  current.write("~/.aws/config", "[default]\nregion = eu-west-1\n");
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(current.file(""));
  const SharedConfig files = load_shared_config(environment_of({}));
  std::filesystem::current_path(before);
  EXPECT_EQ(files.config.problem, "no such file");
  EXPECT_EQ(files.config.path, "~/.aws/config");
  EXPECT_THAT(files.config.content.profiles, IsEmpty());
}

TEST(LoadSharedConfig, ForbiddenFileUnread) {
  if (geteuid() == 0) {
    GTEST_SKIP() << "root may read everything";
  }
  const TemporaryHome home;
  home.write(".aws/credentials", "[default]\n");
  std::filesystem::permissions(home.file(".aws/credentials"), std::filesystem::perms::none);
  const SharedConfig files = load_shared_config(home.environment());
  EXPECT_EQ(files.credentials.problem, "Permission denied");
  EXPECT_FALSE(files.credentials.absent);
}

TEST(LoadSharedConfig, FolderOrDeviceUnread) {
  const TemporaryHome home;
  const SharedConfig files = load_shared_config(home.environment(
      {{"AWS_CONFIG_FILE", home.file(".aws")}, {"AWS_SHARED_CREDENTIALS_FILE", "/dev/null"}}));
  EXPECT_EQ(files.config.problem, "Is a directory");
  EXPECT_FALSE(files.config.absent);
  EXPECT_EQ(files.credentials.problem, "not a file");
  EXPECT_TRUE(files.credentials.absent);
}

}  // namespace
}  // namespace everyitem::identity
