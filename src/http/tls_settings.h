// What is trusted, for all TLS connections of a client.
#pragma once

#include <memory>
#include <string>

namespace everyitem::http {

/// TLS settings of a client, loaded once: protocol 1.2 or later, the certificate chain and the host
/// name are verified, always. Roots: the PEM file `ca_bundle` when not empty, the system's if it
/// is. Throws a usage error that names the file when it cannot be read.
class TlsSettings {
 public:
  explicit TlsSettings(const std::string& ca_bundle = {});
  TlsSettings(const TlsSettings&) = delete;
  TlsSettings& operator=(const TlsSettings&) = delete;
  ~TlsSettings();

  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace everyitem::http
