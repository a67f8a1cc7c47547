#ifndef CALLOCATIONCOUNT_H
#define CALLOCATIONCOUNT_H
#include <stdint.h>

/// How many times this thread has asked for memory; -1 where that cannot be counted.
int64_t pgkit_allocation_count(void);

#endif
