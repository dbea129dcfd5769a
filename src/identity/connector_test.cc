#include "identity/connector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_connector.h"

namespace everyitem::identity {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Connector, NoticeForExposedKey) {
  Profile profile = profile_with({});
  EXPECT_THAT(TestConnector(environment_of({}), profile).notices, IsEmpty());
  profile.exposed_file = "/home/me/.aws/credentials";
  EXPECT_THAT(TestConnector(environment_of({}), profile).notices,
              ElementsAre(AllOf(HasSubstr("every user of this machine can read"),
                                HasSubstr("chmod 600 /home/me/.aws/credentials"))));
}

TEST(Connector, NoticeForUnreadFile) {
  Profile profile = profile_with({});
  profile.unread_files = {"/home/me/.aws/config: Is a directory"};
  EXPECT_THAT(TestConnector(environment_of({}), profile).notices,
              ElementsAre(HasSubstr("cannot read /home/me/.aws/config: Is a directory")));
}

}  // namespace
}  // namespace everyitem::identity
