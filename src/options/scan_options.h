// The settings of a scan: flags of `everyitem scan`, and variables of the Lambda function.
#pragma once

#include <span>
#include <string>

#include "options/setting_entry.h"
#include "run/scan_run.h"

namespace everyitem::options {

/// As they are given, before they are put together.
struct ScanOptions;

/// Every setting of a scan, in the order of the help.
std::span<const SettingEntry<ScanOptions>> scan_entries();

/// What was given, understood, checked and put together. Calls nothing: a usage error, which names
/// the setting, is thrown before anything is started.
run::ScanSettings scan_settings(const GivenSettings& given);

}  // namespace everyitem::options
