#include "emulator/identity_register.h"

#include <array>
#include <ctime>
#include <utility>

#include <fmt/format.h>

namespace everyitem::emulator {

IdentityRegister::IdentityRegister(aws::Credentials owner,
                                   std::optional<std::chrono::seconds> lifetime)
    : lifetime_(lifetime) {
  const std::string access_key_id = owner.access_key_id;
  identities_[access_key_id] = {.credentials = std::move(owner),
                                .arn = fmt::format("arn:aws:iam::{}:user/owner", kAccount),
                                .user_id = "AIDAOWNER"};
}

const Identity* IdentityRegister::find(std::string_view access_key_id) {
  auto found = identities_.find(access_key_id);
  if (found == identities_.end() && access_key_id.starts_with(kUserPrefix)) {
    const std::string id(access_key_id);
    const std::string name = id.substr(kUserPrefix.size());
    Identity user{.credentials = {.access_key_id = id, .secret_access_key = "secret-of-" + id},
                  .arn = fmt::format("arn:aws:iam::{}:user/{}", kAccount, name),
                  .user_id = "AIDA" + name};
    found = identities_.emplace(id, std::move(user)).first;
  }
  return found == identities_.end() ? nullptr : &found->second;
}

const Identity& IdentityRegister::issue(const SessionRequest& request, Time now) {
  const std::string id =
      fmt::format("ASIA.{}.{}.{}", request.role, request.session, issued_.size() + 1);
  // In whole seconds, as reported.
  const Time expires_at =
      std::chrono::floor<std::chrono::seconds>(now + lifetime_.value_or(request.lifetime));
  Identity session{.credentials = {.access_key_id = id,
                                   .secret_access_key = "secret-of-" + id,
                                   .session_token = "token-of-" + id,
                                   .expires_at = expires_at},
                   .arn = fmt::format("arn:{}:sts::{}:assumed-role/{}/{}", request.partition,
                                      request.account, request.role, request.session),
                   .user_id = fmt::format("AROA{}:{}", request.role, request.session)};
  issued_.push_back({.access_key_id = id,
                     .arn = session.arn,
                     .operation = request.operation,
                     .caller = request.caller});
  return identities_.insert_or_assign(id, std::move(session)).first->second;
}

std::optional<SignatureRefusal> IdentityRegister::check(const ReceivedRequest& request,
                                                        std::string_view service, Time now) {
  static const aws::Credentials nobody;
  const Identity* caller = find(access_key_id_of(request));
  auto refused =
      check_signature(request, caller != nullptr ? caller->credentials : nobody, service, now);
  if (!refused && caller->credentials.expires_at && *caller->credentials.expires_at <= now) {
    refused = {.code = "ExpiredTokenException",
               .message = "The security token included in the request is expired",
               .because_expired = true};
  }
  return refused;
}

std::string iso_time(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm fields{};
  gmtime_r(&seconds, &fields);
  std::array<char, 32> text;
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &fields);
  return {text.data(), length};
}

}  // namespace everyitem::emulator
