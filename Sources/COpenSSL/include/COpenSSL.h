// The one list of OpenSSL's headers that PGKit sees: libcrypto for Crypto, libssl for Transport/TLS.
//
// The libraries are not linked but loaded when the first of their functions is called (OpenSSL.c):
// most runs of the programs need none of them, and loading them costs a millisecond.
#ifndef PGKIT_COPENSSL_H
#define PGKIT_COPENSSL_H

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

/// Why libcrypto cannot be used, or NULL if it can. Loads it if nothing has yet.
const char *pgkit_libcrypto_fault(void);

/// Why libssl, or libcrypto below it, cannot be used, or NULL if both can. Loads them if nothing has
/// yet.
const char *pgkit_libssl_fault(void);

#endif
