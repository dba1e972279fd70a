// A fault of the processor, or martlet_stop() → one line on standard error that names the page and the
// request. Then the program ends.
//
//     martlet_under_way() ──► page, request          martlet_end_way() ──► none
//            fault ─► on_fault(), on a stack of its own ─┐
//     martlet_stop() ────────────────────────────────────┴─► one line ─► the signal's default action
//
// Invariant: a signal calls write(), tkill() and code of this file, and all memory is static. The kernel is
// called directly, because sigaction() and raise() of musl would make each program 1 KB larger.
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
  const uint8_t *program; // NULL: a program without a name
  void (*ending)(int signal);
  uint32_t page; // the page's number and 1; 0: no page
  uint8_t count, is_told;
  uint8_t request[MARTLET_REQUEST_SHOWN_SIZE];
} bugs;

void martlet_under_way(int32_t page, const uint8_t *request, size_t count) {
  bugs.page = (uint32_t)page + 1;
  bugs.count = count < sizeof bugs.request ? (uint8_t)count : sizeof bugs.request;
  martlet_copy(bugs.request, request, bugs.count);
}

void martlet_end_way(void) { bugs.page = bugs.count = 0; }

static __attribute__((noinline)) void say(const void *text) {
  martlet_message_add(text, strlen(text));
}

static void say_number(uint32_t number) {
  char digits[11];
  char *start = digits + sizeof digits - 1;
  *start = 0;
  do *--start = (char)('0' + number % 10);
  while (number /= 10);
  say(start);
}

// Says all of the line that stands before the reason.
static __attribute__((noinline)) void say_begin(void) {
  martlet_message_clear();
  say(bugs.program ? (const char *)bugs.program : "martlet");
  say(": a bug ");
  if (bugs.page) {
    say("in page ");
    say_number(bugs.page - 1);
  } else {
    say("outside of any page");
  }
  if (bugs.count) {
    say(" while ");
    // No octet from outside steers the terminal.
    for (size_t i = 0; i < bugs.count; i++)
      if (bugs.request[i] < ' ' || bugs.request[i] >= 0x7F) bugs.request[i] = '?';
    martlet_message_add(bugs.request, bugs.count);
    say(" was answered");
  }
  say(" (");
}

static __attribute__((noinline)) void say_end(void) {
  say("); the program ends.");
  martlet_message_print(STDERR_FILENO);
  bugs.is_told = 1;
}

// Ends the program by a signal. kill() may choose another thread, and a thread may block the signal.
static _Noreturn void end_by(int number) {
  uint64_t set = 1ull << (number - 1);
  syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, sizeof set);
  syscall(SYS_tkill, syscall(SYS_gettid), number);
  _exit(128 + number);
}

static const uint8_t faults[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV};
static const char names[][5] = {"ILL", "TRAP", "ABRT", "BUS", "FPE", "SEGV"};

const char *martlet_signal_name(int number) {
  size_t i = sizeof faults - 1;
  while (faults[i] != number && i > 0) i--;
  return names[i];
}

// The default action is in place again (SA_RESETHAND), so the second signal ends the program.
static _Noreturn void on_fault(int number) {
  if (!bugs.is_told) {
    say_begin();
    say("signal SIG");
    say(martlet_signal_name(number));
    say_end();
  }
  if (bugs.ending) bugs.ending(number);
  end_by(number);
}

// What the kernel knows of a handler: its struct sigaction. On RISC-V the kernel's struct has no restorer and
// takes the field for the mask, which is 0 as well.
struct action {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)(int);
  uint64_t mask;
};

int martlet_tell_bugs(const uint8_t *program, void (*ending)(int signal)) {
  struct action action;
  stack_t stack;
  if (program) bugs.program = program;
  if (ending) bugs.ending = ending;
  memset(&action, 0, sizeof action);
  action.handler = on_fault;
  action.flags = SA_ONSTACK | SA_RESETHAND;
#ifdef __x86_64__
  // x86-64 refuses to call a handler without a restorer (SA_RESTORER), which on_fault() never returns to.
  action.flags |= 0x04000000;
  action.restorer = on_fault;
#endif
  // The stack may be full, so the handler has another one, in memory that is no longer used then.
  stack.ss_flags = 0;
  stack.ss_sp = martlet_last_memory(&stack.ss_size);
  long failed = syscall(SYS_sigaltstack, &stack, NULL);
  for (size_t i = 0; i < sizeof faults; i++)
    failed |= syscall(SYS_rt_sigaction, faults[i], &action, NULL, sizeof action.mask);
  return failed ? -errno : 0;
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
  end_by(SIGABRT);
}

_Noreturn void martlet_stop_at(const uint8_t *file, uint32_t line) {
  martlet_stop(file, line, NULL);
}
