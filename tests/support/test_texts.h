// Texts for tests of functions that read many at once.
#pragma once

#include <cstddef>
#include <memory>
#include <random>
#include <span>
#include <string_view>
#include <vector>

namespace everyitem {

/// Texts that are each allocated separately, so that AddressSanitizer notices reads beyond the end
/// of one.
class Texts {
 public:
  Texts(const std::vector<std::size_t>& lengths, std::mt19937& random) {
    for (const std::size_t length : lengths) {
      auto& bytes = bytes_.emplace_back(std::make_unique<char[]>(length));
      for (std::size_t i = 0; i < length; ++i) {
        bytes[i] = static_cast<char>(random());
      }
      views_.emplace_back(bytes.get(), length);
    }
  }

  std::span<const std::string_view> views() const { return views_; }

 private:
  std::vector<std::unique_ptr<char[]>> bytes_;
  std::vector<std::string_view> views_;
};

}  // namespace everyitem
