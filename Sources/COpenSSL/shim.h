// The one list of OpenSSL's headers that PGKit sees: libcrypto for Crypto, libssl for Transport/TLS.
#ifndef PGKIT_COPENSSL_SHIM_H
#define PGKIT_COPENSSL_SHIM_H

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#endif
