#include "base/own_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace everyitem {
namespace {

class OwnFileTest : public testing::Test {
 public:
  OwnFileTest() : umask_(umask(0)) {
    std::string name = testing::TempDir() + "own_file_XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~OwnFileTest() override {
    std::filesystem::remove_all(folder_);
    umask(umask_);
  }

 protected:
  static std::filesystem::perms permissions(const std::filesystem::path& path) {
    return std::filesystem::status(path).permissions();
  }

  std::string refusal(FileUse use = FileUse::state,
                      FilePresence presence = FilePresence::any) const {
    try {
      open_own_file(path(), presence, use);
    } catch (const FileRefused& refused) {
      return refused.what();
    }
    return "opened";
  }
  std::filesystem::path path() const { return folder_ / "file"; }
  void write(mode_t mode = 0600) const {
    std::ofstream(path()) << "x";
    chmod(path().c_str(), mode);
  }

  mode_t umask_;
  std::filesystem::path folder_;
};

TEST_F(OwnFileTest, CreatedFoldersArePrivate) {
  EXPECT_NO_THROW(make_private_folders(folder_ / "a" / "b"));
  EXPECT_EQ(permissions(folder_ / "a"), std::filesystem::perms(0700));
  EXPECT_EQ(permissions(folder_ / "a" / "b"), std::filesystem::perms(0700));
}

TEST_F(OwnFileTest, ExistingFoldersUnchanged) {
  mkdir((folder_ / "a").c_str(), 0755);
  EXPECT_NO_THROW(make_private_folders(folder_ / "a" / "b"));
  EXPECT_NO_THROW(make_private_folders(folder_ / "a" / "b"));
  EXPECT_NO_THROW(make_private_folders(""));
  EXPECT_EQ(permissions(folder_ / "a"), std::filesystem::perms(0755));
}

TEST_F(OwnFileTest, FileInTheWay) {
  std::ofstream(folder_ / "file") << "x";
  EXPECT_THROW(make_private_folders(folder_ / "file"), FileRefused);
  EXPECT_THROW(make_private_folders(folder_ / "file" / "a"), FileRefused);
}

constexpr FileUse kUses[] = {FileUse::state, FileUse::letters, FileUse::output};

TEST_F(OwnFileTest, NewFilesArePrivate) {
  for (const FileUse use : kUses) {
    EXPECT_EQ(refusal(use, FilePresence::absent), "opened");
    EXPECT_EQ(permissions(path()), std::filesystem::perms(0600));
    EXPECT_EQ(refusal(use, FilePresence::present), "opened");
    EXPECT_EQ(refusal(use, FilePresence::absent), "File exists");
    std::filesystem::remove(path());
    EXPECT_EQ(refusal(use, FilePresence::present), "No such file or directory");
  }
}

// An errno of before says nothing about a file that was created.
TEST_F(OwnFileTest, CreatedFileOpenedOnce) {
  const auto open_files = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  const auto before = open_files();
  errno = EEXIST;
  const Descriptor file = open_own_file(path(), FilePresence::any, FileUse::state);
  EXPECT_EQ(open_files(), before + 1);
}

TEST_F(OwnFileTest, ContentStays) {
  write();
  EXPECT_EQ(refusal(), "opened");
  EXPECT_EQ(std::filesystem::file_size(path()), 1U);
}

TEST_F(OwnFileTest, LinksAndSpecialFiles) {
  for (const FileUse use : kUses) {
    std::filesystem::create_symlink(folder_ / "target", path());
    EXPECT_EQ(refusal(use), "it is a symbolic link");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "target"));
    std::filesystem::remove(path());
    mkfifo(path().c_str(), 0600);
    EXPECT_EQ(refusal(use), "it is not a regular file");
    std::filesystem::remove(path());
    mkdir(path().c_str(), 0700);
    EXPECT_EQ(refusal(use), "it is not a regular file");
    std::filesystem::remove(path());
    write();
    std::filesystem::create_hard_link(path(), folder_ / "second");
    EXPECT_EQ(refusal(use), "the file has more than one name (hard links)");
    std::filesystem::remove(path());
    std::filesystem::remove(folder_ / "second");
  }
}

TEST_F(OwnFileTest, FilesOthersMayUse) {
  for (const mode_t mode : {0602, 0666}) {
    write(mode);
    for (const FileUse use : kUses) {
      EXPECT_THAT(refusal(use), testing::HasSubstr("other users may"));
    }
  }
  for (const mode_t mode : {0604, 0640, 0620}) {
    write(mode);
    EXPECT_EQ(refusal(FileUse::state), "other users may read or write the file");
    EXPECT_EQ(refusal(FileUse::letters), "other users may read or write the file");
    EXPECT_EQ(refusal(FileUse::output), "opened");
  }
  // A volume of Kubernetes with an fsGroup: it gives the group each file when it is mounted.
  chmod(folder_.c_str(), 02770);
  write(0660);
  EXPECT_EQ(refusal(FileUse::state), "opened");
}

TEST_F(OwnFileTest, FoldersOthersMayChange) {
  write();
  chmod(folder_.c_str(), 0777);
  EXPECT_THAT(refusal(FileUse::state), testing::HasSubstr("other users can write to the folder"));
  EXPECT_THAT(refusal(FileUse::letters), testing::HasSubstr("other users can write to the folder"));
  EXPECT_EQ(refusal(FileUse::output), "opened");
  chmod(folder_.c_str(), 01777);  // as /tmp: nobody can replace what is there
  EXPECT_THAT(refusal(FileUse::state), testing::HasSubstr("other users can write to the folder"));
  EXPECT_EQ(refusal(FileUse::letters), "opened");
}

TEST_F(OwnFileTest, OwnedByAnotherUser) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "only root can give a file away";
  }
  constexpr uid_t kOther = 12345;
  write();
  ASSERT_EQ(chown(path().c_str(), kOther, 0), 0);
  for (const FileUse use : kUses) {
    EXPECT_EQ(refusal(use), "the file belongs to another user");
  }
  std::filesystem::remove(path());
  ASSERT_EQ(chown(folder_.c_str(), kOther, 0), 0);
  EXPECT_THAT(refusal(FileUse::state), testing::HasSubstr("belongs to another user"));
  EXPECT_EQ(refusal(FileUse::output), "opened");
}

TEST_F(OwnFileTest, LockedForOneProcess) {
  write();
  {
    const Descriptor first = open_own_file(path(), FilePresence::any, FileUse::output);
    const Descriptor second = open_own_file(path(), FilePresence::any, FileUse::output);
    lock_own_file(first);
    EXPECT_THROW(lock_own_file(second), FileRefused);
  }
  const Descriptor third = open_own_file(path(), FilePresence::any, FileUse::output);
  std::filesystem::remove(path());
  EXPECT_THROW(lock_own_file(third), FileRefused) << "what is locked is not what is there";
}

// An errno of before says nothing about a lock that was taken.
TEST_F(OwnFileTest, LockIgnoresEarlierErrno) {
  const Descriptor file = open_own_file(path(), FilePresence::any, FileUse::output);
  errno = EWOULDBLOCK;
  EXPECT_NO_THROW(lock_own_file(file));
}

TEST_F(OwnFileTest, IdentityFollowsFile) {
  write();
  const std::string id = file_id(path());
  EXPECT_FALSE(id.empty());
  EXPECT_EQ(file_id(open_own_file(path(), FilePresence::any, FileUse::output)), id);
  std::ofstream(path(), std::ios::app) << "more";
  std::filesystem::rename(path(), folder_ / "renamed");
  EXPECT_EQ(file_id(folder_ / "renamed"), id);
  EXPECT_EQ(file_id(path()), "");
  std::filesystem::create_symlink(folder_ / "renamed", path());
  EXPECT_EQ(file_id(path()), "");
}

}  // namespace
}  // namespace everyitem
