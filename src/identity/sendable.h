// Whether credentials can be sent at all.
#pragma once

#include "aws/credentials.h"

namespace everyitem::identity {

/// Throws a usage error, which names the source and shows nothing, if a key or token has a
/// character that no header may have, or starts or ends with white space: the line break of a file
/// that was made a secret, for example.
void require_sendable(const aws::Credentials& credentials);

}  // namespace everyitem::identity
