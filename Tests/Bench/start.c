// From a process's start to its first answer. Usage: start CPU PORT REQUEST PROGRAM ARGUMENT...
// Starts the program, which will listen on that port of 127.0.0.1, on the CPU with that number (-1:
// any), tries to connect until it does, sends the octets of the file REQUEST, and prints the
// microseconds from before the fork to the first octets of the answer, which must be HTTP's with
// status 200. Then it kills the program. Status 1 if that does not happen within 60 seconds.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 60 };

static double microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void run(int cpu, char **command) {
  if (cpu >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
  }
  int null = open("/dev/null", O_RDWR);
  for (int descriptor = 0; descriptor <= 2; descriptor++) dup2(null, descriptor);
  execv(command[0], command);
  _exit(127);
}

// A connection to the port, or -1 once nobody can be waited for any longer. It is tried without a
// pause, which would be longer than what is measured; on one CPU the program comes first.
static int connect_to(int port, pid_t program, double end) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  while (microseconds() < end && waitpid(program, NULL, WNOHANG) == 0) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) return descriptor;
    close(descriptor);
    sched_yield();
  }
  return -1;
}

int main(int argument_count, char **arguments) {
  if (argument_count < 5) return 2;
  static char octets[65536];
  int file = open(arguments[3], O_RDONLY);
  ssize_t size = file < 0 ? -1 : read(file, octets, sizeof octets);
  if (size <= 0) return perror(arguments[3]), 1;

  double start = microseconds();
  pid_t program = vfork();
  if (program == 0) run(atoi(arguments[1]), arguments + 4);
  double last = start + PATIENCE_SECONDS * 1e6;
  int status = 1, descriptor = connect_to(atoi(arguments[2]), program, last);
  struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
  if (descriptor >= 0) {
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    send(descriptor, octets, size, MSG_NOSIGNAL);
    ssize_t received = recv(descriptor, octets, sizeof octets - 1, 0);
    double end = microseconds();
    octets[received > 0 ? received : 0] = 0;
    status = strncmp(octets, "HTTP/1.", 7) != 0 || strncmp(octets + 8, " 200 ", 5) != 0;
    if (status == 0) printf("%.1f\n", end - start);
  }
  if (status != 0) fprintf(stderr, "%s: no answer with status 200\n", arguments[4]);
  kill(program, SIGKILL);
  waitpid(program, NULL, 0);
  return status;
}
