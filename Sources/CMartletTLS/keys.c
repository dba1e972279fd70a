// Private keys for P-256: made, turned into public points, signed with (FIPS 186-5). A key is the 32 octets of its
// number, the most significant octet first. Copies of keys on the stack are overwritten.
#include <mbedtls/platform_util.h>

#include <string.h>

#include "internal.h"
#include "martlet_platform.h"

#if MARTLET_TLS_PSA
#include <psa/crypto.h>
#else
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#endif

const uint8_t martlet_spki_start[MARTLET_SPKI_START_SIZE] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
    0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
};

// The order of the group (FIPS 186-5, SP 800-186, section 3.2.1.3).
static const uint8_t order[MARTLET_TLS_KEY_SIZE] = {
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
};

int martlet_tls_random(void *unused, unsigned char *octets, size_t count) {
  (void)unused;
  return martlet_random(octets, count);
}

// Whether 1 <= key < n. Takes as long for each key.
static int is_in_range(const uint8_t key[MARTLET_TLS_KEY_SIZE]) {
  unsigned borrow = 0, any = 0;
  for (int i = MARTLET_TLS_KEY_SIZE - 1; i >= 0; i--) {
    borrow = ((unsigned)key[i] - order[i] - borrow) >> 8 & 1;
    any |= key[i];
  }
  return borrow & (any + 0xFF) >> 8;
}

int martlet_tls_make_key(uint8_t key[MARTLET_TLS_KEY_SIZE]) {
  // One number in 2^32 is not in the range.
  for (int i = 0; i < 8; i++) {
    if (martlet_random(key, MARTLET_TLS_KEY_SIZE) != 0) break;
    if (is_in_range(key)) return MARTLET_TLS_DONE;
  }
  mbedtls_platform_zeroize(key, MARTLET_TLS_KEY_SIZE);
  return MARTLET_TLS_NO_MEMORY;
}

#if MARTLET_TLS_PSA

// Random octets for PSA.
psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context, uint8_t *octets,
                                             size_t size, size_t *count) {
  (void)context;
  *count = size;
  return martlet_random(octets, size) == 0 ? PSA_SUCCESS : PSA_ERROR_INSUFFICIENT_ENTROPY;
}

// The library's copy of a key. The caller destroys it.
static int import_key(const uint8_t key[MARTLET_TLS_KEY_SIZE], psa_key_id_t *id) {
  *id = PSA_KEY_ID_NULL;
  if (!is_in_range(key)) return MARTLET_TLS_BAD_KEY;
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_bits(&attributes, 256);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_HASH);
  psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_ANY_HASH));
  return psa_import_key(&attributes, key, MARTLET_TLS_KEY_SIZE, id) == PSA_SUCCESS ? MARTLET_TLS_DONE
                                                                                   : MARTLET_TLS_NO_MEMORY;
}

int martlet_tls_public_key(const uint8_t key[MARTLET_TLS_KEY_SIZE], uint8_t point[MARTLET_TLS_PUBLIC_SIZE]) {
  psa_key_id_t id;
  size_t count = 0;
  int arena = martlet_arena_use(MARTLET_ARENA_COMMON);
  int result = import_key(key, &id);
  if (result == MARTLET_TLS_DONE &&
      (psa_export_public_key(id, point, MARTLET_TLS_PUBLIC_SIZE, &count) != PSA_SUCCESS ||
       count != MARTLET_TLS_PUBLIC_SIZE))
    result = MARTLET_TLS_NO_MEMORY;
  psa_destroy_key(id);
  martlet_arena_use(arena);
  return result;
}

int martlet_tls_sign(const uint8_t key[MARTLET_TLS_KEY_SIZE], const uint8_t digest[32],
                     uint8_t signature[MARTLET_TLS_SIGNATURE_SIZE]) {
  psa_key_id_t id;
  size_t count = 0;
  int arena = martlet_arena_use(MARTLET_ARENA_COMMON);
  int result = import_key(key, &id);
  if (result == MARTLET_TLS_DONE &&
      (psa_sign_hash(id, PSA_ALG_ECDSA(PSA_ALG_SHA_256), digest, 32, signature, MARTLET_TLS_SIGNATURE_SIZE,
                     &count) != PSA_SUCCESS ||
       count != MARTLET_TLS_SIGNATURE_SIZE))
    result = MARTLET_TLS_NO_MEMORY;
  psa_destroy_key(id);
  martlet_arena_use(arena);
  return result;
}

int martlet_key_load(mbedtls_pk_context *context, const uint8_t key[MARTLET_TLS_KEY_SIZE]) {
  psa_key_id_t id;
  int result = import_key(key, &id);
  if (result == MARTLET_TLS_DONE && mbedtls_pk_setup_opaque(context, id) != 0) {
    psa_destroy_key(id);
    result = MARTLET_TLS_NO_MEMORY;
  }
  return result;
}

void martlet_key_unload(mbedtls_pk_context *context) {
  // The context knows the key by its number and leaves it where it is.
  mbedtls_svc_key_id_t id = context->MBEDTLS_PRIVATE(priv_id);
  mbedtls_pk_free(context);
  psa_destroy_key(id);
}

#else

// What each function of the older kind needs: the group, a key as a number, two other numbers, a point.
struct numbers {
  mbedtls_ecp_group group;
  mbedtls_mpi key, r, s;
  mbedtls_ecp_point point;
};

static int numbers_begin(struct numbers *numbers, const uint8_t key[MARTLET_TLS_KEY_SIZE]) {
  mbedtls_ecp_group_init(&numbers->group);
  mbedtls_mpi_init(&numbers->key);
  mbedtls_mpi_init(&numbers->r);
  mbedtls_mpi_init(&numbers->s);
  mbedtls_ecp_point_init(&numbers->point);
  if (!is_in_range(key)) return MARTLET_TLS_BAD_KEY;
  if (mbedtls_ecp_group_load(&numbers->group, MBEDTLS_ECP_DP_SECP256R1) != 0 ||
      mbedtls_mpi_read_binary(&numbers->key, key, MARTLET_TLS_KEY_SIZE) != 0)
    return MARTLET_TLS_NO_MEMORY;
  return MARTLET_TLS_DONE;
}

// Overwrites the numbers as well.
static void numbers_end(struct numbers *numbers) {
  mbedtls_ecp_point_free(&numbers->point);
  mbedtls_mpi_free(&numbers->s);
  mbedtls_mpi_free(&numbers->r);
  mbedtls_mpi_free(&numbers->key);
  mbedtls_ecp_group_free(&numbers->group);
}

int martlet_tls_public_key(const uint8_t key[MARTLET_TLS_KEY_SIZE], uint8_t point[MARTLET_TLS_PUBLIC_SIZE]) {
  struct numbers numbers;
  size_t count = 0;
  int result = numbers_begin(&numbers, key);
  if (result == MARTLET_TLS_DONE &&
      (mbedtls_ecp_mul(&numbers.group, &numbers.point, &numbers.key, &numbers.group.G, martlet_tls_random, NULL) != 0 ||
       mbedtls_ecp_point_write_binary(&numbers.group, &numbers.point, MBEDTLS_ECP_PF_UNCOMPRESSED, &count, point,
                                      MARTLET_TLS_PUBLIC_SIZE) != 0 ||
       count != MARTLET_TLS_PUBLIC_SIZE))
    result = MARTLET_TLS_NO_MEMORY;
  numbers_end(&numbers);
  return result;
}

int martlet_tls_sign(const uint8_t key[MARTLET_TLS_KEY_SIZE], const uint8_t digest[32],
                     uint8_t signature[MARTLET_TLS_SIGNATURE_SIZE]) {
  struct numbers numbers;
  int result = numbers_begin(&numbers, key);
  if (result == MARTLET_TLS_DONE &&
      (mbedtls_ecdsa_sign(&numbers.group, &numbers.r, &numbers.s, &numbers.key, digest, 32, martlet_tls_random,
                          NULL) != 0 ||
       mbedtls_mpi_write_binary(&numbers.r, signature, MARTLET_TLS_KEY_SIZE) != 0 ||
       mbedtls_mpi_write_binary(&numbers.s, signature + MARTLET_TLS_KEY_SIZE, MARTLET_TLS_KEY_SIZE) != 0))
    result = MARTLET_TLS_NO_MEMORY;
  numbers_end(&numbers);
  return result;
}

// ECPrivateKey (RFC 5915, section 3): version, the key, the curve, and the point behind it.
enum { KEY_AT = 7, MIDDLE_AT = KEY_AT + MARTLET_TLS_KEY_SIZE, MIDDLE_SIZE = 17, POINT_AT = MIDDLE_AT + MIDDLE_SIZE };
static const uint8_t key_start[KEY_AT] = {0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20};
static const uint8_t key_middle[MIDDLE_SIZE] = {0xA0, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D,
                                                0x03, 0x01, 0x07, 0xA1, 0x44, 0x03, 0x42, 0x00};

int martlet_key_load(mbedtls_pk_context *context, const uint8_t key[MARTLET_TLS_KEY_SIZE]) {
  uint8_t octets[POINT_AT + MARTLET_TLS_PUBLIC_SIZE];
  memcpy(octets, key_start, KEY_AT);
  memcpy(octets + KEY_AT, key, MARTLET_TLS_KEY_SIZE);
  memcpy(octets + MIDDLE_AT, key_middle, MIDDLE_SIZE);
  int result = martlet_tls_public_key(key, octets + POINT_AT);
  if (result == MARTLET_TLS_DONE) {
#if MBEDTLS_VERSION_MAJOR >= 3
    int error = mbedtls_pk_parse_key(context, octets, sizeof octets, NULL, 0, martlet_tls_random, NULL);
#else
    int error = mbedtls_pk_parse_key(context, octets, sizeof octets, NULL, 0);
#endif
    if (error != 0) result = MARTLET_TLS_NO_MEMORY;
  }
  mbedtls_platform_zeroize(octets, sizeof octets);
  return result;
}

void martlet_key_unload(mbedtls_pk_context *context) { mbedtls_pk_free(context); }

#endif
