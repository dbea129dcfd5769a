#include "sink/dead_letter_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/run_to_end.h"

namespace everyitem::sink {
namespace {

const DeadLetterOrigin kOrigin{.table = "orders", .destination = "backfill"};

DeadLetter letter(std::uint32_t segment) {
  return {.segment = segment,
          .attempts = 2,
          .code = {},
          .reason = "too \"large\"",
          .key = R"({"pk":{"S":"a"}})",
          .item = R"({"pk":{"S":"a"},"n":{"N":"1"}})"};
}

class DeadLetterFileTest : public testing::Test {
 public:
  DeadLetterFileTest() {
    std::string name = testing::TempDir() + "dead_letters_XXXXXX";
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/letters.ndjson";
  }
  ~DeadLetterFileTest() override { std::filesystem::remove_all(folder_); }

 protected:
  static void write(DeadLetterFile& file, std::vector<DeadLetter> letters) {
    run_to_end(file.write(std::move(letters)));
  }

  void write(bool restart, std::vector<DeadLetter> letters) const {
    DeadLetterFile file(path_, kOrigin);
    if (restart) {
      file.discard_earlier();
    }
    write(file, std::move(letters));
  }

  /// The segments that its lines name.
  std::vector<std::int64_t> segments() const {
    std::vector<std::int64_t> found;
    std::ifstream lines(path_);
    for (std::string line; std::getline(lines, line);) {
      found.push_back(boost::json::parse(line).at("segment").as_int64());
    }
    return found;
  }

  std::string folder_;
  std::string path_;
};

using Segments = std::vector<std::int64_t>;

TEST_F(DeadLetterFileTest, OneLinePerLetter) {
  EXPECT_EQ(
      to_line(kOrigin, letter(3)),
      R"({"table":"orders","destination":"backfill","segment":3,"attempts":2,"reason":"too \"large\"",)"
      R"("key":{"pk":{"S":"a"}},"item":{"pk":{"S":"a"},"n":{"N":"1"}}})"
      "\n");
}

TEST_F(DeadLetterFileTest, CodeAndMissingKey) {
  DeadLetter refused = letter(0);
  refused.code = "InvalidArgumentException";
  refused.key.clear();
  refused.item = "{\n}";
  EXPECT_EQ(to_line(kOrigin, refused),
            R"({"table":"orders","destination":"backfill","segment":0,"attempts":2,)"
            R"("code":"InvalidArgumentException","reason":"too \"large\"","key":null,"item":{ }})"
            "\n");
}

TEST_F(DeadLetterFileTest, NoLetterNoFile) {
  { const DeadLetterFile file(path_, kOrigin); }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(DeadLetterFileTest, ReadableByItsOwnerOnly) {
  write(false, {letter(1)});
  EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(0600));
}

TEST_F(DeadLetterFileTest, ResumeAppendsAfterLastWholeLine) {
  write(false, {letter(1), letter(2)});
  std::ofstream(path_, std::ios::app) << R"({"table":"orde)";
  write(false, {letter(3)});
  EXPECT_EQ(segments(), (Segments{1, 2, 3}));
}

TEST_F(DeadLetterFileTest, RestartDiscardsOldLetters) {
  write(false, {letter(1)});
  { const DeadLetterFile file(path_, kOrigin); }
  EXPECT_EQ(segments(), Segments{1}) << "discarded before the new run has begun";
  write(true, {});
  EXPECT_EQ(segments(), Segments{});
  write(true, {letter(2)});
  EXPECT_EQ(segments(), Segments{2});
}

TEST_F(DeadLetterFileTest, FirstLetterCreatesFolder) {
  path_ = folder_ + "/a/b/letters.ndjson";
  { const DeadLetterFile file(path_, kOrigin); }
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/a"));
  write(false, {letter(1)});
  EXPECT_EQ(segments(), Segments{1});
}

TEST_F(DeadLetterFileTest, UnwritablePathFailsAtOnce) {
  std::ofstream(path_) << "";
  try {
    const DeadLetterFile file(path_ + "/letters", kOrigin);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("--dead-letters"), std::string::npos) << error.what();
  }
}

TEST_F(DeadLetterFileTest, FullDiskIsAnError) {
  DeadLetterFile file("/dev/full", kOrigin);
  EXPECT_THROW(write(file, {letter(1)}), Error);
}

}  // namespace
}  // namespace everyitem::sink
