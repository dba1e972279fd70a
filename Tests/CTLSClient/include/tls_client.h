// A TLS 1.2 client by Debian's mbedTLS, for tests of the server's side in one process and one thread: nothing waits.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
  TLS_CLIENT_WANT = -1, // octets must come or go first
  TLS_CLIENT_ENDED = -2,
};

struct tls_client;

// `suite`: as mbedTLS numbers it; 0 for all. A fragment length of 512 octets is asked for where `small` is not 0.
// Verifies no certificate.
struct tls_client *_Nonnull tls_client_open(int descriptor, int suite, int small);
void tls_client_close(struct tls_client *_Nonnull client);

// 0 when the handshake is over, TLS_CLIENT_WANT, or ENDED.
int tls_client_shake(struct tls_client *_Nonnull client);
int tls_client_suite(const struct tls_client *_Nonnull client);
// Whether the server has chosen http/1.1.
int tls_client_has_protocol(const struct tls_client *_Nonnull client);
// The server's certificate in DER.
const uint8_t *_Nullable tls_client_certificate(const struct tls_client *_Nonnull client, size_t *_Nonnull count);

// Octets; 0 for close_notify; TLS_CLIENT_WANT, or ENDED, without close_notify too.
long tls_client_receive(struct tls_client *_Nonnull client, uint8_t *_Nonnull octets, size_t count);
// Octets, TLS_CLIENT_WANT (send the same again), or ENDED.
long tls_client_send(struct tls_client *_Nonnull client, const uint8_t *_Nonnull octets, size_t count);
void tls_client_finish(struct tls_client *_Nonnull client);
// Asks for another handshake, as no client should.
int tls_client_renegotiate(struct tls_client *_Nonnull client);
// A warning that means nothing.
int tls_client_warn(struct tls_client *_Nonnull client);

// Whether a signature (r, s) is that of a point's key.
int tls_client_verify(const uint8_t point[_Nonnull 65], const uint8_t digest[_Nonnull 32],
                      const uint8_t signature[_Nonnull 64]);
