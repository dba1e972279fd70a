// What the loop needs beside TLS itself: how each connection has begun, a second listener, and SIGHUP.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "martlet_memory.h"

// What a slot's connection is: a place for TLS, or one of these.
enum {
  MARTLET_TLS_SILENT = -1,     // its first octet, or the rest of its ClientHello, has not come
  MARTLET_TLS_WAITING = -2,    // it begins as TLS does, and waits for a place
  MARTLET_TLS_PLAIN = -3,      // it does not, and is served
  MARTLET_TLS_REDIRECTED = -4, // it does not, and is told to come with TLS
};
int martlet_tls_slot(size_t slot);
void martlet_tls_set_slot(size_t slot, int what);

// What the octets of the request that is being answered go through: a number that only Swift knows.
int martlet_tls_channel(void);
void martlet_tls_set_channel(int channel);

// Whether a connection begins as TLS does, with a record of the handshake (RFC 8446 section 5.1): 1, or 0. Nothing is
// received. -EAGAIN until the first record has come as a whole; poll() says when. So a client that is slow with its
// ClientHello takes nobody's place. Another -errno, or -ENOTCONN, where the connection has ended.
int martlet_tls_begins(int descriptor);

// Encrypts and sends octets of a file, as martlet_tls_send does; 0: the file has become shorter.
long martlet_tls_send_file(int place, int file, int64_t offset, size_t count);

// The port of this end of a connection; 0 where the system does not tell.
uint16_t martlet_tls_local_port(int descriptor);

// A descriptor that is readable while one of the others is; those that are negative count for nothing. Or -errno.
int martlet_tls_gather(int first, int second, int third);

// SIGHUP no longer ends the program, and can be read here; or -errno.
int martlet_tls_hangups(void);

// Whether SIGHUP has come since the last call.
int martlet_tls_take_hangup(int hangups);
