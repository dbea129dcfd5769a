#include "identity/credentials_document.h"

#include <optional>
#include <string>
#include <utility>

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "identity/iso_time.h"

namespace everyitem::identity {

namespace {

/// Treats null as absent.
const boost::json::value* find_member(const SecretDocument& document, std::string_view name) {
  const boost::json::value* value = document.members().if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string optional_text(const SecretDocument& document, std::string_view name) {
  const boost::json::value* value = find_member(document, name);
  if (value != nullptr && !value->is_string()) {
    throw UnusableDocument(fmt::format("has a non-string {}", name));
  }
  return document.text(name);
}

std::string required_text(const SecretDocument& document, std::string_view name) {
  std::string text = optional_text(document, name);
  if (text.empty()) {
    throw UnusableDocument(fmt::format("has no {}", name));
  }
  return text;
}

}  // namespace

aws::Credentials read_credentials_document(const SecretDocument& document,
                                           std::string_view token_name) {
  aws::Credentials credentials;
  credentials.access_key_id = required_text(document, "AccessKeyId");
  credentials.secret_access_key = required_text(document, "SecretAccessKey");
  credentials.session_token = optional_text(document, token_name);
  credentials.account_id = document.text("AccountId");
  if (const std::string expiration = optional_text(document, "Expiration"); !expiration.empty()) {
    credentials.expires_at = parse_iso_time(expiration);
    if (!credentials.expires_at) {
      throw UnusableDocument("has an Expiration that is not a time such as 2026-11-24T10:00:00Z");
    }
  }
  return credentials;
}

aws::Credentials read_credentials_document(PaddedBuffer text, std::string_view token_name) {
  const std::optional<SecretDocument> document = SecretDocument::parse(std::move(text));
  if (!document) {
    throw UnusableDocument("is not a JSON object");
  }
  return read_credentials_document(*document, token_name);
}

void require_process_version(const SecretDocument& document) {
  const boost::json::value* version = find_member(document, "Version");
  if (version == nullptr) {
    throw UnusableDocument("has no Version");
  }
  if (*version != 1) {
    throw UnusableDocument("has a Version other than 1");
  }
}

}  // namespace everyitem::identity
