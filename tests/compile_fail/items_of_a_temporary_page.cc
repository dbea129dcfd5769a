// The items are slices of the page: they must not outlive it.
#include <utility>

#include "source/scan_page.h"

namespace everyitem::source {

std::size_t count(PaddedBuffer body, const KeyNames& keys) {
#ifdef MUST_NOT_COMPILE
  const auto items = ScanPage::parse(std::move(body), keys).items();
#else
  const ScanPage page = ScanPage::parse(std::move(body), keys);
  const auto items = page.items();
#endif
  return items.size();
}

}  // namespace everyitem::source
