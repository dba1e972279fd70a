// The server's own certificate, which can be replaced while connections use it. Two places: new connections get the
// current one; the one before stays until its last connection ends.
#include <mbedtls/pk.h>

#include <string.h>

#include "internal.h"

// Certificates of a chain.
enum { CERTIFICATE_COUNT_MAX = 8 };

static struct certificate {
  mbedtls_ssl_config config;
  mbedtls_x509_crt chain; // points into `octets`
  mbedtls_pk_context key;
  int is_installed, user_count;
  uint8_t octets[MARTLET_TLS_CHAIN_SIZE];
  // After the first one. Last, because few chains have others, and pages that nothing touches cost no memory.
  mbedtls_x509_crt others[CERTIFICATE_COUNT_MAX - 1];
} certificates[2];

static int current = -1;

// In the server's order (TLS 1.2). ChaCha20 is first: without instructions for AES it is three to nine times as
// fast. It reads no table at places that the key decides.
static const int suites[] = {
#if defined MBEDTLS_SSL_PROTO_TLS1_3
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
#if !MARTLET_TLS_PSA
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
#endif
    0,
};

#if MBEDTLS_VERSION_MAJOR >= 3
static const uint16_t groups[] = {
#if !MARTLET_TLS_PSA
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
#endif
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};
static const uint16_t signatures[] = {
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
#if !MARTLET_TLS_PSA
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
#endif
    MBEDTLS_TLS1_3_SIG_NONE,
};
#else
static const mbedtls_ecp_group_id groups[] = {MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1,
                                              MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_NONE};
#endif

static const char *protocols[] = {"http/1.1", NULL};

// Everything of a configuration that does not depend on the certificate. 0, or the library's error.
static int configure(mbedtls_ssl_config *config) {
  // The preset without finite-field Diffie-Hellman, which would allocate its parameters.
  int error = mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                          MBEDTLS_SSL_PRESET_SUITEB);
  if (error != 0) return error;
  mbedtls_ssl_conf_rng(config, martlet_tls_random, NULL);
  mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_NONE);
  mbedtls_ssl_conf_ciphersuites(config, suites);
#if MBEDTLS_VERSION_MAJOR >= 3
  mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
#if defined MBEDTLS_SSL_PROTO_TLS1_3
  mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_tls13_key_exchange_modes(config, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
#if defined MBEDTLS_SSL_SESSION_TICKETS
  mbedtls_ssl_conf_new_session_tickets(config, 0);
#endif
#endif
  mbedtls_ssl_conf_groups(config, groups);
  mbedtls_ssl_conf_sig_algs(config, signatures);
#else
  mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
  mbedtls_ssl_conf_max_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
  mbedtls_ssl_conf_curves(config, groups);
#endif
#if defined MBEDTLS_SSL_RENEGOTIATION
  mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
  return mbedtls_ssl_conf_alpn_protocols(config, protocols);
}

// MARK: DER (ITU-T X.690)

// What is left to read.
struct reader {
  const uint8_t *octets, *end;
};

// The next element with this tag, which is read: its first octet in `whole`, and what is in it. 0 where there is no
// such element. Lengths of 64 KiB and more are refused, and those that could be shorter.
static int read_element(struct reader *reader, uint8_t tag, struct reader *whole, struct reader *content) {
  const uint8_t *octets = reader->octets;
  size_t count = (size_t)(reader->end - octets), size, head = 2;
  if (count < 2 || octets[0] != tag) return 0;
  if (octets[1] < 0x80) {
    size = octets[1];
  } else if (octets[1] == 0x81 && count >= 3) {
    head = 3;
    size = octets[2];
    if (size < 0x80) return 0;
  } else if (octets[1] == 0x82 && count >= 4) {
    head = 4;
    size = (size_t)octets[2] << 8 | octets[3];
    if (size < 0x100) return 0;
  } else {
    return 0;
  }
  if (size > count - head) return 0;
  *whole = (struct reader){octets, octets + head + size};
  *content = (struct reader){octets + head, octets + head + size};
  reader->octets = whole->end;
  return 1;
}

// The SubjectPublicKeyInfo of a certificate (RFC 5280, section 4.1). 0 where the octets are none.
static int find_public_key(struct reader certificate, struct reader *key) {
  // Before it: serialNumber, signature, issuer, validity, subject.
  static const uint8_t tags[] = {0x02, 0x30, 0x30, 0x30, 0x30};
  struct reader whole, content, to_be_signed;
  if (!read_element(&certificate, 0x30, &whole, &content) || !read_element(&content, 0x30, &whole, &to_be_signed))
    return 0;
  read_element(&to_be_signed, 0xA0, &whole, &content); // version
  for (size_t i = 0; i < sizeof tags; i++)
    if (!read_element(&to_be_signed, tags[i], &whole, &content)) return 0;
  return read_element(&to_be_signed, 0x30, key, &content);
}

// MARK: Chains and keys

// Makes the library's list of a chain's certificates. The library sends the certificates as they are. It knows no
// more of them than the first one's public key, so that any algorithm may have signed them.
// MARTLET_TLS_DONE or BAD_CHAIN.
static int list_chain(struct certificate *certificate, size_t count, struct reader *public_key) {
  struct reader rest = {certificate->octets, certificate->octets + count}, whole, content;
  mbedtls_x509_crt *last = NULL;
  size_t other_count = 0;
  while (rest.octets < rest.end) {
    if (!read_element(&rest, 0x30, &whole, &content)) return MARTLET_TLS_BAD_CHAIN;
    if (!last) {
      if (!find_public_key(whole, public_key)) return MARTLET_TLS_BAD_CHAIN;
      last = &certificate->chain;
    } else {
      if (other_count == CERTIFICATE_COUNT_MAX - 1) return MARTLET_TLS_BAD_CHAIN;
      last->next = &certificate->others[other_count++];
      last = last->next;
      mbedtls_x509_crt_init(last);
    }
    last->raw.p = (unsigned char *)whole.octets;
    last->raw.len = (size_t)(whole.end - whole.octets);
  }
  return MARTLET_TLS_DONE;
}

// Whether a certificate's public key is that of a key for P-256. MARTLET_TLS_DONE, MISMATCH or the key's error.
static int compare_key(struct reader public_key, const uint8_t *key) {
  uint8_t point[MARTLET_TLS_PUBLIC_SIZE];
  int result = martlet_tls_public_key(key, point);
  if (result != MARTLET_TLS_DONE) return result;
  if ((size_t)(public_key.end - public_key.octets) != MARTLET_SPKI_START_SIZE + sizeof point ||
      memcmp(public_key.octets, martlet_spki_start, MARTLET_SPKI_START_SIZE) != 0 ||
      memcmp(public_key.octets + MARTLET_SPKI_START_SIZE, point, sizeof point) != 0)
    return MARTLET_TLS_MISMATCH;
  return MARTLET_TLS_DONE;
}

#if !MARTLET_TLS_PSA
enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 4096 };

// A key in whatever form of DER the library knows. MARTLET_TLS_DONE, BAD_KEY or MISMATCH.
static int load_der(mbedtls_pk_context *context, const mbedtls_x509_crt *chain, const uint8_t *key, size_t count) {
#if MBEDTLS_VERSION_MAJOR >= 3
  int error = mbedtls_pk_parse_key(context, key, count, NULL, 0, martlet_tls_random, NULL);
#else
  int error = mbedtls_pk_parse_key(context, key, count, NULL, 0);
#endif
  if (error != 0) return MARTLET_TLS_BAD_KEY;
  size_t bits = mbedtls_pk_get_bitlen(context);
  if (mbedtls_pk_can_do(context, MBEDTLS_PK_RSA) && (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX))
    return MARTLET_TLS_BAD_KEY;
  if (!mbedtls_pk_can_do(context, MBEDTLS_PK_RSA) && !mbedtls_pk_can_do(context, MBEDTLS_PK_ECDSA))
    return MARTLET_TLS_BAD_KEY;
#if MBEDTLS_VERSION_MAJOR >= 3
  error = mbedtls_pk_check_pair(&chain->pk, context, martlet_tls_random, NULL);
#else
  error = mbedtls_pk_check_pair(&chain->pk, context);
#endif
  return error == 0 ? MARTLET_TLS_DONE : MARTLET_TLS_MISMATCH;
}
#endif

#if MARTLET_TLS_PSA
// A key for P-256. The public key is that of the certificate, octet by octet, so that the library need not parse it.
static int load_key(struct certificate *certificate, struct reader public_key, int kind, const uint8_t *key,
                    size_t count) {
  mbedtls_pk_context *context = &certificate->chain.pk;
  if (kind != MARTLET_TLS_KEY_P256 || count != MARTLET_TLS_KEY_SIZE) return MARTLET_TLS_BAD_KEY;
  int result = compare_key(public_key, key);
  if (result != MARTLET_TLS_DONE) return result;
  if (mbedtls_pk_setup(context, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) != 0) return MARTLET_TLS_NO_MEMORY;
  context->MBEDTLS_PRIVATE(ec_family) = PSA_ECC_FAMILY_SECP_R1;
  context->MBEDTLS_PRIVATE(ec_bits) = 256;
  context->MBEDTLS_PRIVATE(pub_raw_len) = MARTLET_TLS_PUBLIC_SIZE;
  memcpy(context->MBEDTLS_PRIVATE(pub_raw), public_key.octets + MARTLET_SPKI_START_SIZE, MARTLET_TLS_PUBLIC_SIZE);
  return martlet_key_load(&certificate->key, key);
}
#else
static int load_key(struct certificate *certificate, struct reader public_key, int kind, const uint8_t *key,
                    size_t count) {
  unsigned char *start = (unsigned char *)public_key.octets;
  if (kind == MARTLET_TLS_KEY_P256) {
    if (count != MARTLET_TLS_KEY_SIZE) return MARTLET_TLS_BAD_KEY;
    int result = compare_key(public_key, key);
    if (result != MARTLET_TLS_DONE) return result;
  }
  if (mbedtls_pk_parse_subpubkey(&start, public_key.end, &certificate->chain.pk) != 0)
    return kind == MARTLET_TLS_KEY_P256 ? MARTLET_TLS_NO_MEMORY : MARTLET_TLS_MISMATCH;
  if (kind == MARTLET_TLS_KEY_P256) return martlet_key_load(&certificate->key, key);
  if (kind == MARTLET_TLS_KEY_DER) return load_der(&certificate->key, &certificate->chain, key, count);
  return MARTLET_TLS_BAD_KEY;
}
#endif

static void free_certificate(int number) {
  struct certificate *certificate = &certificates[number];
  mbedtls_ssl_config_free(&certificate->config);
  martlet_key_unload(&certificate->key);
  // The others are not the library's to free, and hold nothing.
  certificate->chain.next = NULL;
  mbedtls_x509_crt_free(&certificate->chain);
  certificate->is_installed = 0;
  martlet_arena_clear(MARTLET_ARENA_CERTIFICATES + number);
}

static int fill(struct certificate *certificate, const uint8_t *chain, size_t chain_count, int kind,
                const uint8_t *key, size_t key_count) {
  mbedtls_ssl_config_init(&certificate->config);
  mbedtls_pk_init(&certificate->key);
  mbedtls_x509_crt_init(&certificate->chain);
  memcpy(certificate->octets, chain, chain_count);
  struct reader public_key;
  int result = list_chain(certificate, chain_count, &public_key);
  if (result == MARTLET_TLS_DONE) result = load_key(certificate, public_key, kind, key, key_count);
  if (result == MARTLET_TLS_DONE &&
      (configure(&certificate->config) != 0 ||
       mbedtls_ssl_conf_own_cert(&certificate->config, &certificate->chain, &certificate->key) != 0))
    result = MARTLET_TLS_NO_MEMORY;
  return result;
}

int martlet_tls_install(const uint8_t *chain, size_t chain_count, int kind, const uint8_t *key, size_t key_count) {
  int number = current == 0;
  struct certificate *certificate = &certificates[number];
  if (certificate->is_installed) return MARTLET_TLS_BUSY;
  if (chain_count == 0 || chain_count > sizeof certificate->octets) return MARTLET_TLS_BAD_CHAIN;
  martlet_arena_use(MARTLET_ARENA_CERTIFICATES + number);
  int result = fill(certificate, chain, chain_count, kind, key, key_count);
  if (result != MARTLET_TLS_DONE) {
    free_certificate(number);
    return result;
  }
  int before = current;
  certificate->is_installed = 1;
  certificate->user_count = 0;
  current = number;
  if (before >= 0 && certificates[before].user_count == 0) free_certificate(before);
  return MARTLET_TLS_DONE;
}

int martlet_certificate_take(void) {
  if (current >= 0) certificates[current].user_count++;
  return current;
}

void martlet_certificate_release(int number) {
  if (--certificates[number].user_count == 0 && number != current) free_certificate(number);
}

int martlet_certificate_is_current(int number) { return number == current; }

size_t martlet_certificates_size(void) { return sizeof certificates; }

const mbedtls_ssl_config *martlet_certificate_config(int number) { return &certificates[number].config; }
