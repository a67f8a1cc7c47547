#define _GNU_SOURCE
#include "descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

// High enough that no dup2 onto 0, 1 or 2 can hit a descriptor that is still needed.
static const int lifted_minimum = 10;
// Where close_range is missing, descriptors above this are not looked for.
static const int highest_swept = 65536;

int pgkit_lift(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, lifted_minimum); }

int pgkit_set_standard_descriptors(const int wanted[3]) {
  int lifted[3];
  for (int i = 0; i < 3; i++) {
    lifted[i] = pgkit_lift(wanted[i]);
    if (lifted[i] < 0) return -1;
  }
  for (int i = 0; i < 3; i++) {
    if (dup2(lifted[i], i) < 0) return -1;
    close(lifted[i]);
  }
  return 0;
}

void pgkit_close_from(int first) {
#if defined(SYS_close_range)
  if (syscall(SYS_close_range, (unsigned)first, ~0u, 0u) == 0) return;
#endif
  struct rlimit limit;
  int end = highest_swept;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)highest_swept) {
    end = (int)limit.rlim_cur;
  }
  for (int descriptor = first; descriptor < end; descriptor++) close(descriptor);
}
