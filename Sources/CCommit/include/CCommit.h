#ifndef PGKIT_COMMIT_H
#define PGKIT_COMMIT_H

#include <stddef.h>

/// One byte of the name of the commit that this program was built from, the first one at 0; 0 behind the
/// last, and where nobody has said it.
unsigned char pgkit_commit_byte(size_t index);

#endif
