#include "base/file_path.h"

#include <gtest/gtest.h>

namespace everyitem {
namespace {

std::string fault(std::string_view path) {
  const auto found = fault_of_path(path);
  return found ? found->fault : "";
}

TEST(FilePath, FilesThereOrNot) {
  for (const std::string_view path : {"items.ndjson", "/dev/null", "/nowhere/items", "./-"}) {
    EXPECT_EQ(fault(path), "") << path;
  }
}

TEST(FilePath, FoldersAreNoFiles) {
  for (const std::string& path :
       {testing::TempDir(), std::string("/"), std::string("."), std::string("nowhere/")}) {
    EXPECT_EQ(fault(path), "a folder, not a file") << path;
  }
  EXPECT_EQ(fault(""), "not a file's path");
}

TEST(FilePath, LinuxLimitsLengths) {
  EXPECT_EQ(fault("/tmp/" + std::string(255, 'a')), "");
  EXPECT_EQ(fault("/tmp/" + std::string(256, 'a')), "a name is longer than 255 bytes");
  EXPECT_EQ(fault("/" + std::string(256, 'a') + "/b"), "a name is longer than 255 bytes");
  std::string path = "/";
  while (path.size() < 4095) {
    path += "a/";
  }
  EXPECT_EQ(path.size(), 4095U);
  path.back() = 'b';
  EXPECT_EQ(fault(path), "");
  EXPECT_EQ(fault(path + "b"), "longer than 4095 bytes");
}

}  // namespace
}  // namespace everyitem
