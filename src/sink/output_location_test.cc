#include "sink/output_location.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/message_of.h"

namespace everyitem::sink {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string refusal(const std::string& text) {
  return message_of([&] { parse_output_location(text); });
}

TEST(OutputLocation, FilesAndStandardOutput) {
  EXPECT_EQ(parse_output_location("-"), OutputLocation(StandardOutput{}));
  const std::string folder = std::filesystem::temp_directory_path();
  for (const std::string& path :
       {std::string("items.ndjson"), std::string("./a:b"), std::string("./-"),
        folder + "/items.ndjson", std::string("/dev/null")}) {
    EXPECT_EQ(parse_output_location(path), OutputLocation(OutputFile{.path = path}));
    EXPECT_EQ(to_text(parse_output_location(path)), path);
  }
  EXPECT_EQ(to_text(StandardOutput{}), "-");
  EXPECT_THAT(refusal(""), HasSubstr("--to is \"\""));
}

TEST(OutputLocation, FoldersAreRefused) {
  const std::string folder = std::filesystem::temp_directory_path();
  EXPECT_THAT(refusal(folder), AllOf(HasSubstr("--to is"), HasSubstr("a folder")));
  EXPECT_THAT(refusal(folder + "/"), HasSubstr("a folder"));
  EXPECT_THAT(refusal("."), HasSubstr("a folder"));
}

TEST(OutputLocation, MissingFoldersAreNamed) {
  EXPECT_THAT(refusal("/nowhere/items.ndjson"),
              AllOf(HasSubstr("there is no folder /nowhere"), HasSubstr("Create it")));
}

TEST(OutputLocation, AddressesAreNotFiles) {
  EXPECT_THAT(refusal("s3://bucket/key"), HasSubstr("writing to s3:// is not supported"));
  EXPECT_THAT(refusal("https://host/x"), HasSubstr("https://"));
  EXPECT_THAT(refusal("svn+ssh://host/x"), HasSubstr("writing to svn+ssh:// is not supported"));
  EXPECT_THAT(refusal("./s3://key"), HasSubstr("there is no folder")) << "a path";
}

}  // namespace
}  // namespace everyitem::sink
