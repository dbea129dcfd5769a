#include "run/run_services.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "aws/arn.h"
#include "base/error.h"
#include "identity/sts.h"

namespace everyitem::run {

ServiceClients::Connected::Connected(const ServiceClients& service, RunLoop& loop)
    : credentials(service.home_, *service.service_.credentials, service.clock_),
      connection(loop.executor, service.model_, service.service_.settings, service.timeouts_,
                 service.service_.tls,
                 {.credentials = credentials,
                  .clock = service.clock_,
                  .random = loop.random,
                  .patience = service.calls_.patience,
                  // Only the run's own loop tells the user: what fails there fails on all.
                  .notice = loop.index == 0 ? service.calls_.notice : Notice()}) {}

aws::Client& ServiceClients::on(RunLoop& loop) {
  if (clients_.size() <= loop.index) {
    clients_.resize(loop.index + 1);
  }
  std::unique_ptr<Connected>& client = clients_[loop.index];
  if (!client) {
    client = std::make_unique<Connected>(*this, loop);
  }
  return client->connection.client;
}

aws::ClientCounters ServiceClients::counters() const {
  aws::ClientCounters sum;
  for (const auto& client : clients_) {
    if (client) {
      const aws::ClientCounters counters = client->connection.client.counters();
      sum.calls += counters.calls;
      sum.throttles += counters.throttles;
      sum.retries += counters.retries;
    }
  }
  return sum;
}

RunServices::RunServices(RunLoops& loops, const ScanSettings& settings, const RunContext& context,
                         const Notice& notice)
    : loops_(loops),
      clock_(context.clock),
      timeouts_(context.timeouts),
      calls_{.patience = settings.patience(), .notice = notice},
      random_(context.random_seed) {
  identity::Context identity_context{.environment = context.environment,
                                     .clock = clock_,
                                     .random = random_,
                                     .timeouts = timeouts_,
                                     .patience = calls_.patience,
                                     .notice = notice};
  if (context.ask) {
    identity_context.ask = context.ask;
  }
  reader_ = std::make_unique<identity::Identity>(settings.identity, identity_context);
  // Each role is assumed with what its profile gives: one role is not assumed with the other.
  if (!settings.stream_profile.empty() || !settings.stream_role_arn.empty()) {
    identity::IdentityFlags flags = settings.identity;
    if (!settings.stream_profile.empty()) {
      flags.profile = settings.stream_profile;
    }
    flags.role_arn = settings.stream_role_arn;
    flags.external_id = settings.stream_external_id;
    writer_ = std::make_unique<identity::Identity>(flags, identity_context);
  }
}

RunServices::~RunServices() = default;

Awaitable<ServiceClients*> RunServices::find(const aws::ServiceModel& model, Caller caller,
                                             aws::ResourceName resource) {
  identity::Identity& identity = identity_of(caller);
  const std::string account =
      resource.arn.empty() ? "" : aws::parse_arn(resource.arn, "the ARN").account;
  const identity::ServiceFlags flags = identity.service_flags(resource.region, account);
  co_await identity.find_region(flags);
  co_await identity.find_account(model, flags);
  co_return &add(model, identity.service(model, flags), timeouts_);
}

Awaitable<std::string> RunServices::account_of(Caller caller, aws::ResourceName resource) {
  if (!resource.arn.empty()) {
    co_return aws::account_of(resource.arn);
  }
  constexpr aws::Patience kSoon{.failing = std::chrono::seconds(5),
                                .throttled = std::chrono::seconds(5)};
  const std::string name = resource.name;
  ServiceClients* sts = co_await find(aws::kSts, caller, std::move(resource));
  try {
    const identity::Caller who = co_await identity::caller_identity(sts->on(loops_.home()), kSoon);
    co_return who.account;
  } catch (const Error& error) {
    calls_.notice(
        fmt::format("in which account {} is, is not known, so give each account a checkpoint of "
                    "its own: ",
                    name) +
        error.message());
  }
  co_return std::string();
}

ServiceClients& RunServices::in_region(const aws::ServiceModel& model, const std::string& region,
                                       http::Timeouts timeouts) {
  identity::ServiceFlags flags = reader_->service_flags({});
  flags.region = region.empty() && !services_.empty() ? services_.front()->region() : region;
  return add(model, reader_->service(model, flags), timeouts);
}

ServiceClients& RunServices::add(const aws::ServiceModel& model,
                                 identity::IdentifiedService service, http::Timeouts timeouts) {
  services_.push_back(std::make_unique<ServiceClients>(
      loops_.home().executor, model, std::move(service), timeouts, clock_, calls_));
  return *services_.back();
}

aws::ClientCounters RunServices::counters() const {
  aws::ClientCounters sum;
  for (const auto& service : services_) {
    const aws::ClientCounters counters = service->counters();
    sum.calls += counters.calls;
    sum.throttles += counters.throttles;
    sum.retries += counters.retries;
  }
  return sum;
}

void RunServices::stop() {
  reader_->stop();
  if (writer_) {
    writer_->stop();
  }
}

}  // namespace everyitem::run
