#include "cli/command_line.h"

#include <algorithm>
#include <sstream>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "options/suggestion.h"

namespace everyitem::cli {

namespace {

struct AddedVerb {
  std::unique_ptr<Verb> verb;
  CLI::App* app = nullptr;
};

/// "help", "help scan" and "version" are asked for by whoever does not know the flags yet.
std::vector<std::string> with_flags_for_words(std::vector<std::string> arguments) {
  if (!arguments.empty() && arguments.front() == "version") {
    arguments.front() = "--version";
  } else if (!arguments.empty() && arguments.front() == "help") {
    std::rotate(arguments.begin(), arguments.begin() + 1, arguments.end());
    arguments.back() = "--help";
  }
  return arguments;
}

std::string did_you_mean(std::string_view dashes, std::string_view word,
                         const std::vector<std::string>& candidates) {
  const auto meant = options::nearest(word, candidates);
  return meant ? fmt::format("; did you mean {}{}?", dashes, *meant) : ".";
}

std::string unknown_verb(const std::string& word, const std::vector<AddedVerb>& verbs) {
  if (word.starts_with('-')) {
    return fmt::format("a verb comes before {}.", word);
  }
  std::vector<std::string> names;
  names.reserve(verbs.size());
  for (const AddedVerb& each : verbs) {
    names.push_back(each.app->get_name());
  }
  return fmt::format("unknown verb {}{}", word, did_you_mean("", word, names));
}

/// `surplus`: what the parser could not make use of, in the order given.
std::string unknown_argument(const std::vector<std::string>& surplus, const CLI::App* verb,
                             const std::vector<AddedVerb>& verbs) {
  if (verb == nullptr) {
    return unknown_verb(surplus.front(), verbs);
  }
  const auto flag = std::ranges::find_if(
      surplus, [](const std::string& argument) { return argument.starts_with('-'); });
  if (flag == surplus.end()) {
    return fmt::format("unexpected argument {}.", surplus.front());
  }
  std::vector<std::string> names;
  for (const CLI::Option* option : verb->get_options()) {
    names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
  }
  const std::string name = flag->substr(0, flag->find('='));
  if (verb->get_option_no_throw(name) != nullptr) {
    return fmt::format("{} comes after the verb {}.", name, verb->get_name());
  }
  return fmt::format(
      "unknown option {}{}", name,
      did_you_mean(
          "--", std::string_view(name).substr(std::min(name.size(), name.find_first_not_of('-'))),
          names));
}

}  // namespace

ParsedCommand parse_command(const std::vector<std::string>& command) {
  CLI::App program(
      "everyitem reads every item of a DynamoDB table, in parallel and resumably, and\n"
      "delivers each one, at least once, to a Kinesis data stream, a file or a pipe.",
      "everyitem");
  program.set_version_flag("-V,--version", std::string("everyitem ") + EVERYITEM_VERSION);
  program.footer("\n'everyitem scan --help' shows all options, examples and exit codes.");
  std::vector<AddedVerb> added;
  for (const MakeVerb make : verbs()) {
    AddedVerb& one = added.emplace_back(AddedVerb{.verb = make()});
    one.app = &one.verb->add_to(program);
  }
  std::vector<std::string> arguments = with_flags_for_words({command.begin() + 1, command.end()});
  const bool names_a_verb =
      command.size() > 2 && command[1] == "help" && !command[2].starts_with('-');
  const std::string about = names_a_verb ? command[2] : "";
  std::ranges::reverse(arguments);  // as CLI11 takes a vector
  const auto chosen = [&added] {
    return std::ranges::find_if(added, [](const AddedVerb& one) { return one.app->parsed(); });
  };
  std::string fault;
  try {
    program.parse(arguments);
  } catch (const CLI::Success& asked) {  // --help, --version
    if (about.empty() || chosen() != added.end()) {
      std::ostringstream out;
      program.exit(asked, out, out);
      return {.verb = nullptr, .text = out.str(), .fault = {}};
    }
    fault = unknown_verb(about, added);
  } catch (const CLI::ExtrasError&) {
    const std::vector<std::string> surplus = program.remaining(true);
    fault = unknown_argument(surplus, chosen() == added.end() ? nullptr : chosen()->app, added);
  } catch (const CLI::ArgumentMismatch& error) {  // "--table: 1 required TABLE missing"
    const std::string_view text = error.what();
    fault = fmt::format("{} needs a value.", text.substr(0, text.find(':')));
  } catch (const CLI::ParseError& error) {
    fault = std::string(error.what()) + ".";
  }
  const auto verb = chosen();
  if (fault.empty() && verb == added.end()) {
    fault = "no verb is given.";
  }
  if (fault.empty()) {
    return {.verb = std::move(verb->verb), .text = {}, .fault = {}};
  }
  const std::string name = verb == added.end() ? "" : " " + verb->app->get_name();
  return {
      .verb = nullptr, .text = {}, .fault = fmt::format("{} See: everyitem{} --help", fault, name)};
}

}  // namespace everyitem::cli
