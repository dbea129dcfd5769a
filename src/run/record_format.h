// The format in which a run's destination gets the items.
#pragma once

#include <memory>

#include "batch/item_format.h"
#include "checkpoint/checkpoint_store.h"
#include "run/scan_settings.h"

namespace everyitem::run {

/// As the user wants it; null for `item`, as for batch::FormattedItems.
std::unique_ptr<batch::ItemFormat> record_format(const ScanSettings& settings);

/// A run has one format from its begin to its end.
checkpoint::RunIdentity format_identity(const ScanSettings& settings);

}  // namespace everyitem::run
