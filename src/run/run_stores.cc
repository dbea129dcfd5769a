#include "run/run_stores.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <utility>
#include <variant>

#include <boost/asio/ip/host_name.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "checkpoint/dead_letter_table.h"
#include "checkpoint/lease.h"
#include "checkpoint/shared_run.h"
#include "run/joined_run.h"
#include "run/owned_run.h"
#include "sink/dead_letter_file.h"

namespace everyitem::run {

namespace {

/// A checkpoint's requests and answers are small, and a renewal of the lease that meets silence
/// must be repeated while the lease lasts.
constexpr std::chrono::seconds kCheckpointIdle{10};
static_assert(2 * kCheckpointIdle < checkpoint::kLease);

/// For others that want the run that this process owns. Process and host may be the same in two
/// containers, and so may be what the caller calls itself: the number is not.
std::string owner_name(const std::string& given, Random& random) {
  constexpr std::size_t kMaxGiven = 150;
  boost::system::error_code unknown;
  const std::string name =
      given.empty() ? fmt::format("process {} on {}", getpid(), asio::ip::host_name(unknown))
                    : given.substr(0, kMaxGiven);
  return fmt::format("{} ({:016x})", name, random.bits());
}

/// The file of this source and destination in the user's state folder. Messages say that it is for
/// `what`, and that `option` puts it elsewhere.
/// `run` tells runs apart that have the same source and destination.
std::string path_in_state_home(const StoresContext& context, std::string_view what,
                               const Message& option, std::string_view run = {}) {
  const Environment& environment = context.context.environment;
  std::string state_home = environment("XDG_STATE_HOME");
  if (!state_home.starts_with('/')) {  // the XDG specification has relative paths ignored
    const std::string home = environment("HOME");
    if (home.empty()) {
      throw usage_error(
          fmt::format("there is no folder for the {}: neither HOME nor XDG_STATE_HOME names one",
                      what),
          "Give " + option + ".");
    }
    state_home = home + "/.local/state";
  }
  std::string key =
      fmt::format("{}\n{}", context.source.location(), context.destination.location());
  if (!run.empty()) {
    key += fmt::format("\n{}", run);
  }
  return checkpoint::default_checkpoint_path(state_home, context.source.name(),
                                             context.destination.name(), key);
}

checkpoint::StoreContext store_context(const StoresContext& context) {
  RunLoop& home = context.services.loops().home();
  // The client outlives the stores: the services do.
  const auto client = [&services = context.services](const aws::ServiceModel& model,
                                                     const std::string& region) -> aws::Client& {
    http::Timeouts timeouts = services.timeouts();
    timeouts.idle = std::min<std::chrono::milliseconds>(timeouts.idle, kCheckpointIdle);
    return services.in_region(model, region, timeouts).on(services.loops().home());
  };
  return {.clock = context.services.clock(),
          .owner = owner_name(context.context.owner, home.random),
          .kms_key = context.settings.checkpoint_kms_key,
          .interval = context.settings.checkpoint_interval,
          .client = client,
          .notice = context.notice,
          .handed_over = context.context.handed_over};
}

}  // namespace

std::unique_ptr<RunClaim> open_run(const StoresContext& context, RunTerms terms,
                                   std::optional<double> rate) {
  const ScanSettings& settings = context.settings;
  checkpoint::CheckpointLocation location = checkpoint::NoCheckpoint{};
  if (settings.checkpoint) {
    location = *settings.checkpoint;
  } else if (context.destination.keeps_items()) {
    location = checkpoint::SqliteLocation{
        .path = path_in_state_home(context, "checkpoint", setting::kCheckpoint("PATH"))};
  }
  const checkpoint::StoreContext store = store_context(context);
  if (!settings.share) {
    return std::make_unique<OwnedRun>(checkpoint::open_checkpoint_store(location, store),
                                      std::move(terms));
  }
  RunLoop& home = context.services.loops().home();
  SharingTerms sharing{.identity = std::move(terms.identity), .parts = terms.parts, .rate = rate};
  return std::make_unique<JoinedRun>(checkpoint::open_shared_run(location, store), store.owner,
                                     std::move(sharing), home.executor, context.services.clock(),
                                     home.random, context.notice);
}

DeadLettersLocation dead_letters_location(const StoresContext& context, const RunClaim& claim,
                                          std::string_view token) {
  const ScanSettings& settings = context.settings;
  if (settings.dead_letters) {
    return *settings.dead_letters;
  }
  if (settings.checkpoint) {
    if (const auto* table = std::get_if<checkpoint::DynamoDbLocation>(&*settings.checkpoint)) {
      return *table;
    }
  }
  constexpr std::size_t kTokenDigits = 16;
  const std::string neighbor =
      claim.file().empty() ? path_in_state_home(context, "dead letters",
                                                setting::kDeadLetters("FILE"), claim.location())
                           : claim.file();
  return DeadLettersInFile{
      .path = fmt::format("{}.{}.dead-letters.ndjson", neighbor, token.substr(0, kTokenDigits))};
}

namespace {

/// What they are opened with.
struct LettersContext {
  checkpoint::StoreContext store;
  sink::DeadLetterOrigin origin;
  sink::ReplacedLetters replaced;
  asio::any_io_executor home;
};

std::unique_ptr<sink::DeadLetters> open(const DeadLettersInFile& file, LettersContext context) {
  return std::make_unique<sink::DeadLetterFile>(file.path, std::move(context.origin),
                                                std::move(context.replaced));
}

std::unique_ptr<sink::DeadLetters> open(const checkpoint::DynamoDbLocation& table,
                                        LettersContext context) {
  return std::make_unique<checkpoint::DeadLetterTable>(
      table, context.store, std::move(context.origin), std::move(context.home));
}

}  // namespace

std::unique_ptr<sink::DeadLetters> open_dead_letters(const DeadLettersLocation& location,
                                                     const StoresContext& context,
                                                     const RunClaim& claim,
                                                     const std::string& token,
                                                     const std::string& replaced_token) {
  const DeadLettersLocation replaced = dead_letters_location(context, claim, replaced_token);
  const LettersContext letters{.store = store_context(context),
                               .origin = {.table = context.source.name(),
                                          .table_arn = context.source.arn(),
                                          .index = context.settings.scan.index,
                                          .destination = context.destination.name(),
                                          .token = token},
                               .replaced = {.path = to_text(replaced), .run = replaced_token},
                               .home = context.services.loops().home().executor};
  return std::visit([&](const auto& one) { return open(one, letters); }, location);
}

}  // namespace everyitem::run
