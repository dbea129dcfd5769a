#include "identity/web_identity_credentials.h"

#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "identity/assume_role_credentials.h"
#include "identity/secret_file.h"
#include "identity/secret_json.h"
#include "identity/sts.h"

namespace everyitem::identity {

namespace {

aws::SecretText read_token(const std::string& path) {
  const auto cannot_read = [&path](std::string why) {
    return Error(ErrorKind::failed, {.operation = "read the web identity token",
                                     .object = path,
                                     .code = {},
                                     .message = std::move(why),
                                     .hint = {}});
  };
  PaddedBuffer bytes;
  try {
    bytes = read_secret_file(path);
  } catch (const std::system_error& error) {
    throw cannot_read(error.code().message());
  }
  const WipedAtEnd<PaddedBuffer> wiped(bytes);
  std::string_view token = bytes.view();
  token = token.substr(0, token.find_last_not_of("\r\n") + 1);
  if (token.empty()) {
    throw cannot_read("it is empty");
  }
  return std::string(token);
}

}  // namespace

WebIdentity web_identity_of(const Environment& environment) {
  return {.token_file = environment("AWS_WEB_IDENTITY_TOKEN_FILE"),
          .role_arn = environment("AWS_ROLE_ARN"),
          .session_name = environment("AWS_ROLE_SESSION_NAME"),
          .named_by = "the environment"};
}

WebIdentity web_identity_of(const Profile& profile) {
  return {.token_file = profile.setting("web_identity_token_file"),
          .role_arn = profile.setting("role_arn"),
          .session_name = profile.setting("role_session_name"),
          .named_by = fmt::format("profile \"{}\"", profile.name)};
}

WebIdentityCredentials::WebIdentityCredentials(Connector& connector, WebIdentity identity)
    : connector_(connector), identity_(std::move(identity)) {}

std::string WebIdentityCredentials::place() const {
  return identity_.token_file.empty()
             ? "web identity token (AWS_WEB_IDENTITY_TOKEN_FILE is not set)"
             : fmt::format("web identity token of {}, {}", identity_.named_by,
                           identity_.token_file);
}

Awaitable<std::optional<aws::Credentials>> WebIdentityCredentials::find() {
  if (identity_.token_file.empty()) {
    co_return std::nullopt;
  }
  if (identity_.role_arn.empty()) {
    throw usage_error(
        fmt::format("{} names a web identity token file but no role", identity_.named_by),
        "Set AWS_ROLE_ARN, or role_arn next to web_identity_token_file.");
  }
  RoleRequest request;
  request.role_arn = identity_.role_arn;
  request.session_name = session_name_or(identity_.session_name, connector_.clock());
  request.web_identity_token = read_token(identity_.token_file);
  const auto sts =
      connector_.service(co_await asio::this_coro::executor, aws::kSts, std::string(), nullptr);
  aws::Credentials credentials = co_await assume_role(sts->client, request);
  credentials.source = fmt::format("role {} by the web identity token of {}", identity_.role_arn,
                                   identity_.named_by);
  co_return credentials;
}

}  // namespace everyitem::identity
