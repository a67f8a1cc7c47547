// Shared by the children: descriptor work that is safe after fork.
#ifndef PGKIT_DESCRIPTORS_H
#define PGKIT_DESCRIPTORS_H

/// Makes `wanted` the child's descriptors 0, 1 and 2, whatever numbers they have. Returns 0 or -1.
int pgkit_set_standard_descriptors(const int wanted[3]);

/// Closes every descriptor from `first` on.
void pgkit_close_from(int first);

/// A copy of `descriptor` above the standard three, closed on exec, or -1.
int pgkit_lift(int descriptor);

#endif
