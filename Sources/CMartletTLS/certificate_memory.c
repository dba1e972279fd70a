// The memory of certificates. Pages that no program uses cost no RAM, because nothing touches them.
//
//     small arrays, state | authority | chain | arrays in use only during a call
//     first page ..........................   | from a page of its own on
//
// A certificate has some 600 octets, so that what lasts is in the first two pages.
#include "internal.h"
#include "martlet_certificate_memory.h"

static _Alignas(MARTLET_PAGE_SIZE) struct {
  uint8_t words[MARTLET_CERTIFICATE_WORDS_SIZE];
  uint8_t hosts[MARTLET_CERTIFICATE_HOSTS_SIZE];
  uint8_t host_name[MARTLET_CERTIFICATE_HOST_NAME_SIZE];
  uint8_t first_path[MARTLET_CERTIFICATE_PATH_SIZE];
  uint8_t second_path[MARTLET_CERTIFICATE_PATH_SIZE];
  uint8_t authority_key[MARTLET_TLS_KEY_SIZE];
  uint8_t key[MARTLET_TLS_KEY_SIZE];
  struct martlet_certificate_state state;
  uint8_t authority[MARTLET_CERTIFICATE_SIZE];
  uint8_t chain[MARTLET_TLS_CHAIN_SIZE];
  _Alignas(MARTLET_PAGE_SIZE) struct {
    uint8_t new_certificate[MARTLET_CERTIFICATE_SIZE];
    uint8_t other_key[MARTLET_CERTIFICATE_KEY_SIZE];
    uint8_t text[MARTLET_CERTIFICATE_TEXT_SIZE];
  } during_call;
} memory;

uint8_t *martlet_certificate_memory(enum martlet_certificate_area area, size_t *size) {
#define AREA(name, array)                                                                          \
  case name:                                                                                       \
    *size = sizeof array;                                                                          \
    return array
  switch (area) {
    AREA(MARTLET_CERTIFICATE_CHAIN, memory.chain);
    AREA(MARTLET_CERTIFICATE_AUTHORITY, memory.authority);
    AREA(MARTLET_CERTIFICATE_AUTHORITY_KEY, memory.authority_key);
    AREA(MARTLET_CERTIFICATE_KEY, memory.key);
    AREA(MARTLET_CERTIFICATE_OTHER_KEY, memory.during_call.other_key);
    AREA(MARTLET_CERTIFICATE_NEW, memory.during_call.new_certificate);
    AREA(MARTLET_CERTIFICATE_TEXT, memory.during_call.text);
    AREA(MARTLET_CERTIFICATE_HOSTS, memory.hosts);
    AREA(MARTLET_CERTIFICATE_HOST_NAME, memory.host_name);
    AREA(MARTLET_CERTIFICATE_FIRST_PATH, memory.first_path);
    AREA(MARTLET_CERTIFICATE_SECOND_PATH, memory.second_path);
    AREA(MARTLET_CERTIFICATE_WORDS, memory.words);
  }
#undef AREA
  *size = 0;
  return memory.words;
}

struct martlet_certificate_state *martlet_certificate_state(void) { return &memory.state; }

void martlet_certificate_end_call(void) {
  martlet_give_back(&memory.during_call, sizeof memory.during_call, sizeof memory.during_call);
}

size_t martlet_certificate_arrays_size(void) { return sizeof memory; }
