// The memory of certificates: static arrays, because pages and the transport both reach it. One program has one
// set of certificates.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "martlet_tls.h"

enum {
  // Octets of one certificate, or certificate request, that is made here. The longest is an authority's with the
  // constraints for 256 host names of one letter, 5 octets each. All else has some 1,700.
  MARTLET_CERTIFICATE_SIZE = 4096,

  // Octets of a file, or of an answer, as PEM text. A chain of MARTLET_TLS_CHAIN_SIZE octets has 11,200, and
  // the rest is for text between certificates.
  MARTLET_CERTIFICATE_TEXT_SIZE = 16384,

  // Octets of a private key in DER: 2,375 of RSA with 4,096 bits.
  MARTLET_CERTIFICATE_KEY_SIZE = 4096,

  // Octets of the host names that people give, with a blank after each.
  MARTLET_CERTIFICATE_HOSTS_SIZE = 512,

  // Octets of the machine's name, as of any host name (RFC 1035 §2.3.4).
  MARTLET_CERTIFICATE_HOST_NAME_SIZE = 253,

  // Octets of the path of a file or directory, without a NUL.
  MARTLET_CERTIFICATE_PATH_SIZE = 511,

  // Octets of a line that says what is wrong: two paths, and a sentence.
  MARTLET_CERTIFICATE_WORDS_SIZE = 1280,
};

// The arrays.
enum martlet_certificate_area {
  MARTLET_CERTIFICATE_CHAIN,         // certificates in DER as clients get them, the server's first
  MARTLET_CERTIFICATE_AUTHORITY,     // the certificate of the board's own authority, in DER
  MARTLET_CERTIFICATE_AUTHORITY_KEY, // its private key
  MARTLET_CERTIFICATE_KEY,           // the server's private key
  MARTLET_CERTIFICATE_OTHER_KEY,     // a private key of a file, while it is being installed
  MARTLET_CERTIFICATE_NEW,           // a certificate that is being made; names that are wanted
  MARTLET_CERTIFICATE_TEXT,          // what is being read or written
  MARTLET_CERTIFICATE_HOSTS,
  MARTLET_CERTIFICATE_HOST_NAME,     // the machine's name in lower case
  MARTLET_CERTIFICATE_FIRST_PATH,    // the directory, or the file of the chain
  MARTLET_CERTIFICATE_SECOND_PATH,   // the file of the key
  MARTLET_CERTIFICATE_WORDS,
};

// What is known besides the arrays. All zeros at the start of the program.
struct martlet_certificate_state {
  int64_t next_look;      // when all is looked at again, in milliseconds of the monotonic clock
  int64_t untrusted_from; // since when the time of day has not been known, on that clock
  int32_t directory;      // a descriptor; 0: not opened
  uint32_t chain_count, authority_count, hosts_count, host_name_count;
  uint32_t first_path_count, second_path_count, words_count;
  uint8_t kind;        // CertificateKind
  uint8_t waits;       // what is in `chain` is to be installed, when the library has room
  uint8_t unsaved;     // files that could not be written: bits
  uint8_t was_trusted; // the time of day has been known since the start
};

// The start of an array, and its size.
uint8_t *_Nonnull martlet_certificate_memory(enum martlet_certificate_area area, size_t *_Nonnull size);

struct martlet_certificate_state *_Nonnull martlet_certificate_state(void);

// Makes zeros of the arrays that are used only during a call (NEW, OTHER_KEY, TEXT), and gives their pages back to the
// kernel.
void martlet_certificate_end_call(void);
