#include "support/test_certificates.h"

#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace everyitem::http {

namespace {

void add_extension(X509* certificate, int kind, const std::string& value) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  if (extension == nullptr) {
    throw std::runtime_error("no such extension: " + value);
  }
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

std::string Certificate::pem() const {
  BIO* const memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(memory, x509.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  std::string copy(text, static_cast<std::size_t>(size));
  BIO_free(memory);
  return copy;
}

Certificate make_certificate(const CertificateRequest& request) {
  static long last_serial = 0;
  Certificate made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.x509.reset(X509_new());
  X509* const certificate = made.x509.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++last_serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), request.valid_from.count());
  X509_gmtime_adj(X509_getm_notAfter(certificate), request.valid_until.count());
  X509_set_pubkey(certificate, made.key.get());
  const auto* name = reinterpret_cast<const unsigned char*>(request.common_name.c_str());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, name, -1, -1,
                             0);
  const Certificate& issuer = request.issuer != nullptr ? *request.issuer : made;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer.x509.get()));
  if (request.authority) {
    add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  }
  if (!request.alternative_names.empty()) {
    add_extension(certificate, NID_subject_alt_name, request.alternative_names);
  }
  if (X509_sign(certificate, issuer.key.get(), EVP_sha256()) == 0) {
    throw std::runtime_error("the certificate could not be signed");
  }
  return made;
}

}  // namespace everyitem::http
