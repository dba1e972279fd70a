#include <stdlib.h>
#include <string.h>
void *__memcpy_chk(void *d, const void *s, size_t n, size_t room) { if (n > room) abort(); return memcpy(d, s, n); }
void *__memset_chk(void *d, int c, size_t n, size_t room) { if (n > room) abort(); return memset(d, c, n); }
int __printf_chk(int flag, const char *format, ...) { return 0; }
