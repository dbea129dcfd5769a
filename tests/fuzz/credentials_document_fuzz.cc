// Credentials from programs, containers, machines and logins: errors must not repeat the input.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "fuzz_target.h"
#include "identity/credentials_document.h"
#include "identity/iso_time.h"
#include "identity/process_credentials.h"
#include "identity/secret_json.h"
#include "identity/sso_token.h"

namespace everyitem::identity {
namespace {

using fuzz::require;

void require_own_words(std::string_view message) {
  constexpr std::string_view kSentences[] = {
      "is not a JSON object",
      "has no AccessKeyId",
      "has no SecretAccessKey",
      "has a non-string AccessKeyId",
      "has a non-string SecretAccessKey",
      "has a non-string Token",
      "has a non-string Expiration",
      "has an Expiration that is not a time such as 2026-11-24T10:00:00Z",
      "has no Version",
      "has a Version other than 1"};
  require(std::ranges::find(kSentences, message) != std::end(kSentences),
          "the content is not repeated");
}

void read_credentials(std::string_view text) {
  try {
    const aws::Credentials credentials = read_credentials_document(PaddedBuffer(text), "Token");
    require(!credentials.access_key_id.empty() && !credentials.secret_access_key.empty(),
            "credentials have a key and a secret");
  } catch (const UnusableDocument& unusable) {
    require_own_words(unusable.what());
  }
}

void read_document(std::string_view text) {
  const std::optional<SecretDocument> document = SecretDocument::parse(text);
  if (!document) {
    return;
  }
  try {
    require_process_version(*document);
  } catch (const UnusableDocument& unusable) {
    require_own_words(unusable.what());
  }
  require(SecretDocument::parse(document->serialized()).has_value(),
          "a document that is written can be read");
}

void read_login(std::string_view text) {
  const std::optional<CachedLogin> login = parse_cached_login(PaddedBuffer(text));
  if (login) {
    require(!login->document.text("accessToken").empty(), "a login has a token");
    is_refreshable(*login, login->expires_at);
  }
}

void read_time(std::string_view text) {
  if (const auto time = parse_iso_time(text)) {
    const auto again = parse_iso_time(format_iso_time(*time));
    require(again == time, "a time that is written is read as the same");
  }
}

/// Quoting a word must not change it.
void split(std::string_view text) {
  const auto words = split_command(text);
  if (!words) {
    return;
  }
  std::string command;
  for (const std::string& word : *words) {
    command += " '";
    for (const char c : word) {
      command += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    command += "'";
  }
  require(split_command(command) == words, "what is quoted is kept as it is");
}

}  // namespace
}  // namespace everyitem::identity

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = everyitem::fuzz::as_text(data, size);
  everyitem::identity::read_credentials(text);
  everyitem::identity::read_document(text);
  everyitem::identity::read_login(text);
  everyitem::identity::read_time(text);
  everyitem::identity::split(text);
  return 0;
}
