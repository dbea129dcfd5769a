// The JSON in which programs, containers and instance metadata return credentials. All are nearly
// the same.
#pragma once

#include <stdexcept>
#include <string_view>

#include "aws/credentials.h"
#include "identity/secret_json.h"

namespace everyitem::identity {

/// Thrown for a document without usable credentials. `what()` is a short phrase that continues "the
/// response": "has no SecretAccessKey". It repeats nothing from the document.
class UnusableDocument : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads AccessKeyId and SecretAccessKey, which are required, and the session token (named
/// `token_name`), Expiration and AccountId, which are optional. Leaves `source` empty. Throws
/// UnusableDocument, also for members of the wrong type.
aws::Credentials read_credentials_document(const SecretDocument& document,
                                           std::string_view token_name);

/// The same for a text, which is wiped.
aws::Credentials read_credentials_document(PaddedBuffer text, std::string_view token_name);

/// Throws UnusableDocument unless the document is output of a credential_process, version 1.
void require_process_version(const SecretDocument& document);

}  // namespace everyitem::identity
