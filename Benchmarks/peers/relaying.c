// The floor under pg-copy: relays the CopyData messages of one server to others as they come, and looks at
// nothing but their lengths. Speaks just enough of the protocol for that, over Unix sockets that need
// no password.
//
//   cc -O2 -o relaying relaying.c
//   ./relaying [paced] SOCKET USER DATABASE 'COPY … TO STDOUT' 'COPY … FROM STDIN'...
//
// With "paced" it lets bytes come together as PGKit does (pace.h).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "pace.h"

enum { ROOM = 256 << 10, MOST = 8 };

static void fail(const char *what) {
  fprintf(stderr, "relaying: %s\n", what);
  exit(1);
}

static void write_all(int to, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t moved = write(to, bytes, count);
    if (moved <= 0) fail("write");
    bytes += moved;
    count -= (size_t)moved;
  }
}

static void read_all(int from, char *bytes, size_t count) {
  while (count > 0) {
    ssize_t moved = read(from, bytes, count);
    if (moved <= 0) fail("read");
    bytes += moved;
    count -= (size_t)moved;
  }
}

static uint32_t length_at(const char *bytes) {
  uint32_t length;
  memcpy(&length, bytes, sizeof length);
  return ntohl(length);
}

// Reads messages until one with the tag `wanted` has come.
static void skip_to(int from, char wanted) {
  char header[5], body[ROOM];
  do {
    read_all(from, header, sizeof header);
    uint32_t length = length_at(header + 1) - 4;
    if (length > sizeof body) fail("a long message");
    read_all(from, body, length);
    if (header[0] == 'E') fail("the server refuses");
  } while (header[0] != wanted);
}

static int open_session(const char *path, const char *user, const char *database) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char packet[512];
  int session = socket(AF_UNIX, SOCK_STREAM, 0);
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  if (connect(session, (struct sockaddr *)&address, sizeof address)) fail("connect");
  int size = 8 + snprintf(packet + 8, sizeof packet - 8, "user%c%s%cdatabase%c%s%c", 0, user, 0, 0,
                          database, 0) + 1;
  uint32_t words[2] = {htonl((uint32_t)size), htonl(196608)};
  memcpy(packet, words, sizeof words);
  packet[size - 1] = 0;
  write_all(session, packet, (size_t)size);
  skip_to(session, 'Z');
  return session;
}

static void ask(int session, const char *sql) {
  char header[5] = {'Q'};
  uint32_t length = htonl((uint32_t)strlen(sql) + 5);
  memcpy(header + 1, &length, sizeof length);
  write_all(session, header, sizeof header);
  write_all(session, sql, strlen(sql) + 1);
}

// Relays whole reads; of a message it remembers only how much is to come.
static void relay(int from, const int *to, int receivers, int is_paced) {
  static char bytes[ROOM];
  Pace pace = {.is_on = is_paced};
  size_t held = 0, missing = 0;
  for (;;) {
    ssize_t count = receive(&pace, from, bytes + held, sizeof bytes - held);
    if (count <= 0) fail("read");
    size_t total = held + (size_t)count, place = 0;
    int is_over = 0;
    while (place < total) {
      if (missing > 0) {
        size_t step = missing < total - place ? missing : total - place;
        place += step;
        missing -= step;
      } else if (total - place < 5) {
        break;
      } else if (bytes[place] != 'd') {
        is_over = 1;
        break;
      } else {
        missing = length_at(bytes + place + 1) + 1;
      }
    }
    for (int each = 0; each < receivers; each++) write_all(to[each], bytes, place);
    if (is_over) return;
    held = total - place;
    memmove(bytes, bytes + place, held);
  }
}

int main(int count, char **words) {
  int is_paced = count > 1 && !strcmp(words[1], "paced");
  count -= is_paced;
  words += is_paced;
  int receivers = count - 5;
  if (receivers < 1 || receivers > MOST) fail("[paced] SOCKET USER DATABASE COPY-OUT COPY-IN...");
  int source = open_session(words[1], words[2], words[3]), targets[MOST];
  for (int each = 0; each < receivers; each++) {
    targets[each] = open_session(words[1], words[2], words[3]);
    ask(targets[each], words[5 + each]);
    skip_to(targets[each], 'G');
  }
  ask(source, words[4]);
  skip_to(source, 'H');
  relay(source, targets, receivers, is_paced);
  for (int each = 0; each < receivers; each++) write_all(targets[each], "c\0\0\0\4", 5);
  for (int each = 0; each < receivers; each++) skip_to(targets[each], 'Z');
  return 0;
}
