#include "identity/metadata_credentials.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "aws/percent_encoding.h"
#include "aws/redaction.h"
#include "identity/credentials_document.h"
#include "identity/instance_metadata.h"

namespace everyitem::identity {

namespace {

constexpr std::string_view kPath = "/latest/meta-data/iam/security-credentials/";

/// IAM API reference, InstanceProfile.
constexpr std::size_t kMaxNameBytes = 128;

/// The service returns one role, although the format allows a list.
std::string first_line(std::string_view text) {
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  return std::string(line);
}

/// Throws MetadataUnavailable.
aws::Credentials read_answer(http::Response response, const std::string& role) {
  try {
    const std::optional<SecretDocument> document = SecretDocument::parse(std::move(response.body));
    if (!document) {
      throw UnusableDocument("is not a JSON object");
    }
    const std::string code = document->text("Code");
    if (!code.empty() && code != "Success") {
      throw MetadataUnavailable(
          fmt::format("role {}: {}", role, aws::is_error_code(code) ? code : "rejected"));
    }
    aws::Credentials credentials = read_credentials_document(*document, "Token");
    if (credentials.session_token.empty() || !credentials.expires_at) {
      throw UnusableDocument(credentials.expires_at ? "has no Token" : "has no Expiration");
    }
    credentials.source = fmt::format("instance metadata (role {})", role);
    return credentials;
  } catch (const UnusableDocument& unusable) {
    throw MetadataUnavailable(fmt::format("role {}: the response {}", role, unusable.what()));
  }
}

}  // namespace

Awaitable<aws::Credentials> MetadataCredentials::ask() {
  InstanceMetadata metadata(connector_);
  const http::Response roles = co_await metadata.get(std::string(kPath));
  const std::string role = roles.status == 404 ? "" : first_line(roles.body.view());
  if (role.empty()) {
    throw MetadataUnavailable("no role is attached");
  }
  if (role.size() > kMaxNameBytes) {
    throw MetadataUnavailable("the response names no role");
  }
  http::Response response = co_await metadata.get(std::string(kPath) + aws::percent_encode(role));
  if (response.status == 404) {
    throw MetadataUnavailable("no role is attached");
  }
  co_return read_answer(std::move(response), role);
}

Awaitable<std::optional<aws::Credentials>> MetadataCredentials::find() {
  finding_.clear();
  std::optional<aws::Credentials> credentials;
  try {
    credentials = co_await ask();
  } catch (const MetadataUnavailable& unavailable) {
    finding_ = unavailable.what();
  }
  const Context& context = connector_.context();
  const auto now = context.clock.wall_now();
  if (credentials && credentials->expires_at <= now) {
    // The same as the AWS SDKs; random, so that machines do not all retry at the same moment.
    constexpr std::chrono::minutes kSoonest{10};
    constexpr std::chrono::duration<double, std::ratio<60>> kSpread{5};
    credentials->expires_at =
        now + kSoonest +
        std::chrono::duration_cast<std::chrono::seconds>(kSpread * context.random.uniform());
    context.notice(fmt::format(
        "The credentials of {} have expired and no newer ones are available; still using them.",
        credentials->source));
  }
  co_return credentials;
}

std::string MetadataCredentials::place() const {
  return finding_.empty() ? "instance metadata" : fmt::format("instance metadata ({})", finding_);
}

}  // namespace everyitem::identity
