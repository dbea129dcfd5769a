// The key of every item is read, even if the user's projection leaves it out: a dead letter names
// its item by it, and a page can be cut behind any item.
#pragma once

#include "source/scan_page.h"
#include "source/scan_request.h"

namespace everyitem::source {

/// `parameters`, with a projection that has every attribute of `keys`. Throws a usage error if the
/// projection names a part of one: key attributes have none.
ScanParameters with_keys(ScanParameters parameters, const KeyNames& keys);

/// Which attributes of `keys` the user's projection leaves out, so that no item should have them.
AddedKeys added_keys(const ScanParameters& parameters, const KeyNames& keys);

}  // namespace everyitem::source
