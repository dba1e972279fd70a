// TLS connections by mbedTLS (RFC 5246, RFC 8446), as the server's side, on descriptors that never wait. Each
// connection has a place. The caller's loop decides when a place makes its next step.
//
// A record goes out whole or the library keeps the rest of it: `unsent` counts that rest, as `send_octets` sees it.
// While a record of the caller's octets is kept (`is_holding`), its last octet has not been counted as sent.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "internal.h"

#if MBEDTLS_VERSION_MAJOR >= 3 && defined MBEDTLS_PSA_CRYPTO_C
#include <psa/crypto.h>
#endif

enum phase {
  PHASE_FREE,
  PHASE_HANDSHAKE,
  PHASE_OPEN,
  PHASE_FINISHED, // close_notify is sent, or is to be sent; octets may still come
  PHASE_BROKEN,
};

enum {
  // What one call reads at most: the largest record, and some small ones. A client that sends records without
  // content does not keep the loop.
  RECEIVE_SIZE_MAX = 20480,
  RECEIVE_CALLS_MAX = 32,
  // What one call encrypts at most.
  SEND_SIZE_MAX = 32768,
  // Of a record's content.
  CONTENT_SIZE_MAX = 16384,
};

static struct place {
  mbedtls_ssl_context ssl;
  int descriptor, certificate;
  enum phase phase;
  int has_more;   // more follows what is sent now
  int is_delayed; // something has been sent with MSG_MORE
  int has_notified; // close_notify has been handed to the kernel, or is kept
  int has_alerted; // in this call a record has been sent that is an alert, or, encrypted, may be one
  int is_holding; // the record that `unsent` counts, or has counted last, has octets of the caller
  size_t unsent;
  size_t receive_calls, receive_size; // left for this call
} places[MARTLET_TLS_COUNT];

// MARK: What the library calls

static int is_later(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

static int send_octets(void *context, const unsigned char *octets, size_t count) {
  struct place *place = context;
  if (octets[0] == MBEDTLS_SSL_MSG_ALERT || octets[0] == MBEDTLS_SSL_MSG_APPLICATION_DATA) place->has_alerted = 1;
  int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (place->has_more ? MSG_MORE : 0);
  ssize_t n;
  do n = send(place->descriptor, octets, count, flags);
  while (n < 0 && errno == EINTR);
  place->unsent = n < 0 ? count : count - (size_t)n;
  if (n > 0) {
    place->is_delayed = place->has_more;
    return (int)n;
  }
  return n == 0 || is_later(errno) ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_SSL_CONN_EOF;
}

static int receive_octets(void *context, unsigned char *octets, size_t count) {
  struct place *place = context;
  if (place->receive_calls == 0 || place->receive_size == 0) return MBEDTLS_ERR_SSL_WANT_READ;
  place->receive_calls--;
  if (count > place->receive_size) count = place->receive_size;
  ssize_t n;
  do n = recv(place->descriptor, octets, count, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n >= 0) {
    place->receive_size -= (size_t)n;
    return (int)n;
  }
  return is_later(errno) ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_CONN_EOF;
}

// MARK: Places

// The place with a number, ready for a call of the library; NULL where it has no connection.
static struct place *enter(int number) {
  if (number < 0 || number >= MARTLET_TLS_COUNT || places[number].phase == PHASE_FREE) return NULL;
  struct place *place = &places[number];
  place->receive_calls = RECEIVE_CALLS_MAX;
  place->receive_size = RECEIVE_SIZE_MAX;
  place->has_alerted = 0;
  martlet_arena_use(number);
  return place;
}

// Whether the error is that the last record is longer than TLS allows, or than there is room for.
static int is_too_long(struct place *place, int error) {
#if MBEDTLS_VERSION_MAJOR >= 3
  const uint8_t *head = place->ssl.MBEDTLS_PRIVATE(in_hdr);
#else
  const uint8_t *head = place->ssl.in_hdr;
#endif
  return (error == MBEDTLS_ERR_SSL_INVALID_RECORD || error == MBEDTLS_ERR_SSL_BAD_INPUT_DATA) &&
         (head[3] << 8 | head[4]) > CONTENT_SIZE_MAX;
}

// The alert for an error of the library (RFC 8446, section 6.2); 0 where the peer needs none.
static unsigned char alert_for(struct place *place, int error) {
  if (is_too_long(place, error)) return MBEDTLS_SSL_ALERT_MSG_RECORD_OVERFLOW;
  switch (error) {
  // The last one is also the error of a socket.
  case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
  case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
  case MBEDTLS_ERR_SSL_CONN_EOF: return 0;
  case MBEDTLS_ERR_SSL_INVALID_MAC: return MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC;
  case MBEDTLS_ERR_SSL_INVALID_RECORD:
  case MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE:
  case MBEDTLS_ERR_SSL_UNEXPECTED_RECORD: return MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE;
  case MBEDTLS_ERR_SSL_INTERNAL_ERROR:
  case MBEDTLS_ERR_SSL_ALLOC_FAILED: return MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR;
#if MBEDTLS_VERSION_MAJOR >= 3
  case MBEDTLS_ERR_SSL_DECODE_ERROR: return MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR;
  case MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE: return MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE;
#else
  // Another message than the one that is named, for the most part.
  case MBEDTLS_ERR_SSL_BAD_HS_CLIENT_HELLO:
  case MBEDTLS_ERR_SSL_BAD_HS_CLIENT_KEY_EXCHANGE:
  case MBEDTLS_ERR_SSL_BAD_HS_CHANGE_CIPHER_SPEC: return MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE;
#endif
  default: return MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER;
  }
}

// Tells the peer why the connection ends, where the library has not done that itself.
static void explain(struct place *place, int error) {
  unsigned char alert = alert_for(place, error);
  if (alert == 0 || place->has_alerted || place->unsent > 0) return;
#if MBEDTLS_VERSION_MAJOR >= 3
  // A record that the step has written before it failed, and of which nothing has gone out: the library would send
  // that instead.
  place->ssl.MBEDTLS_PRIVATE(out_left) = 0;
#endif
  mbedtls_ssl_send_alert_message(&place->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, alert);
}

// The end of a call: what the library has answered, for the caller.
static int leave(struct place *place, int error) {
  if (error == MBEDTLS_ERR_SSL_WANT_READ) return MARTLET_TLS_WANT_READ;
  if (error == MBEDTLS_ERR_SSL_WANT_WRITE) return MARTLET_TLS_WANT_WRITE;
  if (place->phase != PHASE_FINISHED) explain(place, error);
  place->phase = PHASE_BROKEN;
  return MARTLET_TLS_GONE;
}

// Lets go out what MSG_MORE has kept back. Sockets of other kinds than TCP keep nothing.
static void push(struct place *place) {
  static const int yes = 1;
  if (place->is_delayed) setsockopt(place->descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  place->is_delayed = 0;
}

// The handshake of TLS 1.3 ends with the client's Finished, which the server does not answer. A client that waits for
// the segment's ACK before it sends more (Nagle's algorithm) would wait 40 ms: here the ACK goes at once.
static void confirm(struct place *place) {
#if MBEDTLS_VERSION_MAJOR >= 3 && defined MBEDTLS_SSL_PROTO_TLS1_3
  static const int yes = 1;
  if (mbedtls_ssl_get_version_number(&place->ssl) == MBEDTLS_SSL_VERSION_TLS1_3)
    setsockopt(place->descriptor, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
#else
  (void)place;
#endif
}

int martlet_tls_start(void) {
  martlet_arena_use(MARTLET_ARENA_COMMON);
#if MBEDTLS_VERSION_MAJOR >= 3 && defined MBEDTLS_PSA_CRYPTO_C
  if (psa_crypto_init() != PSA_SUCCESS) return MARTLET_TLS_NO_MEMORY;
#endif
  return MARTLET_TLS_DONE;
}

int martlet_tls_open(int descriptor) {
  int number = 0;
  while (number < MARTLET_TLS_COUNT && places[number].phase != PHASE_FREE) number++;
  if (number == MARTLET_TLS_COUNT) return MARTLET_TLS_NO_PLACE;
  int certificate = martlet_certificate_take();
  if (certificate < 0) return MARTLET_TLS_NO_PLACE;
  struct place *place = &places[number];
  *place = (struct place){.descriptor = descriptor, .certificate = certificate, .phase = PHASE_HANDSHAKE};
  martlet_arena_use(number);
  mbedtls_ssl_init(&place->ssl);
  int error = mbedtls_ssl_setup(&place->ssl, martlet_certificate_config(certificate));
  if (error != 0) {
    place->phase = PHASE_BROKEN;
    martlet_tls_close(number);
    return MARTLET_TLS_NO_MEMORY;
  }
  mbedtls_ssl_set_bio(&place->ssl, place, send_octets, receive_octets, NULL);
  return number;
}

static int is_over(mbedtls_ssl_context *ssl) {
#if MBEDTLS_VERSION_MAJOR >= 3
  return mbedtls_ssl_is_handshake_over(ssl);
#else
  return ssl->state == MBEDTLS_SSL_HANDSHAKE_OVER;
#endif
}

int martlet_tls_step(int number) {
  struct place *place = enter(number);
  if (!place || (place->phase != PHASE_HANDSHAKE && place->phase != PHASE_OPEN)) return MARTLET_TLS_GONE;
  if (place->phase == PHASE_OPEN) return MARTLET_TLS_DONE;
  // A flight of records goes out together, when the library waits for the client's answer.
  place->has_more = 1;
  int error = mbedtls_ssl_handshake_step(&place->ssl);
  place->has_more = 0;
  if (error == 0 && !is_over(&place->ssl)) {
      return MARTLET_TLS_AGAIN;
  }
  push(place);
  if (error != 0) return leave(place, error);
  place->phase = PHASE_OPEN;
  confirm(place);
  return MARTLET_TLS_DONE;
}

// MARK: Content

long martlet_tls_receive(int number, uint8_t *octets, size_t count) {
  struct place *place = enter(number);
  if (!place || (place->phase != PHASE_OPEN && place->phase != PHASE_FINISHED)) return MARTLET_TLS_GONE;
  if (count == 0) return MARTLET_TLS_WANT_READ;
  int n = mbedtls_ssl_read(&place->ssl, octets, count);
  if (n > 0 || n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
      return n > 0 ? n : 0;
  }
  // 0: the end of the connection without close_notify.
  return leave(place, n == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : n);
}

size_t martlet_tls_pending(int number) {
  struct place *place = enter(number);
  if (!place || (place->phase != PHASE_OPEN && place->phase != PHASE_FINISHED)) return 0;
  return mbedtls_ssl_get_bytes_avail(&place->ssl);
}

// Sends what the library has kept: 0, or its error. As long as something is kept, mbedtls_ssl_write() does nothing
// but that, whatever it is given.
static int flush(struct place *place) {
  static const uint8_t nothing[1];
  if (place->unsent == 0) return 0;
  int n = mbedtls_ssl_write(&place->ssl, nothing, 1);
  return n > 0 ? 0 : n < 0 ? n : MBEDTLS_ERR_SSL_WANT_WRITE;
}

// Encrypts and sends at most one record. How many octets it has, or the library's error.
static int send_record(struct place *place, const uint8_t *octets, size_t count, int has_more) {
  int limit = mbedtls_ssl_get_max_out_record_payload(&place->ssl);
  if (limit <= 0) return limit < 0 ? limit : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
  size_t size = count;
  if (size > MARTLET_TLS_RECORD_SIZE) size = MARTLET_TLS_RECORD_SIZE;
  if (size > (size_t)limit) size = (size_t)limit;
  place->has_more = has_more || size < count;
  int n = mbedtls_ssl_write(&place->ssl, octets, size);
  place->has_more = 0;
  if (n != MBEDTLS_ERR_SSL_WANT_WRITE) return n;
  place->is_holding = 1;
  return (int)size;
}

long martlet_tls_send(int number, const uint8_t *octets, size_t count, int continues) {
  struct place *place = enter(number);
  if (!place || place->phase != PHASE_OPEN) return MARTLET_TLS_GONE;
  if (count == 0) return 0;
  place->has_more = continues || count > 1;
  int error = flush(place);
  place->has_more = 0;
  if (error != 0) return leave(place, error);
  size_t sent = 0;
  // Of a record that was held back, the last octet is the caller's first one.
  if (place->is_holding) sent = 1;
  place->is_holding = 0;
  size_t limit = count < SEND_SIZE_MAX ? count : SEND_SIZE_MAX;
  while (sent < limit && !place->is_holding) {
    int n = send_record(place, octets + sent, limit - sent, continues || limit < count);
    if (n <= 0) return leave(place, n == 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : n);
    sent += (size_t)n - (size_t)place->is_holding;
  }
  return sent > 0 ? (long)sent : MARTLET_TLS_WANT_WRITE;
}

int martlet_tls_is_outdated(int number) {
  struct place *place = enter(number);
  return place && !martlet_certificate_is_current(place->certificate);
}

size_t martlet_tls_unsent(int number) {
  struct place *place = enter(number);
  return place ? place->unsent : 0;
}

// MARK: Ends

void martlet_tls_finish(int number) {
  struct place *place = enter(number);
  if (!place || (place->phase != PHASE_OPEN && place->phase != PHASE_FINISHED)) return;
  place->phase = PHASE_FINISHED;
  int error = flush(place);
  if (error == 0 && !place->has_notified) {
    place->has_notified = 1;
    error = mbedtls_ssl_close_notify(&place->ssl);
  }
  if (error != 0) {
    leave(place, error == MBEDTLS_ERR_SSL_WANT_READ ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : error);
    return;
  }
  push(place);
}

void martlet_tls_close(int number) {
  struct place *place = enter(number);
  if (!place) return;
  martlet_tls_finish(number);
  push(place);
  mbedtls_ssl_free(&place->ssl);
  martlet_arena_clear(number);
  place->phase = PHASE_FREE;
  martlet_certificate_release(place->certificate);
}

size_t martlet_places_size(void) { return sizeof places; }

size_t martlet_tls_static_size(void) {
  return martlet_arenas_size() + martlet_certificates_size() + martlet_certificate_arrays_size() +
         martlet_places_size();
}
