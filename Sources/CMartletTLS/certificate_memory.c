// The memory of certificates. An array that no program uses costs no RAM, because nothing touches it.
#include "internal.h"
#include "martlet_certificate_memory.h"

static uint8_t chain[MARTLET_TLS_CHAIN_SIZE];
static uint8_t authority[MARTLET_CERTIFICATE_SIZE];
static uint8_t authority_key[MARTLET_TLS_KEY_SIZE];
static uint8_t key[MARTLET_TLS_KEY_SIZE];
static uint8_t other_key[MARTLET_CERTIFICATE_KEY_SIZE];
static uint8_t new_certificate[MARTLET_CERTIFICATE_SIZE];
static uint8_t text[MARTLET_CERTIFICATE_TEXT_SIZE];
static uint8_t hosts[MARTLET_CERTIFICATE_HOSTS_SIZE];
static uint8_t host_name[MARTLET_CERTIFICATE_HOST_NAME_SIZE];
static uint8_t first_path[MARTLET_CERTIFICATE_PATH_SIZE];
static uint8_t second_path[MARTLET_CERTIFICATE_PATH_SIZE];
static uint8_t words[MARTLET_CERTIFICATE_WORDS_SIZE];
static struct martlet_certificate_state state;

uint8_t *martlet_certificate_memory(enum martlet_certificate_area area, size_t *size) {
#define AREA(name, array)                                                                          \
  case name:                                                                                       \
    *size = sizeof array;                                                                          \
    return array
  switch (area) {
    AREA(MARTLET_CERTIFICATE_CHAIN, chain);
    AREA(MARTLET_CERTIFICATE_AUTHORITY, authority);
    AREA(MARTLET_CERTIFICATE_AUTHORITY_KEY, authority_key);
    AREA(MARTLET_CERTIFICATE_KEY, key);
    AREA(MARTLET_CERTIFICATE_OTHER_KEY, other_key);
    AREA(MARTLET_CERTIFICATE_NEW, new_certificate);
    AREA(MARTLET_CERTIFICATE_TEXT, text);
    AREA(MARTLET_CERTIFICATE_HOSTS, hosts);
    AREA(MARTLET_CERTIFICATE_HOST_NAME, host_name);
    AREA(MARTLET_CERTIFICATE_FIRST_PATH, first_path);
    AREA(MARTLET_CERTIFICATE_SECOND_PATH, second_path);
    AREA(MARTLET_CERTIFICATE_WORDS, words);
  }
#undef AREA
  *size = 0;
  return words;
}

struct martlet_certificate_state *martlet_certificate_state(void) { return &state; }

size_t martlet_certificate_arrays_size(void) {
  return sizeof chain + sizeof authority + sizeof other_key + sizeof new_certificate + sizeof text +
         sizeof hosts + sizeof words;
}
