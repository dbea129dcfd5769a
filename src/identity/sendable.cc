#include "identity/sendable.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::identity {

namespace {

constexpr std::string_view kWhite = " \t\r\n";

/// Continues "the access key ID"; empty if there is nothing wrong.
std::string_view problem_of(std::string_view text) {
  if (text.find_last_not_of(kWhite) + 1 < text.size()) {
    return text.ends_with('\n') || text.ends_with('\r') ? "ends with a line break"
                                                        : "ends with a space";
  }
  if (!text.empty() && kWhite.find(text.front()) != std::string_view::npos) {
    return "starts with a space or line break";
  }
  const bool printable = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  return printable ? "" : "has a line break or another character that is not printable ASCII in it";
}

}  // namespace

void require_sendable(const aws::Credentials& credentials) {
  const std::pair<std::string_view, std::string_view> texts[] = {
      {"access key ID", credentials.access_key_id},
      {"secret access key", credentials.secret_access_key},
      {"session token", credentials.session_token}};
  for (const auto& [name, text] : texts) {
    if (const std::string_view problem = problem_of(text); !problem.empty()) {
      throw usage_error(
          fmt::format("the {} from {} {}", name, credentials.source, problem),
          "Remove it there. A Kubernetes secret made from a file keeps the file's last line break; "
          "create it from a literal instead.");
    }
  }
}

}  // namespace everyitem::identity
