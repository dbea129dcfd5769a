#include "aws/redaction.h"

#include <algorithm>
#include <cctype>

namespace everyitem::aws {

namespace {

/// An access key has at least 16 characters (IAM API reference, AccessKey); shorter ones belong to
/// test servers and may be part of any word.
constexpr std::size_t kMinSecretBytes = 16;

/// "ProvisionedThroughputExceededException" has 38 characters; base64 of an item has more.
constexpr std::size_t kMaxWordBytes = 40;

constexpr std::size_t kMaxCodeBytes = 64;

constexpr std::string_view kCut = "...";

void replace_all(std::string& text, std::string_view sought, std::string_view replacement) {
  for (auto at = text.find(sought); at != std::string::npos;
       at = text.find(sought, at + replacement.size())) {
    text.replace(at, sought.size(), replacement);
  }
}

}  // namespace

std::string without_secrets(std::string message, const Credentials& credentials,
                            std::string_view another) {
  for (const std::string_view secret : {std::string_view(credentials.secret_access_key),
                                        std::string_view(credentials.session_token),
                                        std::string_view(credentials.access_key_id), another}) {
    if (secret.size() >= kMinSecretBytes) {
      replace_all(message, secret, "***");
    }
  }
  if (message.size() > kMaxMessageBytes) {
    message.resize(kMaxMessageBytes);
    message += kCut;
  }
  return message;
}

std::string without_items(std::string message) {
  // From the first to the last, because quoted text may itself contain braces and quotes.
  const auto first = message.find_first_of("{[\"'`");
  if (first != std::string::npos) {
    const auto last = message.find_last_of("}]\"'`");
    const auto end = last == std::string::npos || last <= first ? message.size() : last + 1;
    message.replace(first, end - first, kCut);
  }
  for (std::size_t at = 0; at < message.size();) {
    const auto end = std::min(message.find(' ', at), message.size());
    if (end - at > kMaxWordBytes && message.compare(at, 4, "arn:") != 0) {
      message.replace(at, end - at, kCut);
      at += kCut.size() + 1;
    } else {
      at = end + 1;
    }
  }
  return message;
}

bool is_error_code(std::string_view text) {
  return !text.empty() && text.size() <= kMaxCodeBytes &&
         std::ranges::all_of(
             text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.'; });
}

}  // namespace everyitem::aws
