// What to write instead of an expression that DynamoDB does not take.
#pragma once

#include "base/error.h"
#include "source/scan_request.h"

namespace everyitem::source {

/// Throws a usage error for an expression with values or quotes in it, which DynamoDB never takes:
/// "status = 'open'". The error says what to write instead: "status = :open", and its values.
void require_no_literals(const ScanParameters& parameters);

/// The usage error for a Scan whose parameters DynamoDB refused: what it said, and what to write
/// instead. `refusal` is of the first request, so nothing has been read.
Error refused_parameters(const Error& refusal, const ScanParameters& parameters);

}  // namespace everyitem::source
