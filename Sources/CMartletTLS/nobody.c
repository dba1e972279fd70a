// What the library of scripts/sdk calls where a client shows a certificate. The server asks for no certificate, so
// that nothing of it is ever called. The library's own functions would be linked in vain, 8 KB of them (scripts/sdk).
// And what it asks of the server's own key, which is always for ECDSA with P-256.
#include "internal.h"

#if MARTLET_TLS_PSA
#include <mbedtls/pk.h>

int martlet_tls_expect_nobody(mbedtls_ssl_context *ssl);
int martlet_tls_parse_nobody(mbedtls_x509_crt *chain, const unsigned char *octets, size_t count);
int martlet_tls_verify_nobody(mbedtls_x509_crt *chain, mbedtls_x509_crt *trusted, mbedtls_x509_crl *revoked,
                              const mbedtls_x509_crt_profile *profile, const char *name, uint32_t *flags,
                              int (*check)(void *, mbedtls_x509_crt *, int, uint32_t *), void *context,
                              mbedtls_x509_crt_restart_ctx *restart);
int martlet_tls_verify_nothing(mbedtls_pk_context *key, mbedtls_md_type_t hash, const unsigned char *digest,
                               size_t digest_count, const unsigned char *signature, size_t count);
int martlet_tls_key_can_do(const mbedtls_pk_context *key, psa_algorithm_t algorithm, psa_key_usage_t usage);

int martlet_tls_expect_nobody(mbedtls_ssl_context *ssl) {
  (void)ssl;
  return MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE;
}

int martlet_tls_parse_nobody(mbedtls_x509_crt *chain, const unsigned char *octets, size_t count) {
  (void)chain, (void)octets, (void)count;
  return MBEDTLS_ERR_X509_INVALID_FORMAT;
}

int martlet_tls_verify_nobody(mbedtls_x509_crt *chain, mbedtls_x509_crt *trusted, mbedtls_x509_crl *revoked,
                              const mbedtls_x509_crt_profile *profile, const char *name, uint32_t *flags,
                              int (*check)(void *, mbedtls_x509_crt *, int, uint32_t *), void *context,
                              mbedtls_x509_crt_restart_ctx *restart) {
  (void)chain, (void)trusted, (void)revoked, (void)profile, (void)name, (void)check, (void)context, (void)restart;
  *flags = MBEDTLS_X509_BADCERT_NOT_TRUSTED;
  return MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
}

int martlet_tls_verify_nothing(mbedtls_pk_context *key, mbedtls_md_type_t hash, const unsigned char *digest,
                               size_t digest_count, const unsigned char *signature, size_t count) {
  (void)key, (void)hash, (void)digest, (void)digest_count, (void)signature, (void)count;
  return MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE;
}

int martlet_tls_key_can_do(const mbedtls_pk_context *key, psa_algorithm_t algorithm, psa_key_usage_t usage) {
  (void)key;
  return PSA_ALG_IS_ECDSA(algorithm) && usage == PSA_KEY_USAGE_SIGN_HASH;
}
#endif
