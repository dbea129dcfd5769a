#include "identity/profile_keys.h"

#include <string_view>

#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::identity {

namespace {
constexpr std::string_view kKeyId = "aws_access_key_id";
constexpr std::string_view kSecret = "aws_secret_access_key";
constexpr std::string_view kToken = "aws_session_token";
}  // namespace

bool has_keys(const Profile& profile) {
  return !profile.setting(kKeyId).empty() || !profile.setting(kSecret).empty();
}

ProfileKeys::ProfileKeys(const Profile& profile) : profile_(profile) {}

Awaitable<std::optional<aws::Credentials>> ProfileKeys::find() {
  aws::Credentials credentials{
      .access_key_id = profile_.setting(kKeyId),
      .secret_access_key = profile_.setting(kSecret),
      .session_token = profile_.setting(kToken),
      .expires_at = {},
      .source = fmt::format("profile \"{}\", {}", profile_.name, kKeyId),
      .account_id = profile_.setting("aws_account_id"),
  };
  const bool has_key_id = !credentials.access_key_id.empty();
  const bool has_secret = !credentials.secret_access_key.empty();
  if (has_key_id != has_secret) {
    throw usage_error(fmt::format("{} has {} and no {}", profile_.place,
                                  has_key_id ? kKeyId : kSecret, has_key_id ? kSecret : kKeyId),
                      "Give both.");
  }
  if (!has_key_id) {
    co_return std::nullopt;
  }
  co_return credentials;
}

}  // namespace everyitem::identity
