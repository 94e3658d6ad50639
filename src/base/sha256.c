/* sha256.c -- SHA-256 by OpenSSL's libcrypto, which uses the processor's own instructions. */
#include <lathe/base.h>

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct Sha256 {
    EVP_MD_CTX *context;
};

/* The digest is built in; only memory can be missing. */
static void demand(bool ok)
{
    if (ok)
        return;
    fprintf(stderr, "lathe: out of memory (SHA-256)\n");
    abort();
}

Sha256 *sha256_create(void)
{
    Sha256 *h = mem_alloc(sizeof *h);
    h->context = EVP_MD_CTX_new();
    demand(h->context && EVP_DigestInit_ex(h->context, EVP_sha256(), NULL) == 1);
    return h;
}

void sha256_add(Sha256 *h, const void *bytes, size_t n)
{
    demand(EVP_DigestUpdate(h->context, bytes, n) == 1);
}

void sha256_finish(Sha256 *h, uint8_t out[32])
{
    demand(EVP_DigestFinal_ex(h->context, out, NULL) == 1);
    EVP_MD_CTX_free(h->context);
    mem_free(h);
}

void sha256_bytes(const void *bytes, size_t n, uint8_t out[32])
{
    demand(EVP_Digest(bytes, n, out, NULL, EVP_sha256(), NULL) == 1);
}

void sha256_hex(const uint8_t digest[32], char out[65])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 32; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[64] = '\0';
}
