// TLS settings for all connections of a client.
#pragma once

#include <memory>
#include <string>

namespace everyitem::http {

/// Loaded once: protocol 1.2 or later; the certificate chain and the host name are always verified.
/// The roots are in the PEM file `ca_bundle`, or the system's if it is empty. Throws a usage error
/// that names the file if it cannot be read.
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
