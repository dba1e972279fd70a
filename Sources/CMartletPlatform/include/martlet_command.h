// Programs that this program starts: their words, their output, their end.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { MARTLET_COMMAND_WORD_COUNT = 16, MARTLET_COMMAND_SIZE = 1024 };

// Starts the program whose path is the first word. Each word ends with a NUL; `count` is that of all octets, at
// most MARTLET_COMMAND_SIZE. The program leads a process group of its own. It reads /dev/null, and what it writes to
// standard output and standard error comes through the descriptor that is returned, which does not wait. Its
// environment is PATH and LANG. The kernel ends it where this process ends.
//
// The first call sets SIGCHLD to its default. In the first process of a system or a container it sets SIGCHLD to be
// ignored. So the kernel keeps nothing there of processes whose parents have ended.
//
// *process is the program's number. Negative: an errno.
int martlet_start_command(const uint8_t *words, size_t count, int32_t *process);

// Reads what a program has written, as martlet_receive() reads a socket. 0: nothing writes there any more.
long martlet_read_output(int descriptor, uint8_t *octets, size_t count);

// How a program has ended: its exit status, or MARTLET_COMMAND_SIGNAL and the signal's number.
enum { MARTLET_COMMAND_RUNS = -1, MARTLET_COMMAND_UNKNOWN = -2, MARTLET_COMMAND_SIGNAL = 256 };
int martlet_command_result(int32_t process);

// Sends SIGTERM to a program's process group, or SIGKILL with `at_once`. Before martlet_forget_command() only: the
// number may mean another process afterwards.
void martlet_end_command(int32_t process, int at_once);

// Gives a program's number back, after its end, and ends what is left of its process group.
void martlet_forget_command(int32_t process);
