// The floor of scripts/bench: the least that a server must do. It polls, reads and writes a
// constant answer: the octets of Martlet's logged-in page, from answers.h, which the script writes.
// It checks no cookie and knows no page. Sockets are as in Martlet: non-blocking, TCP_NODELAY, one
// poll() for all. A request must arrive in one piece and alone, as those of wrk do; any other
// connection is closed. Usage: floor PORT (0: the system chooses)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answers.h" // static const char keep_alive_answer[], close_answer[], without a NUL

enum { CONNECTION_COUNT = 1024, REQUEST_SIZE = 4096 };

static struct pollfd entries[1 + CONNECTION_COUNT]; // The listener is the first.
static nfds_t count = 1;
static char request[REQUEST_SIZE];

static int open_listener(int port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, SOMAXCONN) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
    perror("floor");
    exit(1);
  }
  dprintf(STDOUT_FILENO, "Listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
  return listener;
}

static void accept_all(void) {
  while (count <= CONNECTION_COUNT) {
    int on = 1, descriptor = accept4(entries[0].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) return;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    entries[count++] = (struct pollfd){.fd = descriptor, .events = POLLIN};
  }
}

// Whether one of the field lines is this one; they are short, so their first octet is looked at.
static int closes(const char *octets, size_t size) {
  static const char line[] = "Connection: close\r\n";
  const char *end = octets + size;
  while ((octets = memchr(octets, '\n', end - octets)) != NULL && ++octets < end)
    if (*octets == 'C' && (size_t)(end - octets) >= sizeof line - 1 &&
        memcmp(octets, line, sizeof line - 1) == 0)
      return 1;
  return 0;
}

// Answers what has arrived. Whether the connection stays.
static int answer(int descriptor) {
  ssize_t size = recv(descriptor, request, sizeof request, 0);
  if (size < 4 || memcmp(request + size - 4, "\r\n\r\n", 4) != 0) return 0;
  if (closes(request, size)) {
    send(descriptor, close_answer, sizeof close_answer, MSG_NOSIGNAL);
    return 0;
  }
  return send(descriptor, keep_alive_answer, sizeof keep_alive_answer, MSG_NOSIGNAL) ==
         sizeof keep_alive_answer;
}

int main(int argument_count, char **arguments) {
  if (argument_count != 2) return 2;
  entries[0] = (struct pollfd){.fd = open_listener(atoi(arguments[1])), .events = POLLIN};
  for (;;) {
    int ready = poll(entries, count, -1);
    // From the end, so that the last one can take the place of one that is closed.
    for (nfds_t i = count - 1; i > 0 && ready > 0; i--) {
      if (!entries[i].revents) continue;
      ready--;
      if (!answer(entries[i].fd)) {
        close(entries[i].fd);
        entries[i] = entries[--count];
      }
    }
    if (entries[0].revents) accept_all();
  }
}
