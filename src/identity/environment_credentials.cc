#include "identity/environment_credentials.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::identity {

namespace {
constexpr std::string_view kKeyId = "AWS_ACCESS_KEY_ID";
constexpr std::string_view kSecret = "AWS_SECRET_ACCESS_KEY";
constexpr std::string_view kToken = "AWS_SESSION_TOKEN";
}  // namespace

EnvironmentCredentials::EnvironmentCredentials(Environment environment)
    : environment_(std::move(environment)) {}

Awaitable<std::optional<aws::Credentials>> EnvironmentCredentials::find() {
  aws::Credentials credentials{.access_key_id = environment_(kKeyId),
                               .secret_access_key = environment_(kSecret),
                               .session_token = environment_(kToken),
                               .expires_at = {},
                               .source = "environment variables",
                               .account_id = environment_("AWS_ACCOUNT_ID")};
  const bool has_key_id = !credentials.access_key_id.empty();
  const bool has_secret = !credentials.secret_access_key.empty();
  if (has_key_id != has_secret) {
    throw usage_error(fmt::format("{} is set and {} is not", has_key_id ? kKeyId : kSecret,
                                  has_key_id ? kSecret : kKeyId),
                      "Set both, or neither to use the credentials of a profile.");
  }
  if (!has_key_id) {
    co_return std::nullopt;
  }
  co_return credentials;
}

std::string EnvironmentCredentials::place() const {
  return fmt::format("environment variables {} and {}{}", kKeyId, kSecret,
                     environment_(kKeyId).empty() ? " (not set)" : "");
}

}  // namespace everyitem::identity
