// The JSON in which programs, containers and machines give credentials: all nearly the same.
#pragma once

#include <stdexcept>
#include <string_view>

#include "aws/credentials.h"
#include "identity/secret_json.h"

namespace everyitem::identity {

/// Thrown for a document that holds no usable credentials. `what()` says why in a short phrase that
/// goes on after "the answer": "has no SecretAccessKey". It repeats nothing of the document.
class UnusableDocument : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// AccessKeyId and SecretAccessKey, which must be there; the session's token, by its name, and
/// Expiration, which may be. `source` stays empty. Throws UnusableDocument, also for members that
/// have another form.
aws::Credentials read_credentials_document(const SecretDocument& document,
                                           std::string_view token_name);

/// As above, of a text, which is wiped.
aws::Credentials read_credentials_document(PaddedBuffer text, std::string_view token_name);

/// Throws UnusableDocument unless it is what credential_process answers, version 1.
void require_process_version(const SecretDocument& document);

}  // namespace everyitem::identity
