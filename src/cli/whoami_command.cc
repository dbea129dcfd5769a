#include "cli/whoami_command.h"

#include <array>
#include <chrono>
#include <exception>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "aws/client.h"
#include "base/error.h"
#include "base/human_format.h"
#include "base/printable.h"
#include "base/standard_streams.h"
#include "cli/flags.h"
#include "cli/terminal_question.h"
#include "identity/sts.h"
#include "options/identity_entries.h"

namespace everyitem::cli {

namespace {

constexpr const char* kWhoamiFooter = R"(
Shows which credentials everyitem finds, whose they are (sts:GetCallerIdentity,
which needs no permission), the region and the endpoints; never a secret.
Credentials are looked for in this order: the environment, a web identity token,
the profile (a role, single sign-on, keys, a program), the container's endpoint,
the machine's metadata. With --profile, that profile comes first.
)";

struct WhoamiOptions {
  identity::IdentityFlags identity;
  bool verbose = false;
  bool json = false;
  bool offline = false;
};

std::span<const options::SettingEntry<WhoamiOptions>> whoami_entries() {
  constexpr std::string_view kGroup = "What to show";
  using Entry = options::SettingEntry<WhoamiOptions>;
  const auto turn_on = [](bool WhoamiOptions::*member) {
    return [member](WhoamiOptions& options, SettingId id, std::string_view text) {
      options.*member = options::parse_switch(id, text);
    };
  };
  constexpr options::SettingClass kHow = options::SettingClass::how;
  constexpr options::SettingDoors kHere = options::SettingDoors::command_line;
  static const std::vector<Entry> entries = [&] {
    std::vector<Entry> all = {
        {{"verbose"},
         kHow,
         kHere,
         kGroup,
         "",
         "Also show the access key, when the credentials expire, and the files read",
         turn_on(&WhoamiOptions::verbose),
         "",
         "v"},
        {{"json"}, kHow, kHere, kGroup, "", "Print one JSON object", turn_on(&WhoamiOptions::json)},
        {{"offline"},
         kHow,
         kHere,
         kGroup,
         "",
         "Do not ask STS whose credentials they are",
         turn_on(&WhoamiOptions::offline)}};
    for (Entry& entry : options::identity_entries<WhoamiOptions>(
             [](WhoamiOptions& options) -> identity::IdentityFlags& { return options.identity; })) {
      all.push_back(std::move(entry));
    }
    return all;
  }();
  return entries;
}

/// Those that a run may call.
constexpr std::array kServices = {aws::kDynamoDb, aws::kKinesis, aws::kSsm, aws::kSts};

/// Somebody waits for the answer, and loses nothing by asking again.
constexpr aws::Patience kPatience{.failing = std::chrono::seconds(5),
                                  .throttled = std::chrono::minutes(1)};

/// What is found out, in the order in which it is shown.
struct Found {
  std::optional<identity::Caller> caller;
  std::optional<aws::Credentials> credentials;
  std::string profile;
  std::string profile_place;
  std::string region;
  std::vector<std::pair<std::string, std::string>> endpoints;  ///< by service
  std::exception_ptr failure;                                  ///< why the rest is not known
};

class Whoami {
 public:
  Whoami(const WhoamiOptions& options, StandardError& errors)
      : options_(options), errors_(errors), identity_(options.identity, context()) {}

  Found find() {
    asio::co_spawn(loop_, find_all(), [this](const std::exception_ptr& failure) {
      found_.failure = failure;
      identity_.stop();
    });
    loop_.run();
    return std::move(found_);
  }

 private:
  identity::Context context() {
    return {.environment = process_environment(),
            .clock = clock_,
            .random = random_,
            .patience = kPatience,
            .notice = [this](const Message& text) { errors_.message(LogLevel::info, text.text()); },
            .ask = ask_on_terminal};
  }

  Awaitable<void> find_all() {
    const identity::ServiceFlags flags = identity_.service_flags({});
    co_await identity_.find_region(flags);
    std::exception_ptr no_credentials;  // what else is known is still shown
    try {
      co_await identity_.find_account(aws::kDynamoDb, flags);
      co_await identity_.find_account(aws::kKinesis, flags);
    } catch (const Error&) {
      no_credentials = std::current_exception();
    }
    for (const aws::ServiceModel& model : kServices) {
      const identity::IdentifiedService service = identity_.service(model, flags);
      found_.endpoints.emplace_back(model.signing_name, service.settings.endpoint.url());
      found_.region = service.settings.region;
    }
    found_.profile = identity_.profile().name;
    found_.profile_place = identity_.profile().place;
    if (no_credentials) {
      std::rethrow_exception(no_credentials);
    }
    found_.credentials = co_await identity_.credentials().find();
    if (!options_.offline) {
      const identity::IdentifiedService service = identity_.service(aws::kSts, flags);
      identity::ServiceConnection sts(co_await asio::this_coro::executor, aws::kSts,
                                      service.settings, {}, service.tls,
                                      {.credentials = *service.credentials,
                                       .clock = clock_,
                                       .random = random_,
                                       .patience = kPatience});
      found_.caller = co_await identity::caller_identity(sts.client);
    }
  }

  const WhoamiOptions& options_;
  StandardError& errors_;
  Found found_;
  asio::io_context loop_{1};
  SystemClock clock_;
  Random random_{std::random_device{}()};
  identity::Identity identity_;
};

std::string as_json(const Found& found) {
  boost::json::object object;
  if (found.caller) {
    object["account"] = found.caller->account;
    object["arn"] = found.caller->arn;
    object["user_id"] = found.caller->user_id;
  }
  if (found.credentials) {
    object["access_key_id"] = found.credentials->access_key_id;
    object["provider"] = found.credentials->source;
  }
  object["profile"] = found.profile;
  object["region"] = found.region;
  boost::json::object& endpoints = object["endpoints"].emplace_object();
  for (const auto& [service, url] : found.endpoints) {
    endpoints[service] = url;
  }
  return printable(boost::json::serialize(object)) + "\n";
}

std::string as_text(const Found& found, bool verbose) {
  std::string text;
  const auto line = [&text](std::string_view name, std::string_view value) {
    text += printable(fmt::format("{:<12} {}", name, value)) + "\n";
  };
  if (found.caller) {
    line("account", found.caller->account);
    line("arn", found.caller->arn);
  }
  if (found.credentials) {
    line("credentials", found.credentials->source);
  }
  if (verbose && found.credentials) {
    line("access key", found.credentials->access_key_id);
    if (found.credentials->expires_at) {
      const auto left = *found.credentials->expires_at - std::chrono::system_clock::now();
      line("expires", left.count() > 0 ? "in " + duration(left) : std::string("expired"));
    }
  }
  if (verbose && found.caller) {
    line("user id", found.caller->user_id);
  }
  if (verbose) {
    line("profile", found.profile_place);
  }
  line("region", found.region);
  for (const auto& [service, url] : found.endpoints) {
    line(service, url);
  }
  return text;
}

class WhoamiVerb final : public Verb {
 public:
  CLI::App& add_to(CLI::App& program) override {
    CLI::App* whoami =
        program.add_subcommand("whoami", "Show the credentials, region and endpoints in use");
    add_flags(*whoami, whoami_entries(), given_);
    add_log_flag(*whoami, given_);
    whoami->footer(kWhoamiFooter);
    return *whoami;
  }

  /// What is known is printed, also if the rest cannot be found out.
  ExitCode run(const std::vector<std::string>& /*command*/, StandardError& errors) override {
    check_log(given_);
    WhoamiOptions options;
    options::parse_given(whoami_entries(), given_, options);
    const Found found = Whoami(options, errors).find();
    if (!found.endpoints.empty()) {
      write_standard_output(options.json ? as_json(found) : as_text(found, options.verbose));
    }
    if (found.failure) {
      std::rethrow_exception(found.failure);
    }
    return ExitCode::done;
  }

 private:
  options::GivenSettings given_;
};

}  // namespace

std::unique_ptr<Verb> make_whoami_verb() { return std::make_unique<WhoamiVerb>(); }

}  // namespace everyitem::cli
