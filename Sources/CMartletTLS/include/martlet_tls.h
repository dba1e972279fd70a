// TLS by mbedTLS, behind plain functions: connections by place, each with its fixed memory, and what keys and
// certificates need of a curve. Nothing here waits. The library is mbedTLS 3.6 of scripts/sdk in static
// programs, and Debian's own (2.28 or 3.6) elsewhere.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "martlet_memory.h"

enum {
  MARTLET_TLS_KEY_SIZE = 32,        // of a private key for P-256
  MARTLET_TLS_PUBLIC_SIZE = 65,     // of its public point: 4, x, y
  MARTLET_TLS_SIGNATURE_SIZE = 64,  // r, s
};

// What a function answers, besides counts.
enum {
  MARTLET_TLS_DONE = 0,
  MARTLET_TLS_AGAIN = -1,        // another step of the handshake can be made now
  MARTLET_TLS_WANT_READ = -2,    // when octets have come
  MARTLET_TLS_WANT_WRITE = -3,   // when octets can be sent
  MARTLET_TLS_GONE = -4,         // the connection is broken, or its peer has broken the protocol
  MARTLET_TLS_NO_PLACE = -5,     // all places are taken
  MARTLET_TLS_BUSY = -6,         // connections still use the certificate before the last one
  MARTLET_TLS_BAD_CHAIN = -7,    // no certificate, or too long
  MARTLET_TLS_BAD_KEY = -8,      // a key that this program cannot use
  MARTLET_TLS_MISMATCH = -9,     // the key is not that of the first certificate
  MARTLET_TLS_NO_MEMORY = -10,
};

// Kinds of private keys.
enum {
  MARTLET_TLS_KEY_P256 = 0, // MARTLET_TLS_KEY_SIZE octets, for P-256
  MARTLET_TLS_KEY_DER = 1,  // what Debian's library parses, such as RSA; MARTLET_TLS_BAD_KEY in static programs
};

// Makes the library ready. Once, before all else. MARTLET_TLS_DONE, or MARTLET_TLS_NO_MEMORY.
int martlet_tls_start(void);

// New connections get this certificate from now on; earlier ones keep theirs. `chain` has certificates in DER,
// one behind the other, the server's first. Both are copied. MARTLET_TLS_DONE, BUSY, BAD_CHAIN, BAD_KEY, MISMATCH
// or NO_MEMORY; whatever fails leaves the certificate in use as it is.
int martlet_tls_install(const uint8_t *_Nonnull chain, size_t chain_count, int kind, const uint8_t *_Nonnull key,
                        size_t key_count);

// Octets of the arrays that connections and certificates have, but for small ones.
size_t martlet_tls_static_size(void);

// A place for a connection whose client is to begin the handshake: its number, or MARTLET_TLS_NO_PLACE (also
// where no certificate is installed), or NO_MEMORY. The descriptor stays the caller's.
int martlet_tls_open(int descriptor);

// One step of the handshake, the only call before it is over. MARTLET_TLS_DONE: it is over. AGAIN, WANT_READ,
// WANT_WRITE, GONE (an alert has been sent where the protocol has one for it).
int martlet_tls_step(int place);

// Decrypts what has come, at most `count` octets. Their count; 0: close_notify has come; MARTLET_TLS_WANT_READ,
// WANT_WRITE or GONE (an end of the connection without close_notify too).
long martlet_tls_receive(int place, uint8_t *_Nonnull octets, size_t count);

// Decrypted octets that wait for martlet_tls_receive.
size_t martlet_tls_pending(int place);

// Encrypts and sends. The count that the kernel has taken whole, at least 1; MARTLET_TLS_WANT_WRITE or GONE.
// Where the kernel has taken only a part of a record, one octet less than the record has is counted. The caller
// sends the rest again, beginning with that octet, and the record goes on. `continues`: more follows at once.
long martlet_tls_send(int place, const uint8_t *_Nonnull octets, size_t count, int continues);

// Whether the connection has a certificate that new connections do not get any more.
int martlet_tls_is_outdated(int place);

// Octets of a record that the kernel has not taken.
size_t martlet_tls_unsent(int place);

// Sends close_notify, after which nothing is sent. What cannot be sent at once is counted by martlet_tls_unsent;
// another call sends on, and without one it is dropped.
void martlet_tls_finish(int place);

// Frees the place, and overwrites what it held. Sends close_notify before, unless it has been sent or the
// handshake is not over. The descriptor stays open.
void martlet_tls_close(int place);

// Random octets become a private key for P-256. MARTLET_TLS_DONE or NO_MEMORY.
int martlet_tls_make_key(uint8_t key[_Nonnull MARTLET_TLS_KEY_SIZE]);

// The public point of a private key. MARTLET_TLS_DONE, BAD_KEY (not of 1..<n) or NO_MEMORY.
int martlet_tls_public_key(const uint8_t key[_Nonnull MARTLET_TLS_KEY_SIZE],
                           uint8_t point[_Nonnull MARTLET_TLS_PUBLIC_SIZE]);

// Signs a SHA-256 digest with ECDSA. MARTLET_TLS_DONE, BAD_KEY or NO_MEMORY.
int martlet_tls_sign(const uint8_t key[_Nonnull MARTLET_TLS_KEY_SIZE], const uint8_t digest[_Nonnull 32],
                     uint8_t signature[_Nonnull MARTLET_TLS_SIGNATURE_SIZE]);
