#include "support/certificates.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct party {
	EVP_PKEY *key;
	X509 *certificate;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void extend(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

/* by NULL: an authority, which signs itself. names: "DNS:...,IP:..."; NULL: none. */
static struct party party_new(const char *name, const char *names, const struct party *by)
{
	static long serial;
	struct party p = {.key = EVP_EC_gen("P-256"), .certificate = X509_new()};
	X509_NAME *subject = X509_get_subject_name(p.certificate);

	must(p.key != NULL && X509_set_version(p.certificate, X509_VERSION_3) == 1);
	must(ASN1_INTEGER_set(X509_get_serialNumber(p.certificate), ++serial) == 1);
	must(X509_gmtime_adj(X509_getm_notBefore(p.certificate), -3600) != NULL);
	must(X509_gmtime_adj(X509_getm_notAfter(p.certificate), 3600) != NULL);
	must(X509_NAME_add_entry_by_txt(
		     subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0) == 1);
	must(X509_set_pubkey(p.certificate, p.key) == 1);
	must(X509_set_issuer_name(
		     p.certificate, by == NULL ? subject : X509_get_subject_name(by->certificate)) == 1);
	if (by == NULL)
		extend(p.certificate, NID_basic_constraints, "critical,CA:TRUE");
	if (names != NULL)
		extend(p.certificate, NID_subject_alt_name, names);
	must(X509_sign(p.certificate, by == NULL ? p.key : by->key, EVP_sha256()) > 0);
	return p;
}

static void party_free(struct party *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->certificate);
}

static FILE *create(char path[64], const struct certificates *c, const char *name)
{
	FILE *f;

	(void)snprintf(path, 64, "%s/%s", c->folder, name);
	f = fopen(path, "we");
	must(f != NULL);
	return f;
}

static void write_certificate(char path[64], const struct certificates *c, const char *name, struct party *p)
{
	FILE *f = create(path, c, name);

	must(PEM_write_X509(f, p->certificate) == 1 && fclose(f) == 0);
}

static void write_key(
	char path[64], const struct certificates *c, const char *name, struct party *p, char *phrase)
{
	FILE *f = create(path, c, name);

	must(PEM_write_PrivateKey(f, p->key, phrase ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL, phrase) == 1);
	must(fclose(f) == 0);
}

void certificates_make(struct certificates *c)
{
	char phrase[] = "pass phrase";
	struct party ca = party_new("authority", NULL, NULL), other = party_new("other", NULL, NULL);
	struct party name = party_new("name", "DNS:redis.example,IP:10.0.0.1", &ca),
		     address = party_new("address", "IP:127.0.0.1", &ca),
		     client = party_new("client", NULL, &ca);

	(void)snprintf(c->folder, sizeof(c->folder), "%s", "/tmp/baton-tls-XXXXXX");
	must(mkdtemp(c->folder) != NULL);
	write_certificate(c->authority, c, "authority.pem", &ca);
	write_certificate(c->other_authority, c, "other.pem", &other);
	write_certificate(c->name, c, "name.pem", &name);
	write_key(c->name_key, c, "name.key", &name, NULL);
	write_certificate(c->address, c, "address.pem", &address);
	write_key(c->address_key, c, "address.key", &address, NULL);
	write_certificate(c->client, c, "client.pem", &client);
	write_key(c->client_key, c, "client.key", &client, NULL);
	write_key(c->locked_key, c, "locked.key", &client, phrase);
	party_free(&ca);
	party_free(&other);
	party_free(&name);
	party_free(&address);
	party_free(&client);
}

void certificates_remove(struct certificates *c)
{
	const char *const paths[] = {c->authority, c->other_authority, c->name, c->name_key, c->address,
		c->address_key, c->client, c->client_key, c->locked_key};

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		(void)unlink(paths[i]);
	(void)rmdir(c->folder);
}
