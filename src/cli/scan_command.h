// `everyitem scan`: runs a scan with its progress showing, and answers signals.
#pragma once

#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "options/scan_options.h"

namespace everyitem::cli {

/// `command`: the whole command line, for the hint how to resume. Throws a usage error before
/// anything is started; later failures are printed.
ExitCode run_scan_command(const options::ScanOptions& options,
                          const std::vector<std::string>& command);

}  // namespace everyitem::cli
