#include "identity/assume_role_credentials.h"

#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "identity/sendable.h"
#include "identity/sts.h"

namespace everyitem::identity {

namespace {

/// Credentials that were already found, for the client that requests the role.
class FoundCredentials final : public aws::CredentialsProvider {
 public:
  explicit FoundCredentials(aws::Credentials found) : found_(std::move(found)) {}

  Awaitable<std::optional<aws::Credentials>> find() override { co_return found_; }
  std::string place() const override { return found_.source; }

 private:
  aws::Credentials found_;
};

std::string described(const Role& role) {
  return role.named_by.empty() ? "role " + role.arn
                               : fmt::format("role {} of {}", role.arn, role.named_by);
}

}  // namespace

std::string session_name_or(const std::string& given, Clock& clock) {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock.wall_now());
  return given.empty() ? fmt::format("everyitem-{}", now.time_since_epoch().count()) : given;
}

AssumeRoleCredentials::AssumeRoleCredentials(Connector& connector, Role role,
                                             std::unique_ptr<aws::CredentialsProvider> source)
    : connector_(connector), role_(std::move(role)), source_(std::move(source)) {}

std::string AssumeRoleCredentials::place() const {
  return fmt::format("{}, assumed with {}", described(role_), source_->place());
}

Awaitable<std::optional<aws::Credentials>> AssumeRoleCredentials::find() {
  const std::optional<aws::Credentials> with = co_await source_->find();
  if (!with) {
    throw usage_error(fmt::format("cannot assume {}: its source has no credentials: {}", role_.arn,
                                  source_->place()),
                      "Give that source credentials, or choose another.");
  }
  require_sendable(*with);
  RoleRequest request;
  request.role_arn = role_.arn;
  request.session_name = session_name_or(role_.session_name, connector_.clock());
  request.duration = role_.duration;
  request.external_id = role_.external_id;
  request.mfa_serial = role_.mfa_serial;
  request.mfa_code = ask_for_code();

  FoundCredentials source(*with);
  const auto sts =
      connector_.service(co_await asio::this_coro::executor, aws::kSts, std::string(), &source);
  aws::Credentials credentials = co_await assume_role(sts->client, request);
  credentials.source = fmt::format("{}, assumed with {}", described(role_), with->source);
  co_return credentials;
}

aws::SecretText AssumeRoleCredentials::ask_for_code() {
  if (role_.mfa_serial.empty()) {
    return {};
  }
  const std::string what = fmt::format("{} ({}) requires an MFA code", role_.arn, role_.named_by);
  if (std::exchange(asked_, true)) {
    throw Error(ErrorKind::failed,
                {.operation = "renew the credentials",
                 .object = role_.arn,
                 .code = {},
                 .message = what + ", which is asked for only once, at the start",
                 .hint = "Run the same command again to resume. Set duration_seconds for "
                         "longer sessions."});
  }
  std::optional<std::string> code = connector_.context().ask(
      fmt::format("MFA code from {} for {}: ", role_.mfa_serial, role_.arn));
  if (!code || code->empty()) {
    throw usage_error(what + ", but there is no terminal to ask for it",
                      "Run it on a terminal, or put credentials from \"aws sts assume-role\" "
                      "or \"aws sts get-session-token\" into the environment.");
  }
  return std::move(*code);
}

}  // namespace everyitem::identity
