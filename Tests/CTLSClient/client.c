#include "tls_client.h"

#include <errno.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

struct tls_client {
  mbedtls_ssl_context ssl;
  mbedtls_ssl_config config;
  int descriptor, suites[2];
};

static const char *protocols[] = {"http/1.1", NULL};

static int draw(void *unused, unsigned char *octets, size_t count) {
  (void)unused;
  return getrandom(octets, count, 0) == (ssize_t)count ? 0 : -1;
}

static int send_octets(void *context, const unsigned char *octets, size_t count) {
  ssize_t n = send(((struct tls_client *)context)->descriptor, octets, count, MSG_NOSIGNAL | MSG_DONTWAIT);
  return n >= 0 ? (int)n : errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int receive_octets(void *context, unsigned char *octets, size_t count) {
  ssize_t n = recv(((struct tls_client *)context)->descriptor, octets, count, MSG_DONTWAIT);
  return n >= 0 ? (int)n : errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int answer(int error) {
  int wants = error == MBEDTLS_ERR_SSL_WANT_READ || error == MBEDTLS_ERR_SSL_WANT_WRITE;
  return wants ? TLS_CLIENT_WANT : TLS_CLIENT_ENDED;
}

struct tls_client *tls_client_open(int descriptor, int suite, int small) {
  struct tls_client *client = calloc(1, sizeof *client);
  if (!client) abort();
  client->descriptor = descriptor;
  client->suites[0] = suite;
  mbedtls_ssl_init(&client->ssl);
  mbedtls_ssl_config_init(&client->config);
  if (mbedtls_ssl_config_defaults(&client->config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                  MBEDTLS_SSL_PRESET_DEFAULT) != 0)
    abort();
  mbedtls_ssl_conf_rng(&client->config, draw, NULL);
  mbedtls_ssl_conf_authmode(&client->config, MBEDTLS_SSL_VERIFY_NONE);
  mbedtls_ssl_conf_alpn_protocols(&client->config, protocols);
  if (suite) mbedtls_ssl_conf_ciphersuites(&client->config, client->suites);
#if MBEDTLS_VERSION_MAJOR >= 3
  mbedtls_ssl_conf_max_tls_version(&client->config, MBEDTLS_SSL_VERSION_TLS1_2);
#endif
  mbedtls_ssl_conf_renegotiation(&client->config, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
  if (small) mbedtls_ssl_conf_max_frag_len(&client->config, MBEDTLS_SSL_MAX_FRAG_LEN_512);
  if (mbedtls_ssl_setup(&client->ssl, &client->config) != 0) abort();
  mbedtls_ssl_set_bio(&client->ssl, client, send_octets, receive_octets, NULL);
  return client;
}

void tls_client_close(struct tls_client *client) {
  mbedtls_ssl_free(&client->ssl);
  mbedtls_ssl_config_free(&client->config);
  free(client);
}

int tls_client_shake(struct tls_client *client) {
  int error = mbedtls_ssl_handshake(&client->ssl);
  return error == 0 ? 0 : answer(error);
}

int tls_client_suite(const struct tls_client *client) {
  return mbedtls_ssl_get_ciphersuite_id(mbedtls_ssl_get_ciphersuite(&client->ssl));
}

int tls_client_has_protocol(const struct tls_client *client) {
  const char *protocol = mbedtls_ssl_get_alpn_protocol(&client->ssl);
  return protocol && strcmp(protocol, protocols[0]) == 0;
}

const uint8_t *tls_client_certificate(const struct tls_client *client, size_t *count) {
  const mbedtls_x509_crt *certificate = mbedtls_ssl_get_peer_cert(&client->ssl);
  *count = certificate ? certificate->raw.len : 0;
  return certificate ? certificate->raw.p : NULL;
}

long tls_client_receive(struct tls_client *client, uint8_t *octets, size_t count) {
  int n = mbedtls_ssl_read(&client->ssl, octets, count);
  if (n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) return 0;
  return n > 0 ? n : n == 0 ? TLS_CLIENT_ENDED : answer(n);
}

long tls_client_send(struct tls_client *client, const uint8_t *octets, size_t count) {
  int n = mbedtls_ssl_write(&client->ssl, octets, count);
  return n > 0 ? n : answer(n);
}

void tls_client_finish(struct tls_client *client) { mbedtls_ssl_close_notify(&client->ssl); }

int tls_client_renegotiate(struct tls_client *client) {
  int error = mbedtls_ssl_renegotiate(&client->ssl);
  return error == 0 ? 0 : answer(error);
}

int tls_client_warn(struct tls_client *client) {
  int error = mbedtls_ssl_send_alert_message(&client->ssl, MBEDTLS_SSL_ALERT_LEVEL_WARNING,
                                             MBEDTLS_SSL_ALERT_MSG_USER_CANCELED);
  return error == 0 ? 0 : answer(error);
}

int tls_client_verify(const uint8_t point[65], const uint8_t digest[32], const uint8_t signature[64]) {
  mbedtls_ecp_group group;
  mbedtls_ecp_point key;
  mbedtls_mpi r, s;
  mbedtls_ecp_group_init(&group);
  mbedtls_ecp_point_init(&key);
  mbedtls_mpi_init(&r);
  mbedtls_mpi_init(&s);
  int verified = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1) == 0 &&
                 mbedtls_ecp_point_read_binary(&group, &key, point, 65) == 0 &&
                 mbedtls_mpi_read_binary(&r, signature, 32) == 0 &&
                 mbedtls_mpi_read_binary(&s, signature + 32, 32) == 0 &&
                 mbedtls_ecdsa_verify(&group, digest, 32, &key, &r, &s) == 0;
  mbedtls_mpi_free(&s);
  mbedtls_mpi_free(&r);
  mbedtls_ecp_point_free(&key);
  mbedtls_ecp_group_free(&group);
  return verified;
}
