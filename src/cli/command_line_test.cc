#include "cli/command_line.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/message_of.h"
#include "cli/flags.h"

namespace everyitem::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

ParsedCommand parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "everyitem");
  return parse_command(arguments);
}

std::string refused(std::vector<std::string> arguments) {
  const ParsedCommand parsed = parse(std::move(arguments));
  EXPECT_FALSE(parsed.verb);
  EXPECT_EQ(parsed.text, "");
  return parsed.fault;
}

TEST(CommandLine, VerbWithItsFlags) {
  EXPECT_TRUE(parse({"scan", "--table", "orders", "--to", "-"}).verb);
  EXPECT_TRUE(parse({"scan", "--table=orders", "-q", "--limit", "-1"}).verb);
  EXPECT_TRUE(parse({"whoami", "--offline"}).verb);
}

TEST(CommandLine, HelpAndVersionForms) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"--version"}, {"-V"}, {"version"}}) {
    const ParsedCommand parsed = parse(arguments);
    EXPECT_EQ(parsed.fault, "");
    EXPECT_THAT(parsed.text, StartsWith("everyitem " EVERYITEM_VERSION));
  }
  EXPECT_EQ(parse({"help"}).text, parse({"--help"}).text);
  EXPECT_EQ(parse({"help", "scan"}).text, parse({"scan", "--help"}).text);
  EXPECT_THAT(parse({"help", "whoami"}).text, HasSubstr("sts:GetCallerIdentity"));
}

TEST(CommandLine, HelpFitsATerminal) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"--help"}, {"scan", "--help"}, {"whoami", "--help"}}) {
    std::istringstream help(parse(arguments).text);
    int lines = 0;
    for (std::string line; std::getline(help, line); ++lines) {
      EXPECT_LE(line.size(), kHelpColumns) << line;
    }
    EXPECT_GT(lines, 5);
  }
}

TEST(CommandLine, NothingGiven) {
  EXPECT_EQ(refused({}), "no verb is given. See: everyitem --help");
}

TEST(CommandLine, MistypedWords) {
  EXPECT_EQ(refused({"scan", "--tabel", "x"}),
            "unknown option --tabel; did you mean --table? See: everyitem scan "
            "--help");
  EXPECT_EQ(refused({"scan", "--table", "t", "--strem=s"}),
            "unknown option --strem; did you mean --stream? See: everyitem scan "
            "--help");
  EXPECT_EQ(refused({"scan", "--surprise", "x"}),
            "unknown option --surprise. See: everyitem scan --help");
  EXPECT_EQ(refused({"scan", "--table", "t", "surplus"}),
            "unexpected argument surplus. See: everyitem scan --help");
  EXPECT_EQ(refused({"scna"}), "unknown verb scna; did you mean scan? See: everyitem --help");
  EXPECT_EQ(refused({"help", "scna"}), refused({"scna"}));
  EXPECT_EQ(refused({"--table", "t", "scan"}),
            "--table comes after the verb scan. See: everyitem scan --help");
  EXPECT_EQ(refused({"--table", "t"}), "a verb comes before --table. See: everyitem --help");
  EXPECT_NE(refused({"--", "--"}), "");
}

TEST(CommandLine, MissingOrSurplusValues) {
  EXPECT_EQ(refused({"scan", "--table"}), "--table needs a value. See: everyitem scan --help");
  const auto error = [](std::vector<std::string> arguments) {
    return message_of([&] { parse(std::move(arguments)); });
  };
  EXPECT_EQ(error({"scan", "--filter", "--limit", "5"}),
            "--filter needs a value, but --limit follows it");
  EXPECT_EQ(error({"scan", "--table", "t", "--table", "u"}), "--table is given twice");
  EXPECT_TRUE(
      parse({"scan", "--filter", "--no-flag", "--names", "-q", "--aggregate", "--aggregate=false"})
          .verb);
}

TEST(Flags, HelpWrapsBetweenWords) {
  EXPECT_EQ(help_text("short"), "short");
  EXPECT_EQ(help_text("1234567890 1234567890 1234567890 1234567890 123456 1234"),
            "1234567890 1234567890 1234567890 1234567890 123456\n1234");
}

}  // namespace
}  // namespace everyitem::cli
