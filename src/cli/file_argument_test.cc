#include "cli/file_argument.h"

#include <sys/stat.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/message_of.h"
#include "options/scan_options.h"
#include "support/temporary_home.h"

namespace everyitem::cli {
namespace {

class FileArgumentTest : public testing::Test {
 protected:
  options::GivenSettings read(options::GivenSettings given) {
    files_ = read_file_arguments(options::scan_entries(), given,
                                 environment_of({{"HOME", home_.file("")}}));
    return given;
  }
  std::string refusal(const std::string& text) {
    return message_of([&] { read({{"values", text}}); });
  }

  TemporaryHome home_;
  ArgumentFiles files_;
};

TEST_F(FileArgumentTest, ContentTakesThePlace) {
  home_.write("v.json", "{\":a\": {\"S\": \"x\"}}\n");
  const std::string path = home_.file("v.json");
  EXPECT_EQ(read({{"values", "file://" + path}, {"table", "file://" + path}}),
            (options::GivenSettings{{"values", "{\":a\": {\"S\": \"x\"}}"},
                                    {"table", "file://" + path}}));
  EXPECT_EQ(files_, (ArgumentFiles{{"values", path}}));
  for (const char* name : {"filter", "projection", "names", "values"}) {
    EXPECT_EQ(read({{name, "file://~/v.json"}}).at(name), "{\":a\": {\"S\": \"x\"}}") << name;
  }
  EXPECT_EQ(read({{"filter", "a = :a"}}).at("filter"), "a = :a");
  EXPECT_EQ(read({{"filter", "fileb://x"}}).at("filter"), "fileb://x");
}

TEST_F(FileArgumentTest, UnreadableFilesAreNamed) {
  home_.write("blank", " \n\t\r\n");
  home_.write("large", std::string((4U << 20) + 1, ' '));
  for (const auto& [path, says] : std::map<std::string, std::string>{
           {home_.file("none"), "No such file or directory"},
           {home_.file("."), "Is a directory"},
           {home_.file("blank"), "it is empty"},
           {home_.file("large"), "it has more than 4194304 bytes"}}) {
    EXPECT_EQ(refusal("file://" + path),
              fmt::format("--values cannot be read from {}: {}", path, says));
  }
}

TEST(ArgumentFiles, NamedWithTheirSetting) {
  const ArgumentFiles files = {{"values", "v.json"}, {"filter", "f.txt"}};
  EXPECT_STREQ(with_files_named(usage_error("--values is odd", "Mend it."), files).what(),
               "--values is odd. Mend it. --values was read from v.json.");
  EXPECT_STREQ(with_files_named(usage_error("--table is odd"), files).what(), "--table is odd");
}

}  // namespace
}  // namespace everyitem::cli
