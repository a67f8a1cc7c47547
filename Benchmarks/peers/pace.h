// Receives as PGKit does (ReceivePace.swift): once an answer has shown that it is large, a read that found
// little is followed by a pause in which more can come, so that there are fewer reads and wakings. Without a
// pace it is recv, which is woken for each 8 KiB that the server sends.
#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>

enum { WARM_UP = 256 << 10, WARM_UP_AGAIN = 64 << 10, ENOUGH = 32 << 10 };
enum { SHORTEST_PAUSE = 50000, LONGEST_PAUSE = 2000000 };  // in nanoseconds

typedef struct {
  int is_on, is_short;
  size_t streamed;
  long pause;
} Pace;

static ssize_t receive(Pace *pace, int from, char *bytes, size_t room) {
  ssize_t count = -1;
  int has_paused = pace->is_on && pace->is_short && pace->streamed >= WARM_UP;
  if (has_paused) {
    nanosleep(&(struct timespec){.tv_nsec = pace->pause}, NULL);
    count = recv(from, bytes, room, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) {
      pace->streamed = WARM_UP - WARM_UP_AGAIN;
      has_paused = 0;
    }
  }
  if (count < 0) count = recv(from, bytes, room, 0);
  if (count <= 0 || !pace->is_on) return count;
  pace->streamed += (size_t)count;
  if (pace->streamed > WARM_UP) pace->streamed = WARM_UP;
  pace->is_short = (size_t)count < room && count < ENOUGH;
  if (!has_paused) {
    if (pace->pause < SHORTEST_PAUSE) pace->pause = SHORTEST_PAUSE;
  } else if ((size_t)count == room) {
    pace->pause = pace->pause / 2 > SHORTEST_PAUSE ? pace->pause / 2 : SHORTEST_PAUSE;
  } else if (count < ENOUGH) {
    pace->pause = pace->pause * 2 < LONGEST_PAUSE ? pace->pause * 2 : LONGEST_PAUSE;
  }
  return count;
}
