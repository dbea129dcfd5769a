#include "aws/redaction.h"

#include <string_view>

namespace everyitem::aws {

namespace {

/// An access key has 16 characters at least (IAM API reference, AccessKey); what is shorter is a
/// test server's, and may be a part of any word.
constexpr std::size_t kMinSecretBytes = 16;

void replace_all(std::string& text, std::string_view sought, std::string_view replacement) {
  for (auto at = text.find(sought); at != std::string::npos;
       at = text.find(sought, at + replacement.size())) {
    text.replace(at, sought.size(), replacement);
  }
}

/// "1 validation error detected: Value '...' at 'records.1.member.partitionKey' failed to satisfy".
void remove_quoted_values(std::string& text) {
  constexpr std::string_view kBefore = "Value '";
  constexpr std::string_view kAfter = "' at '";
  for (auto begin = text.find(kBefore); begin != std::string::npos;
       begin = text.find(kBefore, begin)) {
    begin += kBefore.size();
    const auto end = text.find(kAfter, begin);
    text.replace(begin, (end == std::string::npos ? text.size() : end) - begin, "...");
  }
}

}  // namespace

std::string without_secrets(std::string message, const Credentials& credentials) {
  for (const std::string* secret :
       {&credentials.secret_access_key, &credentials.session_token, &credentials.access_key_id}) {
    if (secret->size() >= kMinSecretBytes) {
      replace_all(message, *secret, "***");
    }
  }
  remove_quoted_values(message);
  if (message.size() > kMaxMessageBytes) {
    message.resize(kMaxMessageBytes);
    message += "...";
  }
  return message;
}

}  // namespace everyitem::aws
