// A DynamoDB table or one of its indexes, read by a parallel Scan.
#pragma once

#include "run/source.h"

namespace everyitem::run {

/// Wanted unless another source is.
SourceKind table_source();

}  // namespace everyitem::run
