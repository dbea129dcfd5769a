// The key is a slice of the page: it must not outlive it.
#include <utility>

#include "source/scan_page.h"

namespace everyitem::source {

std::size_t length(PaddedBuffer body, const KeyNames& keys) {
#ifdef MUST_NOT_COMPILE
  const auto key = ScanPage::parse(std::move(body), keys).last_evaluated_key();
#else
  const ScanPage page = ScanPage::parse(std::move(body), keys);
  const auto key = page.last_evaluated_key();
#endif
  return key.size();
}

}  // namespace everyitem::source
