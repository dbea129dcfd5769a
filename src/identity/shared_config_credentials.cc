#include "identity/shared_config_credentials.h"

#include <initializer_list>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "identity/profile.h"

namespace everyitem::identity {

namespace {

constexpr std::string_view kKeyId = "aws_access_key_id";
constexpr std::string_view kSecret = "aws_secret_access_key";
constexpr std::string_view kToken = "aws_session_token";

void refuse(const Profile& profile, std::initializer_list<std::string_view> settings) {
  for (const std::string_view setting : settings) {
    if (!profile.setting(setting).empty()) {
      throw usage_error(
          fmt::format("profile \"{}\" has {}, which everyitem does not use yet", profile.name,
                      setting),
          fmt::format("Let the AWS CLI set the environment instead: "
                      "eval \"$(aws configure export-credentials --profile {} --format env)\", "
                      "then run everyitem without --profile; or choose a profile with {} and {}.",
                      profile.name, kKeyId, kSecret));
    }
  }
}

}  // namespace

SharedConfigCredentials::SharedConfigCredentials(std::string profile_flag, Environment environment)
    : profile_flag_(std::move(profile_flag)), environment_(std::move(environment)) {}

Awaitable<std::optional<aws::Credentials>> SharedConfigCredentials::find() {
  const Profile profile = load_profile(profile_flag_, environment_);
  place_ = profile.place;

  // In the order of the AWS tools: these come before keys of the same profile, a program after.
  refuse(profile, {"role_arn", "web_identity_token_file", "sso_session", "sso_start_url"});
  aws::Credentials credentials{.access_key_id = profile.setting(kKeyId),
                               .secret_access_key = profile.setting(kSecret),
                               .session_token = profile.setting(kToken),
                               .expires_at = {}};
  const bool has_key_id = !credentials.access_key_id.empty();
  const bool has_secret = !credentials.secret_access_key.empty();
  if (has_key_id != has_secret) {
    throw usage_error(fmt::format("{} has {} and no {}", profile.place,
                                  has_key_id ? kKeyId : kSecret, has_key_id ? kSecret : kKeyId),
                      "Give both.");
  }
  if (!has_key_id) {
    refuse(profile, {"credential_process"});
    co_return std::nullopt;
  }
  co_return credentials;
}

}  // namespace everyitem::identity
