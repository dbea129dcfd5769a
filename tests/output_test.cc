// Holds docs/output.md against what the program prints: no field, status or exit code that is not
// explained, and none explained that there is not.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint/dead_letter_table.h"
#include "cli/exit_code.h"
#include "cli/progress_display.h"
#include "cli/standard_error.h"
#include "lambda/round_report.h"
#include "run/run_progress.h"
#include "run/run_summary.h"
#include "sink/dead_letter_file.h"

namespace everyitem {
namespace {

using testing::UnorderedElementsAreArray;

/// The first column of the document's table with this heading.
std::vector<std::string> documented(const std::string& heading) {
  std::ifstream document(EVERYITEM_OUTPUT_DOCUMENT);
  EXPECT_TRUE(document) << EVERYITEM_OUTPUT_DOCUMENT;
  std::vector<std::string> cells;
  bool inside = false;
  for (std::string line; std::getline(document, line);) {
    if (!line.starts_with("| ")) {
      inside = inside && line.starts_with("|-");
      continue;
    }
    const std::string cell = line.substr(2, line.find(" |", 2) - 2);
    if (inside) {
      cells.push_back(cell);
    }
    inside = inside || cell == heading;
  }
  EXPECT_FALSE(cells.empty()) << heading;
  return cells;
}

std::vector<std::string> names_of(const boost::json::object& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object) {
    names.emplace_back(name);
  }
  return names;
}

std::vector<std::string> sum(std::vector<std::string> left, const std::vector<std::string>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

TEST(Output, SummaryFields) {
  EXPECT_THAT(names_of(cli::summary_json({}, "")),
              UnorderedElementsAreArray(documented("summary field")));
}

TEST(Output, ResponseFields) {
  lambda::RoundReport report;
  report.error_type = "RunFailed";
  report.error_message = "no";
  std::vector<std::string> fields = sum(documented("summary field"), documented("response field"));
  std::erase(fields, "event");
  std::erase(fields, "message");
  EXPECT_THAT(names_of(lambda::answer_json(report)), UnorderedElementsAreArray(fields));
}

TEST(Output, StartFields) {
  EXPECT_THAT(names_of(lambda::start_json({})),
              UnorderedElementsAreArray(documented("start field")));
}

TEST(Output, ProgressFields) {
  EXPECT_THAT(names_of(run::progress_json({}, {}, {})),
              UnorderedElementsAreArray(documented("progress field")));
}

TEST(Output, MessageFields) {
  EXPECT_THAT(names_of(cli::message_json(cli::LogLevel::info, "text")),
              UnorderedElementsAreArray(documented("message field")));
}

TEST(Output, DeadLetterFields) {
  const std::string line = sink::to_line(
      {.table = "t", .destination = "s"},
      {.segment = 1, .attempts = 1, .code = "c", .reason = "r", .key = "{}", .item = "{}"});
  EXPECT_THAT(names_of(boost::json::parse(line).as_object()),
              UnorderedElementsAreArray(documented("dead-letter field")));
}

TEST(Output, DeadLetterAttributes) {
  std::vector<std::string> names = names_of(checkpoint::letter_attributes(
      {.table = "t", .index = "i", .destination = "s", .token = "0"},
      {.segment = 1, .attempts = 1, .code = "c", .reason = "r", .key = "{}", .item = "{}"}, 0));
  names.insert(names.end(), {"run", "item"});
  EXPECT_THAT(names, UnorderedElementsAreArray(documented("dead-letter attribute")));
}

TEST(Output, StatusWords) {
  std::vector<std::string> words;
  words.reserve(run::kSummaryStatuses.size());
  for (const run::SummaryStatus status : run::kSummaryStatuses) {
    words.emplace_back(run::status_word(status));
  }
  EXPECT_THAT(documented("status word"), UnorderedElementsAreArray(words));
}

TEST(Output, ExitCodes) {
  std::vector<std::string> codes;
  codes.reserve(std::size(cli::kExitCodes));
  for (const cli::ExitCode code : cli::kExitCodes) {
    codes.push_back(std::to_string(static_cast<int>(code)));
  }
  EXPECT_THAT(documented("exit code"), UnorderedElementsAreArray(codes));
}

}  // namespace
}  // namespace everyitem
