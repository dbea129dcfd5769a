#include "base/private_folder.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace everyitem {
namespace {

class PrivateFolderTest : public testing::Test {
 public:
  PrivateFolderTest() : umask_(umask(0)) {
    std::string name = testing::TempDir() + "private_folder_XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~PrivateFolderTest() override {
    std::filesystem::remove_all(folder_);
    umask(umask_);
  }

 protected:
  static std::filesystem::perms permissions(const std::filesystem::path& path) {
    return std::filesystem::status(path).permissions();
  }

  mode_t umask_;
  std::filesystem::path folder_;
};

TEST_F(PrivateFolderTest, CreatedFoldersArePrivate) {
  EXPECT_FALSE(make_private_folders(folder_ / "a" / "b"));
  EXPECT_EQ(permissions(folder_ / "a"), std::filesystem::perms(0700));
  EXPECT_EQ(permissions(folder_ / "a" / "b"), std::filesystem::perms(0700));
}

TEST_F(PrivateFolderTest, ExistingFoldersAreNotChanged) {
  mkdir((folder_ / "a").c_str(), 0755);
  EXPECT_FALSE(make_private_folders(folder_ / "a" / "b"));
  EXPECT_FALSE(make_private_folders(folder_ / "a" / "b"));
  EXPECT_FALSE(make_private_folders(""));
  EXPECT_EQ(permissions(folder_ / "a"), std::filesystem::perms(0755));
}

TEST_F(PrivateFolderTest, FileInTheWay) {
  std::ofstream(folder_ / "file") << "x";
  EXPECT_TRUE(make_private_folders(folder_ / "file"));
  EXPECT_TRUE(make_private_folders(folder_ / "file" / "a"));
}

}  // namespace
}  // namespace everyitem
