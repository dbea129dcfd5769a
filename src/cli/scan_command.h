// `everyitem scan`: runs a scan with its progress showing, and answers signals.
#pragma once

#include <memory>

#include "cli/verb.h"

namespace everyitem::cli {

/// Failures of a run that has begun are printed, with how to resume; others are thrown.
std::unique_ptr<Verb> make_scan_verb();

}  // namespace everyitem::cli
