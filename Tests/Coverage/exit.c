// Makes _exit(2) end a program as exit(3) does, so that what it has been through is written down: preloaded
// to programs that are built to be counted (scripts/test --coverage).
#include <stdlib.h>
#include <unistd.h>

void _exit(int status) { exit(status); }
