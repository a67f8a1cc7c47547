// OpenSSL on first use: each function that PGKit calls stands here under its own name, and calls the
// one in the shared library, which is loaded when the first of them is called. The list of them is
// Functions.h; one that is not in it is an undefined symbol at link time.
//
// A library counts only with every function of the list: one that is missing must not silently leave
// a check out. Without the library all of them answer as they do when they fail.
//
// The functions are hidden, so that nobody else in the process, least of all libssl itself, can
// take them for the real ones.
#include "COpenSSL.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#if OPENSSL_VERSION_MAJOR < 3
#error "PGKit needs the headers of OpenSSL 3 or newer"
#endif

// The major version is part of the name: its functions are those of the headers.
#define TEXT(value) #value
#define VERSIONED(name, version) name ".so." TEXT(version)

struct library {
  const char *name;
  pthread_once_t once;
  // Why it cannot be used; empty if it can.
  char fault[512];
};

static struct library crypto = {
    VERSIONED("libcrypto", OPENSSL_SHLIB_VERSION), PTHREAD_ONCE_INIT, ""};
static struct library ssl = {VERSIONED("libssl", OPENSSL_SHLIB_VERSION), PTHREAD_ONCE_INIT, ""};

enum {
#define FUNCTION(library, result, name, parameters, arguments, failure) INDEX_##name,
#include "Functions.h"
#undef FUNCTION
  FUNCTION_COUNT
};

static struct function {
  struct library *library;
  const char *name;
  void *address;
} functions[FUNCTION_COUNT] = {
#define FUNCTION(library, result, name, parameters, arguments, failure) {&library, #name, NULL},
#include "Functions.h"
#undef FUNCTION
};

static void fail(struct library *library, const char *reason) {
  snprintf(
      library->fault, sizeof library->fault,
      "OpenSSL %d cannot be used: %s (Debian's package libssl%d, Fedora's openssl-libs)",
      OPENSSL_SHLIB_VERSION, reason != NULL ? reason : library->name, OPENSSL_SHLIB_VERSION);
  for (int index = 0; index < FUNCTION_COUNT; index++)
    if (functions[index].library == library) functions[index].address = NULL;
}

static void load(struct library *library) {
  void *handle = dlopen(library->name, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return fail(library, dlerror());
  for (int index = 0; index < FUNCTION_COUNT; index++) {
    struct function *function = &functions[index];
    if (function->library != library) continue;
    function->address = dlsym(handle, function->name);
    if (function->address == NULL) return fail(library, dlerror());
  }
}

static void load_crypto(void) { load(&crypto); }
static void load_ssl(void) { load(&ssl); }

const char *pgkit_libcrypto_fault(void) {
  pthread_once(&crypto.once, load_crypto);
  return crypto.fault[0] != 0 ? crypto.fault : NULL;
}

const char *pgkit_libssl_fault(void) {
  if (pgkit_libcrypto_fault() != NULL) return crypto.fault;
  pthread_once(&ssl.once, load_ssl);
  return ssl.fault[0] != 0 ? ssl.fault : NULL;
}

#define FUNCTION(library, result, name, parameters, arguments, failure) \
  __attribute__((visibility("hidden"))) result name parameters {        \
    pthread_once(&library.once, load_##library);                        \
    void *address = functions[INDEX_##name].address;                    \
    if (address == NULL) return failure;                                \
    return ((__typeof(&name))address)arguments;                         \
  }
#include "Functions.h"
