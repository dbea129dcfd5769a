#include "base/md5.h"

#include <cstddef>
#include <stdexcept>

#include <openssl/evp.h>

namespace everyitem {

void md5_each(std::span<const std::string_view> texts, std::span<Md5> digests) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    digests[i] = md5(texts[i]);
  }
}

Md5 md5(std::string_view text) {
  Md5 digest;
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_md5(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL has no MD5");
  }
  return digest;
}

}  // namespace everyitem
