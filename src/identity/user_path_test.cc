#include "identity/user_path.h"

#include <gtest/gtest.h>

#include "support/temporary_home.h"

namespace everyitem::identity {
namespace {

TEST(UserPath, ExpandsVariablesThenHome) {
  const Environment environment =
      environment_of({{"HOME", "/home/me"}, {"DIR", "/etc/aws"}, {"TILDE", "~/x"}});
  EXPECT_EQ(expand_path("/a/b", environment), "/a/b");
  EXPECT_EQ(expand_path("~/.aws/config", environment), "/home/me/.aws/config");
  EXPECT_EQ(expand_path("~", environment), "/home/me");
  EXPECT_EQ(expand_path("$DIR/config", environment), "/etc/aws/config");
  EXPECT_EQ(expand_path("${DIR}fig", environment), "/etc/awsfig");
  EXPECT_EQ(expand_path("$HOME/$DIR", environment), "/home/me//etc/aws");
  EXPECT_EQ(expand_path("$TILDE", environment), "/home/me/x");
}

TEST(UserPath, UnknownVariablesStay) {
  for (const char* path : {"/a/$NONE/b", "/a/${NONE}", "/a/${DIR", "/$", "/$$", "/a$/b", "a/~/b"}) {
    EXPECT_EQ(expand_path(path, environment_of({{"DIR", "x"}, {"HOME", "/h"}})), path);
  }
}

TEST(UserPath, NothingWithoutHome) {
  EXPECT_EQ(expand_path("~/.aws/config", environment_of({})), std::nullopt);
  EXPECT_EQ(expand_path("~other/x", environment_of({{"HOME", "/home/me"}})), std::nullopt);
}

}  // namespace
}  // namespace everyitem::identity
