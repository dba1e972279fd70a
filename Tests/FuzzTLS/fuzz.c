// Whole TLS connections for libFuzzer, with the library of static programs under AddressSanitizer: what a client sends,
// in pieces. Random octets are the same for each input, so that the octets of a recorded client (record.py) are a whole
// handshake each time.
//
//     input = size octets...        size: octets that come at a time; 0: all at once
//
// Where MARTLET_TLS_RECORD names a file, the program is a server for one client at 127.0.0.1 instead, and writes such an
// input. The port is the first line of its output.
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certificate.h" // certificate[], certificate_size, key[]
#include "martlet_tls.h"

static uint64_t drawn;

// In place of the kernel's random octets (xorshift64*).
int martlet_random(uint8_t *octets, size_t count) {
  for (size_t i = 0; i < count; i++) {
    drawn ^= drawn >> 12;
    drawn ^= drawn << 25;
    drawn ^= drawn >> 27;
    octets[i] = (uint8_t)((drawn * 0x2545F4914F6CDD1D) >> 56);
  }
  return 0;
}

_Noreturn void martlet_stop(const uint8_t *file, uint32_t line, const uint8_t *name) {
  fprintf(stderr, "broken rule: %s:%u: %s\n", (const char *)file, line, name ? (const char *)name : "");
  abort();
}

int martlet_tls_makes_no_text(char *octets, size_t count, const char *format, ...);
int martlet_tls_makes_no_text(char *octets, size_t count, const char *format, ...) {
  (void)octets, (void)count, (void)format;
  abort();
}

static void check(int holds, const char *rule) {
  if (holds) return;
  fprintf(stderr, "broken rule: %s\n", rule);
  abort();
}

static void begin(void) {
  static int started;
  drawn = 0x9E3779B97F4A7C15;
  if (started) return;
  started = 1;
  check(martlet_tls_start() == MARTLET_TLS_DONE, "the library starts");
  check(martlet_tls_install(certificate, certificate_size, MARTLET_TLS_KEY_P256, key, sizeof key) == MARTLET_TLS_DONE,
        "the certificate is taken");
  drawn = 0x9E3779B97F4A7C15;
}

// What a server does until it has to wait: 0, or 1 at the end of the connection. Each octet that comes is sent back.
static int serve(int place, int *is_open) {
  uint8_t octets[3000];
  for (int i = 0; i < 1000 && !*is_open; i++) {
    int answer = martlet_tls_step(place);
    if (answer == MARTLET_TLS_DONE) *is_open = 1;
    if (answer == MARTLET_TLS_WANT_READ || answer == MARTLET_TLS_WANT_WRITE) return 0;
    if (answer == MARTLET_TLS_GONE) return 1;
    check(answer == MARTLET_TLS_AGAIN || answer == MARTLET_TLS_DONE, "a step has one of five answers");
  }
  check(*is_open, "a handshake has an end");
  for (int i = 0; i < 1000; i++) {
    long count = martlet_tls_receive(place, octets, sizeof octets);
    if (count == 0 || count == MARTLET_TLS_GONE) return 1;
    if (count == MARTLET_TLS_WANT_READ || count == MARTLET_TLS_WANT_WRITE) return 0;
    check(count > 0 && count <= (long)sizeof octets, "what comes fits");
    long sent = martlet_tls_send(place, octets, (size_t)count, 0);
    if (sent == MARTLET_TLS_GONE) return 1;
    check(sent == MARTLET_TLS_WANT_WRITE || (sent > 0 && sent <= count), "no more is sent than there is");
  }
  return 0;
}

static void drain(int descriptor) {
  uint8_t octets[16384];
  while (recv(descriptor, octets, sizeof octets, MSG_DONTWAIT) > 0) {}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t count) {
  if (count < 1) return 0;
  begin();
  int ends[2], is_open = 0, is_over = 0;
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "there are sockets");
  int place = martlet_tls_open(ends[0]);
  check(place == 0, "every place is free again");
  size_t size = input[0] ? input[0] : count, at = 1;
  while (at < count && !is_over) {
    size_t part = size < count - at ? size : count - at;
    ssize_t n = send(ends[1], input + at, part, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) at += (size_t)n;
    is_over = serve(place, &is_open);
    drain(ends[1]);
    if (n <= 0 && is_over == 0 && at >= count) break;
  }
  shutdown(ends[1], SHUT_WR);
  for (int i = 0; i < 100 && !is_over; i++) is_over = serve(place, &is_open), drain(ends[1]);
  check(is_over, "the end of the connection is seen");
  martlet_tls_close(place);
  close(ends[0]);
  close(ends[1]);
  return 0;
}

// MARK: Recording

static void record(const char *path) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  check(bind(listener, (void *)&address, size) == 0 && listen(listener, 1) == 0 &&
            getsockname(listener, (void *)&address, &size) == 0,
        "there is a port");
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  int client = accept(listener, NULL, NULL), ends[2], is_open = 0, is_over = 0;
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "there are sockets");
  begin();
  int place = martlet_tls_open(ends[0]);
  FILE *file = fopen(path, "w");
  fputc(0, file);
  uint8_t octets[16384];
  while (!is_over) {
    struct pollfd entry = {client, POLLIN, 0};
    if (poll(&entry, 1, 5000) <= 0) break;
    ssize_t n = recv(client, octets, sizeof octets, 0);
    if (n <= 0) break;
    fwrite(octets, 1, (size_t)n, file);
    check(send(ends[1], octets, (size_t)n, 0) == n, "the pair takes it");
    is_over = serve(place, &is_open);
    while ((n = recv(ends[1], octets, sizeof octets, MSG_DONTWAIT)) > 0) send(client, octets, (size_t)n, 0);
  }
  fclose(file);
  exit(is_open ? 0 : 1);
}

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerInitialize(int *count, char ***arguments) {
  (void)count, (void)arguments;
  const char *path = getenv("MARTLET_TLS_RECORD");
  if (path) record(path);
  return 0;
}
