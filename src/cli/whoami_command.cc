#include "cli/whoami_command.h"

#include <array>
#include <cstdio>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "aws/client.h"
#include "base/human_format.h"
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

/// What is found out, in the order in which it is shown.
struct Found {
  std::optional<identity::Caller> caller;
  aws::Credentials credentials;
  std::string profile;
  std::string profile_place;
  std::string region;
  std::vector<std::pair<std::string, std::string>> endpoints;  ///< by service
};

class Whoami {
 public:
  explicit Whoami(const WhoamiOptions& options)
      : options_(options), identity_(options.identity, context()) {}

  Found find() {
    auto found = asio::co_spawn(loop_, find_all(), asio::use_future);
    loop_.run();
    return found.get();
  }

 private:
  identity::Context context() {
    return {
        .environment = process_environment(),
        .clock = clock_,
        .random = random_,
        .notice = [](const Message& text) { fmt::print(stderr, "everyitem: {}\n", text.text()); },
        .ask = ask_on_terminal};
  }

  Awaitable<Found> find_all() {
    Found found;
    const identity::ServiceFlags flags = identity_.service_flags({});
    co_await identity_.find_region(flags);
    for (const aws::ServiceModel& model : kServices) {
      const identity::IdentifiedService service = identity_.service(model, flags);
      found.endpoints.emplace_back(model.signing_name, service.settings.endpoint.url());
      found.region = service.settings.region;
    }
    found.profile = identity_.profile().name;
    found.profile_place = identity_.profile().place;
    const std::optional<aws::Credentials> credentials = co_await identity_.credentials().find();
    found.credentials = *credentials;
    if (!options_.offline) {
      const identity::IdentifiedService service = identity_.service(aws::kSts, flags);
      identity::ServiceConnection sts(
          co_await asio::this_coro::executor, aws::kSts, service.settings, {}, service.tls,
          {.credentials = *service.credentials, .clock = clock_, .random = random_});
      found.caller = co_await identity::caller_identity(sts.client);
    }
    identity_.stop();
    co_return found;
  }

  const WhoamiOptions& options_;
  asio::io_context loop_{1};
  SystemClock clock_;
  Random random_{std::random_device{}()};
  identity::Identity identity_;
};

void print_json(const Found& found) {
  boost::json::object object;
  if (found.caller) {
    object["account"] = found.caller->account;
    object["arn"] = found.caller->arn;
    object["user_id"] = found.caller->user_id;
  }
  object["access_key_id"] = found.credentials.access_key_id;
  object["provider"] = found.credentials.source;
  object["profile"] = found.profile;
  object["region"] = found.region;
  boost::json::object& endpoints = object["endpoints"].emplace_object();
  for (const auto& [service, url] : found.endpoints) {
    endpoints[service] = url;
  }
  fmt::print("{}\n", boost::json::serialize(object));
}

void print_line(std::string_view name, std::string_view value) {
  fmt::print("{:<12} {}\n", name, value);
}

void print_text(const Found& found, bool verbose) {
  if (found.caller) {
    print_line("account", found.caller->account);
    print_line("arn", found.caller->arn);
  }
  print_line("credentials", found.credentials.source);
  if (verbose) {
    print_line("access key", found.credentials.access_key_id);
    if (found.credentials.expires_at) {
      const auto left = *found.credentials.expires_at - std::chrono::system_clock::now();
      print_line("expires", left.count() > 0 ? "in " + duration(left) : std::string("expired"));
    }
    if (found.caller) {
      print_line("user id", found.caller->user_id);
    }
    print_line("profile", found.profile_place);
  }
  print_line("region", found.region);
  for (const auto& [service, url] : found.endpoints) {
    print_line(service, url);
  }
}

class WhoamiVerb final : public Verb {
 public:
  CLI::App& add_to(CLI::App& program) override {
    CLI::App* whoami =
        program.add_subcommand("whoami", "Show the credentials, region and endpoints in use");
    add_flags(*whoami, whoami_entries(), given_);
    whoami->footer(kWhoamiFooter);
    return *whoami;
  }

  ExitCode run(const std::vector<std::string>& /*command*/) override {
    WhoamiOptions options;
    options::parse_given(whoami_entries(), given_, options);
    const Found found = Whoami(options).find();
    if (options.json) {
      print_json(found);
    } else {
      print_text(found, options.verbose);
    }
    return ExitCode::done;
  }

 private:
  options::GivenSettings given_;
};

}  // namespace

std::unique_ptr<Verb> make_whoami_verb() { return std::make_unique<WhoamiVerb>(); }

}  // namespace everyitem::cli
