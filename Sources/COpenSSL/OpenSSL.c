// OpenSSL on first use: each function that PGKit calls stands here under its own name, and calls the
// one in the shared library, which is loaded when the first of them is called. Without the library a
// function answers as it does when it fails, and pgkit_openssl_fault() says why.
//
// The functions are hidden, so that nobody else in the process, least of all libssl itself, can
// take them for the real ones. One that is missing here is an undefined symbol at link time.
#include "COpenSSL.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>

#define TEXT_OF(value) #value
#define VERSIONED(name, version) name ".so." TEXT_OF(version)

struct library {
  const char *name;
  _Atomic(void *) handle;
};

// The major version is part of the name: its functions are those of the headers.
static struct library crypto = {VERSIONED("libcrypto", OPENSSL_SHLIB_VERSION), NULL};
static struct library ssl = {VERSIONED("libssl", OPENSSL_SHLIB_VERSION), NULL};

// What the loader said, kept for the thread that asks next. Written once or with equal texts.
static char fault[512];
static atomic_bool failed;

// Two threads may load at once: the loader counts, and both get the same handle.
static void *load(struct library *library) {
  void *handle = atomic_load_explicit(&library->handle, memory_order_acquire);
  if (handle != NULL || atomic_load(&failed)) return handle;
  handle = dlopen(library->name, RTLD_LAZY | RTLD_LOCAL);
  if (handle == NULL) {
    const char *reason = dlerror();
    snprintf(fault, sizeof fault, "%s", reason != NULL ? reason : library->name);
    atomic_store(&failed, 1);
  }
  atomic_store_explicit(&library->handle, handle, memory_order_release);
  return handle;
}

static void *find(struct library *library, const char *name) {
  void *handle = load(library);
  return handle != NULL ? dlsym(handle, name) : NULL;
}

const char *pgkit_openssl_fault(void) {
  load(&crypto);
  load(&ssl);
  return atomic_load(&failed) ? fault : NULL;
}

// Defines `name` as a call of the function of that name in `library`.
#define LAZY(library, result, name, parameters, arguments)                 \
  __attribute__((visibility("hidden"))) result name parameters {           \
    static _Atomic(void *) found;                                          \
    void *function = atomic_load_explicit(&found, memory_order_acquire);   \
    if (function == NULL) {                                                \
      function = find(&library, #name);                                    \
      if (function == NULL) return (result)0;                              \
      atomic_store_explicit(&found, function, memory_order_release);       \
    }                                                                      \
    return ((__typeof(&name))function)arguments;                           \
  }

// What Crypto calls.
LAZY(crypto, int, CRYPTO_memcmp, (const void *a, const void *b, size_t c), (a, b, c))
LAZY(crypto, int, EVP_Digest, (const void *a, size_t b, unsigned char *c, unsigned int *d, const EVP_MD *e, ENGINE *f), (a, b, c, d, e, f))
LAZY(crypto, int, EVP_DigestFinal_ex, (EVP_MD_CTX *a, unsigned char *b, unsigned int *c), (a, b, c))
LAZY(crypto, int, EVP_DigestInit_ex, (EVP_MD_CTX *a, const EVP_MD *b, ENGINE *c), (a, b, c))
LAZY(crypto, int, EVP_DigestUpdate, (EVP_MD_CTX *a, const void *b, size_t c), (a, b, c))
LAZY(crypto, int, EVP_MD_CTX_copy_ex, (EVP_MD_CTX *a, const EVP_MD_CTX *b), (a, b))
LAZY(crypto, void, EVP_MD_CTX_free, (EVP_MD_CTX *a), (a))
LAZY(crypto, EVP_MD_CTX *, EVP_MD_CTX_new, (void), ())
LAZY(crypto, const EVP_MD *, EVP_get_digestbyname, (const char *a), (a))
LAZY(crypto, const EVP_MD *, EVP_md5, (void), ())
LAZY(crypto, const EVP_MD *, EVP_sha256, (void), ())
LAZY(crypto, int, RAND_bytes, (unsigned char *a, int b), (a, b))
LAZY(crypto, void, CRYPTO_free, (void *a, const char *b, int c), (a, b, c))

// What Transport/TLS calls of libcrypto.
LAZY(crypto, const unsigned char *, ASN1_STRING_get0_data, (const ASN1_STRING *a), (a))
LAZY(crypto, int, ASN1_STRING_length, (const ASN1_STRING *a), (a))
LAZY(crypto, void, BIO_clear_flags, (BIO *a, int b), (a, b))
LAZY(crypto, void *, BIO_get_data, (BIO *a), (a))
LAZY(crypto, int, BIO_get_new_index, (void), ())
LAZY(crypto, BIO_METHOD *, BIO_meth_new, (int a, const char *b), (a, b))
LAZY(crypto, int, BIO_meth_set_ctrl, (BIO_METHOD *a, long (*b)(BIO *, int, long, void *)), (a, b))
LAZY(crypto, int, BIO_meth_set_read, (BIO_METHOD *a, int (*b)(BIO *, char *, int)), (a, b))
LAZY(crypto, int, BIO_meth_set_write, (BIO_METHOD *a, int (*b)(BIO *, const char *, int)), (a, b))
LAZY(crypto, BIO *, BIO_new, (const BIO_METHOD *a), (a))
LAZY(crypto, void, BIO_set_data, (BIO *a, void *b), (a, b))
LAZY(crypto, void, BIO_set_flags, (BIO *a, int b), (a, b))
LAZY(crypto, void, BIO_set_init, (BIO *a, int b), (a, b))
LAZY(crypto, void, ERR_clear_error, (void), ())
LAZY(crypto, unsigned long, ERR_get_error, (void), ())
LAZY(crypto, unsigned long, ERR_peek_last_error, (void), ())
LAZY(crypto, const char *, ERR_reason_error_string, (unsigned long a), (a))
LAZY(crypto, void, GENERAL_NAMES_free, (GENERAL_NAMES *a), (a))
LAZY(crypto, const char *, OBJ_nid2sn, (int a), (a))
LAZY(crypto, int, OPENSSL_sk_num, (const OPENSSL_STACK *a), (a))
LAZY(crypto, void *, OPENSSL_sk_value, (const OPENSSL_STACK *a, int b), (a, b))
LAZY(crypto, X509_LOOKUP_METHOD *, X509_LOOKUP_file, (void), ())
LAZY(crypto, ASN1_STRING *, X509_NAME_ENTRY_get_data, (const X509_NAME_ENTRY *a), (a))
LAZY(crypto, X509_NAME_ENTRY *, X509_NAME_get_entry, (const X509_NAME *a, int b), (a, b))
LAZY(crypto, int, X509_NAME_get_index_by_NID, (const X509_NAME *a, int b, int c), (a, b, c))
LAZY(crypto, char *, X509_NAME_oneline, (const X509_NAME *a, char *b, int c), (a, b, c))
LAZY(crypto, X509 *, X509_STORE_CTX_get_current_cert, (const X509_STORE_CTX *a), (a))
LAZY(crypto, int, X509_STORE_CTX_get_error, (const X509_STORE_CTX *a), (a))
LAZY(crypto, int, X509_STORE_CTX_get_error_depth, (const X509_STORE_CTX *a), (a))
LAZY(crypto, void *, X509_STORE_CTX_get_ex_data, (const X509_STORE_CTX *a, int b), (a, b))
LAZY(crypto, X509_LOOKUP *, X509_STORE_add_lookup, (X509_STORE *a, X509_LOOKUP_METHOD *b), (a, b))
LAZY(crypto, int, X509_STORE_load_path, (X509_STORE *a, const char *b), (a, b))
LAZY(crypto, int, X509_STORE_set_flags, (X509_STORE *a, unsigned long b), (a, b))
LAZY(crypto, int, X509_digest, (const X509 *a, const EVP_MD *b, unsigned char *c, unsigned int *d), (a, b, c, d))
LAZY(crypto, void, X509_free, (X509 *a), (a))
LAZY(crypto, void *, X509_get_ext_d2i, (const X509 *a, int b, int *c, int *d), (a, b, c, d))
LAZY(crypto, X509_NAME *, X509_get_issuer_name, (const X509 *a), (a))
LAZY(crypto, int, X509_get_signature_info, (X509 *a, int *b, int *c, int *d, uint32_t *e), (a, b, c, d, e))
LAZY(crypto, X509_NAME *, X509_get_subject_name, (const X509 *a), (a))
LAZY(crypto, int, X509_load_crl_file, (X509_LOOKUP *a, const char *b, int c), (a, b, c))
LAZY(crypto, const char *, X509_verify_cert_error_string, (long a), (a))

// What Transport/TLS calls of libssl.
LAZY(ssl, int, SSL_CTX_check_private_key, (const SSL_CTX *a), (a))
LAZY(ssl, long, SSL_CTX_ctrl, (SSL_CTX *a, int b, long c, void *d), (a, b, c, d))
LAZY(ssl, void, SSL_CTX_free, (SSL_CTX *a), (a))
LAZY(ssl, X509_STORE *, SSL_CTX_get_cert_store, (const SSL_CTX *a), (a))
LAZY(ssl, int, SSL_CTX_load_verify_file, (SSL_CTX *a, const char *b), (a, b))
LAZY(ssl, SSL_CTX *, SSL_CTX_new, (const SSL_METHOD *a), (a))
LAZY(ssl, void, SSL_CTX_set_default_passwd_cb, (SSL_CTX *a, pem_password_cb *b), (a, b))
LAZY(ssl, void, SSL_CTX_set_default_passwd_cb_userdata, (SSL_CTX *a, void *b), (a, b))
LAZY(ssl, void, SSL_CTX_set_default_read_buffer_len, (SSL_CTX *a, size_t b), (a, b))
LAZY(ssl, int, SSL_CTX_set_default_verify_paths, (SSL_CTX *a), (a))
LAZY(ssl, uint64_t, SSL_CTX_set_options, (SSL_CTX *a, uint64_t b), (a, b))
LAZY(ssl, void, SSL_CTX_set_verify, (SSL_CTX *a, int b, SSL_verify_cb c), (a, b, c))
LAZY(ssl, int, SSL_CTX_use_PrivateKey_file, (SSL_CTX *a, const char *b, int c), (a, b, c))
LAZY(ssl, int, SSL_CTX_use_certificate_chain_file, (SSL_CTX *a, const char *b), (a, b))
LAZY(ssl, int, SSL_connect, (SSL *a), (a))
LAZY(ssl, long, SSL_ctrl, (SSL *a, int b, long c, void *d), (a, b, c, d))
LAZY(ssl, void, SSL_free, (SSL *a), (a))
LAZY(ssl, void, SSL_get0_alpn_selected, (const SSL *a, const unsigned char **b, unsigned int *c), (a, b, c))
LAZY(ssl, X509 *, SSL_get1_peer_certificate, (const SSL *a), (a))
LAZY(ssl, int, SSL_get_error, (const SSL *a, int b), (a, b))
LAZY(ssl, void *, SSL_get_ex_data, (const SSL *a, int b), (a, b))
LAZY(ssl, int, SSL_get_ex_data_X509_STORE_CTX_idx, (void), ())
LAZY(ssl, int, SSL_has_pending, (const SSL *a), (a))
LAZY(ssl, SSL *, SSL_new, (SSL_CTX *a), (a))
LAZY(ssl, int, SSL_read_ex, (SSL *a, void *b, size_t c, size_t *d), (a, b, c, d))
LAZY(ssl, int, SSL_set_alpn_protos, (SSL *a, const unsigned char *b, unsigned int c), (a, b, c))
LAZY(ssl, void, SSL_set_bio, (SSL *a, BIO *b, BIO *c), (a, b, c))
LAZY(ssl, int, SSL_set_ex_data, (SSL *a, int b, void *c), (a, b, c))
LAZY(ssl, int, SSL_shutdown, (SSL *a), (a))
LAZY(ssl, int, SSL_write_ex, (SSL *a, const void *b, size_t c, size_t *d), (a, b, c, d))
LAZY(ssl, const SSL_METHOD *, TLS_client_method, (void), ())
LAZY(ssl, const char *, SSL_get_version, (const SSL *a), (a))
LAZY(ssl, const SSL_CIPHER *, SSL_get_current_cipher, (const SSL *a), (a))
LAZY(ssl, const char *, SSL_CIPHER_get_name, (const SSL_CIPHER *a), (a))

// What only the server of the tests calls.
LAZY(ssl, void, SSL_CTX_set_alpn_select_cb, (SSL_CTX *a, SSL_CTX_alpn_select_cb_func b, void *c), (a, b, c))
LAZY(ssl, int, SSL_accept, (SSL *a), (a))
LAZY(ssl, const char *, SSL_get_servername, (const SSL *a, const int b), (a, b))
LAZY(ssl, int, SSL_read, (SSL *a, void *b, int c), (a, b, c))
LAZY(ssl, int, SSL_set_fd, (SSL *a, int b), (a, b))
LAZY(ssl, int, SSL_write, (SSL *a, const void *b, int c), (a, b, c))
LAZY(ssl, const SSL_METHOD *, TLS_server_method, (void), ())
