#include "base/md5.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <vector>

#include <openssl/evp.h>

#include "base/md5_lanes.h"

namespace everyitem {

namespace {

std::vector<Md5Method> methods_of_this_processor() {
  // Measured on a 2023 Xeon; only their ratios matter.
  std::vector<Md5Method> methods{{.name = "openssl", .block_ns = 75, .text_ns = 20}};
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx512f") != 0) {
    methods.push_back({"avx512_16", 16, md5_blocks_avx512_16, 86, 10});
  }
  if (__builtin_cpu_supports("avx2") != 0) {
    methods.push_back({"avx2_8", 8, md5_blocks_avx2_8, 119, 10});
    methods.push_back({"avx2_16", 16, md5_blocks_avx2_16, 170, 10});
  }
#endif
  return methods;
}

Md5 md5_by_openssl(std::string_view text) {
  struct Free {
    void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  // Looked up only once, because the look-up costs more than a short digest.
  static const std::unique_ptr<EVP_MD, Free> md5(EVP_MD_fetch(nullptr, "MD5", nullptr));
  thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  Md5 digest;
  if (EVP_DigestInit_ex2(context.get(), md5.get(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), text.data(), text.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL has no MD5");
  }
  return digest;
}

}  // namespace

std::span<const Md5Method> md5_methods() {
  static const std::vector<Md5Method> methods = methods_of_this_processor();
  return methods;
}

void md5_each(std::span<const std::string_view> texts, std::span<Md5> digests) {
  const Md5Work work = md5_work(texts);
  const auto nanoseconds = [&](const Md5Method& method) {
    return static_cast<double>(blocks_per_lane(work, method.lanes)) * method.block_ns +
           static_cast<double>(texts.size()) * method.text_ns;
  };
  md5_each_by(*std::ranges::min_element(md5_methods(), {}, nanoseconds), texts, digests);
}

void md5_each_by(const Md5Method& method, std::span<const std::string_view> texts,
                 std::span<Md5> digests) {
  if (method.kernel == nullptr) {
    std::ranges::transform(texts, digests.begin(), md5_by_openssl);
  } else {
    md5_in_lanes(method, texts, digests);
  }
}

Md5 md5(std::string_view text) { return md5_by_openssl(text); }

}  // namespace everyitem
