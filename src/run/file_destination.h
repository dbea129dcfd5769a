// A file of lines, or standard output.
#pragma once

#include "run/destination.h"

namespace everyitem::run {

/// Wanted if a file is named.
DestinationKind file_destination();

}  // namespace everyitem::run
