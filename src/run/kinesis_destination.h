// A Kinesis data stream.
#pragma once

#include "run/destination.h"

namespace everyitem::run {

/// Wanted if a stream is named.
DestinationKind kinesis_destination();

}  // namespace everyitem::run
