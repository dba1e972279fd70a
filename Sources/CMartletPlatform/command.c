// Programs that this program starts.
#define _GNU_SOURCE
#include "martlet_command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "martlet_platform.h"

static void say(const char *text) {
  martlet_write_all(STDOUT_FILENO, (const uint8_t *)text, strlen(text));
}

// Closes all descriptors but 0, 1 and 2. execve() closes those of the library, but perhaps not those that the
// library's user has opened.
static void close_others(void) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, 3U, ~0U, 0) == 0) return;
#endif
  for (int descriptor = 3; descriptor < 1024; descriptor++) close(descriptor);
}

// The new process becomes the program. Nothing here needs more than system calls.
static _Noreturn void become(const char *const *words, int output, pid_t parent) {
  static const char *const environment[] = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL};
  // What this process has blocked or ignored, the program would go on blocking or ignoring.
  for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // The parent may have ended before the call above.
  if (getppid() != parent) _exit(127);
  int input = open("/dev/null", O_RDONLY);
  if (input < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
      dup2(output, STDERR_FILENO) < 0)
    _exit(127);
  close_others();
  execve(words[0], (char *const *)words, (char *const *)environment);
  const char *reason = martlet_error_text(errno);
  say(words[0]);
  say(": ");
  say(reason);
  say("\n");
  _exit(127);
}

// The words as execve() takes them; NULL where there are none, or too many.
static const char *const *vector(const uint8_t *octets, size_t count, const char **words) {
  size_t index = 0;
  for (size_t start = 0; start < count; start += strlen(words[index++]) + 1) {
    if (index == MARTLET_COMMAND_WORD_COUNT) return NULL;
    words[index] = (const char *)octets + start;
  }
  words[index] = NULL;
  return index > 0 && octets[count - 1] == 0 ? words : NULL;
}

// Both ends of a pipe: the first does not wait.
static int open_pipe(int ends[2]) {
  if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0) return 0;
  int error = -errno;
  close(ends[0]);
  close(ends[1]);
  return error;
}

int martlet_start_command(const uint8_t *octets, size_t count, int32_t *process) {
  const char *words[MARTLET_COMMAND_WORD_COUNT + 1];
  if (!vector(octets, count, words)) return -EINVAL;
  // Most of what can be wrong with a program shows here already.
  if (access(words[0], X_OK) != 0) return -errno;
  int ends[2];
  int error = open_pipe(ends);
  if (error) return error;
  pid_t parent = getpid();
  // Whoever has started this process may have let it ignore SIGCHLD, and the system would not say how a program has
  // ended. The first process ignores it on purpose (boot.c).
  if (parent != 1) signal(SIGCHLD, SIG_DFL);
  pid_t child = fork();
  if (child == 0) become(words, ends[1], parent);
  if (child < 0) {
    error = -errno;
    close(ends[0]);
    close(ends[1]);
    return error;
  }
  close(ends[1]);
  // Parent and child both do so: whichever comes first, the group is there when either goes on. An error
  // means that the program has begun, and has done so itself.
  setpgid(child, child);
  *process = child;
  return ends[0];
}

long martlet_read_output(int descriptor, uint8_t *octets, size_t count) {
  ssize_t n;
  do n = read(descriptor, octets, count);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

int martlet_command_result(int32_t process) {
  siginfo_t facts = {.si_pid = 0};
  // Its number stays taken until martlet_forget_command(), so that no other process gets its signals.
  if (waitid(P_PID, (id_t)process, &facts, WEXITED | WNOHANG | WNOWAIT) != 0)
    return errno == EINTR ? MARTLET_COMMAND_RUNS : MARTLET_COMMAND_UNKNOWN;
  if (facts.si_pid == 0) return MARTLET_COMMAND_RUNS;
  return facts.si_code == CLD_EXITED ? facts.si_status & 255 : MARTLET_COMMAND_SIGNAL + facts.si_status;
}

void martlet_end_command(int32_t process, int at_once) { kill(-process, at_once ? SIGKILL : SIGTERM); }

void martlet_forget_command(int32_t process) {
  kill(-process, SIGKILL);
  while (waitpid(process, NULL, WNOHANG) < 0 && errno == EINTR) {}
}
