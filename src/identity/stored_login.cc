#include "identity/stored_login.h"

#include <system_error>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "identity/iso_time.h"
#include "identity/secret_file.h"

namespace everyitem::identity {

namespace {

/// The login, or why there is none.
std::variant<CachedLogin, std::string> load(const StoredLogin& login,
                                            const std::filesystem::path& path) {
  try {
    std::optional<CachedLogin> cached = login.parse(read_secret_file(path));
    if (!cached) {
      return path.string() + " is not a login file";
    }
    return std::move(*cached);
  } catch (const std::system_error& error) {
    return error.code() == std::errc::no_such_file_or_directory
               ? std::string("nobody has logged in")
               : path.string() + ": " + error.code().message();
  }
}

void save(Connector& connector, const StoredLogin& login, const std::filesystem::path& path,
          const CachedLogin& cached) {
  std::string text = cached.document.serialized();
  const WipedAtEnd wiped(text);
  if (const std::string reason = replace_secret_file(path, text); !reason.empty()) {
    connector.context().notice(fmt::format("Cannot save the refreshed login of {}: {}: {}",
                                           login.name(), path.string(), reason));
  }
}

}  // namespace

Error login_error(const StoredLogin& login, std::string code, std::string reason) {
  return {ErrorKind::failed,
          {.operation = "find credentials",
           .object = login.name(),
           .code = std::move(code),
           .message = std::move(reason),
           .hint = login.hint()}};
}

Awaitable<CachedLogin> find_login(Connector& connector, StoredLogin& login) {
  const std::filesystem::path path = login.path();
  std::variant<CachedLogin, std::string> loaded = load(login, path);
  if (auto* reason = std::get_if<std::string>(&loaded)) {
    throw login_error(login, {}, std::move(*reason));
  }
  CachedLogin& cached = std::get<CachedLogin>(loaded);
  const auto now = connector.clock().wall_now();
  std::string failure;
  if (login.is_due(cached, now)) {
    failure = co_await login.refresh(cached);
    if (failure.empty()) {
      save(connector, login, path, cached);
    } else if (auto again = load(login, path);
               std::holds_alternative<CachedLogin>(again) &&
               std::get<CachedLogin>(again).expires_at > cached.expires_at) {
      // Another program may have refreshed it meanwhile, and a refresh token may work only once.
      cached = std::move(std::get<CachedLogin>(again));
      failure.clear();
    }
  }
  if (cached.expires_at <= now) {
    throw login_error(login, {},
                      failure.empty()
                          ? "the login has expired"
                          : "the login has expired, and refreshing it failed: " + failure);
  }
  if (!failure.empty()) {
    connector.context().notice(
        fmt::format("The login of {} expires at {}; refreshing it failed: {}", login.name(),
                    format_iso_time(cached.expires_at), failure));
  }
  co_return std::move(cached);
}

std::optional<aws::Patience> refresh_patience(const CachedLogin& cached, Clock& clock) {
  constexpr std::chrono::seconds kEarly{10};
  if (cached.expires_at > clock.wall_now()) {
    return aws::Patience{.failing = kEarly, .throttled = kEarly};
  }
  return std::nullopt;
}

Awaitable<std::string> call_to_refresh(Connector& connector, const aws::ServiceModel& model,
                                       const std::string& region, const aws::Call& call,
                                       PaddedBuffer& answer) {
  std::string failure;
  try {
    const auto connection =
        connector.service(co_await asio::this_coro::executor, model, region, nullptr);
    const aws::Client::Accept accept = [&answer](http::Response response) {
      answer = std::move(response.body);
    };
    co_await connection->client.call(call, accept);
  } catch (const Error& error) {
    const ErrorDetails& details = error.details();
    failure =
        (details.code.empty() ? details.message : details.code + ": " + details.message).text();
  }
  co_return failure;
}

}  // namespace everyitem::identity
