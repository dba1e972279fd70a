// What ends a program by a bug, and the line that it then writes to standard error.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Octets of a request that are shown: the longest method, a space, and 64 octets of the path.
enum { MARTLET_REQUEST_SHOWN_SIZE = 72 };

// Sets what is being answered: a page's number, or -1 for no page, and the request, such as "GET /items/5".
// The octets are copied.
void martlet_under_way(int32_t page, const uint8_t *_Nullable request, size_t count);

// Sets that nothing is being answered.
void martlet_end_way(void);

// Makes SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE and SIGSEGV write one line to standard error, such as:
//
//     PROGRAM: a bug in page 3 while GET /items/5 was answered (signal SIGILL); the program ends.
//
// Then `ending` is called, and then the signal has its default action. The program's name ends with a NUL.
// NULL leaves the name, or `ending`, as it was. 0, or -errno.
int martlet_tell_bugs(const uint8_t *_Nullable program, void (*_Nullable ending)(int signal));

// The name of one of these signals, without "SIG".
const char *_Nonnull martlet_signal_name(int number);

// Ends the program: the line above with "FILE:LINE: NAME" in place of the signal, then SIGABRT. Both texts
// end with a NUL; the name may be NULL.
_Noreturn void martlet_stop(const uint8_t *_Nonnull file, uint32_t line, const uint8_t *_Nullable name);
_Noreturn void martlet_stop_at(const uint8_t *_Nonnull file, uint32_t line);
