// The commit that a program was built from. It is not compiled in: scripts/stamp writes it into the
// linked program, in the place of the dots behind the mark, so that a new commit costs no compiling and
// no linking. In C, because what stands here is not what will be read: volatile says so.

#include "CCommit.h"

#define MARK "PGKit was built from commit "
#define SPACE "................................"

static const volatile unsigned char stamp[] = MARK SPACE;

unsigned char pgkit_commit_byte(size_t index) {
  if (index >= sizeof(SPACE) - 1) return 0;
  unsigned char byte = stamp[sizeof(MARK) - 1 + index];
  return byte == '.' ? 0 : byte;
}
