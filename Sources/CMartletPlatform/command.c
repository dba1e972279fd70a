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

// A new process, as fork() makes one, but without the locks and handlers of the C library: here is one thread.
// `number` is the signal that its parent gets at its end.
static pid_t divide(int number) { return (pid_t)syscall(SYS_clone, number, NULL, NULL, NULL, NULL); }

// Writes why a program has not begun to its output, and ends.
static _Noreturn void complain(const char *name, const char *reason) {
  say(name);
  say(": ");
  say(reason);
  say("\n");
  _exit(127);
}

// The new process becomes the program. Nothing here needs more than system calls.
static _Noreturn void become(const char *const *words, int output, pid_t parent, int leads) {
  static const char *const environment[] = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL};
  // What this process has blocked or ignored, the program would go on blocking or ignoring.
  for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (leads) setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // The parent may have ended before the call above.
  if (getppid() != parent) _exit(127);
  if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0) _exit(127);
  int input = open("/dev/null", O_RDONLY);
  if (input < 0 || dup2(input, STDIN_FILENO) < 0) complain("/dev/null", martlet_error_text(errno));
  close_others();
  execve(words[0], (char *const *)words, (char *const *)environment);
  complain(words[0], martlet_error_text(errno));
}

// What waitid() must be told so that it finds the programs: 0, or __WALL where they have keepers.
static int kinds;

// The keeper of a program: the program's parent, where this process is the first one of a system or a container. The
// first process gets every process whose own parent has ended, and ignores SIGCHLD, so that the kernel forgets each at
// its end. The kernel would forget programs as well. It does not forget a keeper, because a keeper's end sends no
// signal (wait(2), __WCLONE). The keeper leads the process group, waits for the program, and ends as the program has
// ended. No signal but SIGKILL reaches the keeper before.
static _Noreturn void keep(const char *const *words, int output, pid_t parent) {
  sigset_t blocked;
  sigfillset(&blocked);
  sigprocmask(SIG_SETMASK, &blocked, NULL);
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != parent) _exit(127);
  // The program is to be waited for, and the keeper's own end leaves no core.
  signal(SIGCHLD, SIG_DFL);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  pid_t keeper = getpid(), child = divide(SIGCHLD);
  if (child == 0) become(words, output, keeper, 0);
  if (child < 0) {
    int error = errno;
    dup2(output, STDOUT_FILENO);
    complain(words[0], martlet_error_text(error));
  }
  close(output);
  close_others();
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
  signal(WTERMSIG(status), SIG_DFL);
  kill(keeper, WTERMSIG(status));
  sigdelset(&blocked, WTERMSIG(status));
  sigprocmask(SIG_SETMASK, &blocked, NULL);
  _exit(127);
}

// A process that becomes the program, or one that keeps it. Its number; or -1, with errno.
static pid_t begin(const char *const *words, int output) {
  pid_t self = getpid(), child;
  // ECHILD: this process is no child of its own. Kernels before 4.7 answer EINVAL, because they do not know __WALL here.
  if (self == 1 && waitid(P_PID, 1, NULL, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 && errno == ECHILD)
    kinds = __WALL;
  // Elsewhere, whoever has started this process may have let it ignore SIGCHLD, and the kernel would not say how a
  // program has ended.
  signal(SIGCHLD, self == 1 ? SIG_IGN : SIG_DFL);
  if (kinds) {
    child = divide(0);
    if (child == 0) keep(words, output, self);
    // An emulator of user space knows SIGCHLD only.
    if (child > 0 || errno != EINVAL) return child;
  }
  child = divide(SIGCHLD);
  if (child == 0) become(words, output, self, 1);
  return child;
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
  pid_t child = begin(words, ends[1]);
  error = child < 0 ? -errno : 0;
  close(ends[1]);
  if (error) {
    close(ends[0]);
    return error;
  }
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
  if (waitid(P_PID, (id_t)process, &facts, WEXITED | WNOHANG | WNOWAIT | kinds) != 0)
    return errno == EINTR ? MARTLET_COMMAND_RUNS : MARTLET_COMMAND_UNKNOWN;
  if (facts.si_pid == 0) return MARTLET_COMMAND_RUNS;
  return facts.si_code == CLD_EXITED ? facts.si_status & 255 : MARTLET_COMMAND_SIGNAL + facts.si_status;
}

void martlet_end_command(int32_t process, int at_once) { kill(-process, at_once ? SIGKILL : SIGTERM); }

void martlet_forget_command(int32_t process) {
  kill(-process, SIGKILL);
  while (waitpid(process, NULL, WNOHANG | __WALL) < 0 && errno == EINTR) {}
}
