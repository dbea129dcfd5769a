#include "sink/dead_letter_file.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/run_to_end.h"

namespace everyitem::sink {
namespace {

const DeadLetterOrigin kOrigin{.table = "orders", .destination = "backfill", .token = "0123abcd"};

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

  void write_letters(const std::string& run, std::vector<DeadLetter> letters) const {
    DeadLetterFile file(path_, origin(run));
    write(file, std::move(letters));
  }
  static DeadLetterOrigin origin(const std::string& run) {
    DeadLetterOrigin origin = kOrigin;
    origin.token = run;
    return origin;
  }
  std::string refusal(const std::string& run) const {
    try {
      const DeadLetterFile file(path_, origin(run));
    } catch (const Error& error) {
      return error.what();
    }
    return "taken";
  }
  std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
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
      R"({"run":"0123abcd","table":"orders","destination":"backfill","segment":3,"attempts":2,"reason":"too \"large\"",)"
      R"("key":{"pk":{"S":"a"}},"item":{"pk":{"S":"a"},"n":{"N":"1"}}})"
      "\n");
}

TEST_F(DeadLetterFileTest, CodeAndMissingKey) {
  DeadLetter refused = letter(0);
  refused.code = "InvalidArgumentException";
  refused.key.clear();
  refused.item = "{\n}";
  EXPECT_EQ(
      to_line(kOrigin, refused),
      R"({"run":"0123abcd","table":"orders","destination":"backfill","segment":0,"attempts":2,)"
      R"("code":"InvalidArgumentException","reason":"too \"large\"","key":null,"item":{ }})"
      "\n");
}

TEST_F(DeadLetterFileTest, NoLetterNoFile) {
  { const DeadLetterFile file(path_, kOrigin); }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(DeadLetterFileTest, ReadableByOwnerOnly) {
  write_letters("a", {letter(1)});
  EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(0600));
}

TEST_F(DeadLetterFileTest, ResumeAppendsWholeLines) {
  write_letters("a", {letter(1), letter(2)});
  std::ofstream(path_, std::ios::app) << R"({"run":"a","table":"orde)";
  write_letters("a", {letter(3)});
  EXPECT_EQ(segments(), (Segments{1, 2, 3}));
}

TEST_F(DeadLetterFileTest, FirstLetterCutOff) {
  for (const char* begun : {"", R"({"ru)", R"({"run":"a","table":"orde)"}) {
    std::ofstream(path_) << begun;
    std::filesystem::permissions(path_, std::filesystem::perms(0600));
    write_letters("a", {letter(3)});
    EXPECT_EQ(segments(), Segments{3});
  }
}

TEST_F(DeadLetterFileTest, OnlyReplacedLettersGo) {
  write_letters("a", {letter(1)});
  DeadLetterFile next(path_, origin("b"), {.path = path_, .run = "a"});
  EXPECT_EQ(segments(), Segments{1}) << "discarded before the new run has begun";
  next.discard_earlier();
  EXPECT_FALSE(std::filesystem::exists(path_));
  write(next, {letter(2)});
  EXPECT_EQ(segments(), Segments{2});
}

TEST_F(DeadLetterFileTest, ReplacedLettersElsewhere) {
  write_letters("a", {letter(1)});
  const std::string old_path = std::exchange(path_, folder_ + "/next.ndjson");
  DeadLetterFile next(path_, origin("b"), {.path = old_path, .run = "a"});
  write(next, {letter(2)});
  next.discard_earlier();
  EXPECT_FALSE(std::filesystem::exists(old_path));
  EXPECT_EQ(segments(), Segments{2});
}

TEST_F(DeadLetterFileTest, OtherContentIsRefused) {
  const auto expect_refusal = [this] {
    const std::string before = content();
    EXPECT_THAT(refusal("b"), testing::HasSubstr("something else than dead letters of this run"));
    EXPECT_THROW(DeadLetterFile(path_, origin("b"), {.path = path_, .run = "c"}), Error);
    EXPECT_EQ(content(), before);
  };
  write_letters("a", {letter(1)});  // of another run
  expect_refusal();
  for (const char* notes : {"notes", "notes\n", "{}\n", R"({"run":"bc"})"}) {
    std::ofstream(path_) << notes;
    expect_refusal();
  }
}

TEST_F(DeadLetterFileTest, OneProcessAtOnce) {
  DeadLetterFile first(path_, origin("a"));
  DeadLetterFile second(path_, origin("b"));
  write(first, {letter(1)});
  EXPECT_THROW(write(second, {letter(2)}), Error);
  EXPECT_THAT(refusal("a"), testing::HasSubstr("another process is writing"));
  DeadLetterFile replacing(folder_ + "/next", origin("c"), {.path = path_, .run = "a"});
  EXPECT_THROW(replacing.discard_earlier(), Error);
  write(first, {letter(3)});
  EXPECT_EQ(segments(), (Segments{1, 3}));
}

TEST_F(DeadLetterFileTest, OwnRegularFilesOnly) {
  std::ofstream(folder_ + "/notes") << "";
  std::filesystem::create_symlink(folder_ + "/notes", path_);
  EXPECT_THAT(refusal("a"), testing::HasSubstr("symbolic link"));
  std::filesystem::remove(path_);
  std::filesystem::create_symlink(folder_ + "/none", path_);
  EXPECT_THAT(refusal("a"), testing::HasSubstr("symbolic link"));
  for (const char* device : {"/dev/full", "/dev/null"}) {
    EXPECT_THROW(DeadLetterFile(device, origin("a")), Error);
  }
}

TEST_F(DeadLetterFileTest, FirstLetterCreatesFolder) {
  path_ = folder_ + "/a/b/letters.ndjson";
  { const DeadLetterFile file(path_, kOrigin); }
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/a"));
  write_letters("a", {letter(1)});
  EXPECT_EQ(segments(), Segments{1});
}

TEST_F(DeadLetterFileTest, UnwritablePathFails) {
  std::ofstream(path_) << "";
  try {
    const DeadLetterFile file(path_ + "/letters", kOrigin);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("--dead-letters"), std::string::npos) << error.what();
  }
}

TEST_F(DeadLetterFileTest, FullDiskIsError) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit few_bytes{.rlim_cur = 8, .rlim_max = before.rlim_max};
  const auto signal_before = std::signal(SIGXFSZ, SIG_IGN);
  DeadLetterFile file(path_, origin("a"));
  setrlimit(RLIMIT_FSIZE, &few_bytes);
  EXPECT_THROW(write(file, {letter(1)}), Error);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, signal_before);
}

}  // namespace
}  // namespace everyitem::sink
