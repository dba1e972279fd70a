// A fault of the processor, or martlet_stop() → one line on standard error that names the page and the
// request. Then the program ends.
//
//     martlet_under_way() ──► page, method, path          martlet_end_way() ──► none
//            fault ─► on_fault(), on a stack of its own ┐
//     martlet_stop() ───────────────────────────────────┴─► one line ─► default action of the signal
//
// Invariant: what a signal calls here is write(), tkill() and code of this file; all memory is static.
#define _GNU_SOURCE
#include "martlet_bugs.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "martlet_memory.h"
#include "martlet_octets.h"
#include "martlet_platform.h"

static struct {
  const uint8_t *program;
  void (*ending)(int signal);
  int32_t page; // negative: none
  uint8_t method_count, path_count, was_cut, is_told;
  uint8_t method[MARTLET_METHOD_SIZE];
  uint8_t path[MARTLET_PATH_SHOWN_SIZE];
} bugs = {.page = -1};

void martlet_under_way(int32_t page, const uint8_t *method, size_t method_count, const uint8_t *path,
                       size_t path_count) {
  bugs.page = page;
  bugs.method_count = method_count < sizeof bugs.method ? (uint8_t)method_count : sizeof bugs.method;
  bugs.was_cut = path_count > sizeof bugs.path;
  bugs.path_count = bugs.was_cut ? sizeof bugs.path : (uint8_t)path_count;
  martlet_copy(bugs.method, method, bugs.method_count);
  martlet_copy(bugs.path, path, bugs.path_count);
}

void martlet_end_way(void) {
  bugs.page = -1;
  bugs.method_count = 0;
}

static void say(const void *text) { martlet_message_add(text, strlen(text)); }

static void say_number(uint32_t number) {
  uint8_t digits[10];
  size_t start = sizeof digits;
  do {
    digits[--start] = (uint8_t)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  martlet_message_add(digits + start, sizeof digits - start);
}

// Says all of the line that stands before the reason.
static void say_begin(void) {
  martlet_message_clear();
  if (bugs.program) say(bugs.program);
  else say("martlet");
  if (bugs.page >= 0) {
    say(": a bug in page ");
    say_number((uint32_t)bugs.page);
  } else {
    say(": a bug outside of any page");
  }
  if (bugs.method_count > 0) {
    say(" while ");
    martlet_message_add(bugs.method, bugs.method_count);
    say(" ");
    // No octet from outside steers the terminal.
    for (size_t i = 0; i < bugs.path_count; i++)
      if (bugs.path[i] <= ' ' || bugs.path[i] >= 0x7F) bugs.path[i] = '?';
    martlet_message_add(bugs.path, bugs.path_count);
    say(bugs.was_cut ? "... was answered" : " was answered");
  }
  say(" (");
}

static void say_end(void) {
  say("); the program ends.");
  martlet_message_print(STDERR_FILENO);
  bugs.is_told = 1;
}

// Sends a signal to this thread. kill() may choose another thread, and then returns before the program ends.
// abort() would bring more of the C library into the program.
static void send_signal(int number) { syscall(SYS_tkill, syscall(SYS_gettid), number); }

// The default action is in place again (SA_RESETHAND), so the second signal ends the program.
static void on_fault(int number) {
  if (!bugs.is_told) {
    say_begin();
    say("signal ");
    say(martlet_signal_name(number));
    say_end();
  }
  if (bugs.ending) bugs.ending(number);
  send_signal(number);
}

static const uint8_t faults[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV};
static const char names[][8] = {"SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGSEGV"};

const char *martlet_signal_name(int number) {
  size_t i = 0;
  while (faults[i] != number && i < sizeof faults - 1) i++;
  return names[i];
}

int martlet_tell_bugs(const uint8_t *program, void (*ending)(int signal)) {
  if (program) bugs.program = program;
  if (ending) bugs.ending = ending;
  // The stack may be full, so the handler has another one, in memory that nobody needs any more then.
  stack_t stack = {.ss_flags = 0};
  stack.ss_sp = martlet_last_memory(&stack.ss_size);
  struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK | SA_RESETHAND};
  if (sigaltstack(&stack, NULL) != 0) return -errno;
  for (size_t i = 0; i < sizeof faults; i++)
    if (sigaction(faults[i], &action, NULL) != 0) return -errno;
  return 0;
}

_Noreturn void martlet_stop(const uint8_t *file, uint32_t line, const uint8_t *name) {
  say_begin();
  say(file);
  say(":");
  say_number(line);
  if (name) {
    say(": ");
    say(name);
  }
  say_end();
  // A thread of another library may have blocked the signal.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGABRT);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  send_signal(SIGABRT);
  _exit(134);
}

_Noreturn void martlet_stop_at(const uint8_t *file, uint32_t line) {
  martlet_stop(file, line, NULL);
}
