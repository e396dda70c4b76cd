#include "server/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/log.h"
#include "base/mem.h"

enum { MAX_PEM_BYTES = 1024 * 1024 }; /* a bundle of every public CA has a quarter of it */

static void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static void bio_freep(BIO **b)
{
	BIO_free(*b);
}

static void x509_freep(X509 **x)
{
	X509_free(*x);
}

static void pkey_freep(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}

static enum err_code read_pem(struct str path, char **ret_text, struct err *reterr)
{
	CLEANUP(mem_freep) char *name = mem_strndup(path.p, path.n);
	CLEANUP(close_file) FILE *f = fopen(name, "re");
	struct stat st;
	char *text;

	if (f == NULL || fstat(fileno(f), &st) < 0)
		return err_set(reterr, ERR_INVALID, "cannot read %s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size > MAX_PEM_BYTES)
		return err_set(
			reterr, ERR_INVALID, "%s is not a file of at most %d bytes", name, MAX_PEM_BYTES);
	text = mem_zalloc((size_t)st.st_size + 1);
	if (fread(text, 1, (size_t)st.st_size, f) != (size_t)st.st_size) {
		mem_free(text);
		return err_set(reterr, ERR_INVALID, "cannot read %s", name);
	}
	*ret_text = text;
	return ERR_OK;
}

static X509 *first_certificate(const char *pem)
{
	CLEANUP(bio_freep) BIO *bio = BIO_new_mem_buf(pem, -1);

	return bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
}

/* A key under a passphrase cannot be used: nobody is there to type it. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static EVP_PKEY *private_key(const char *pem)
{
	CLEANUP(bio_freep) BIO *bio = BIO_new_mem_buf(pem, -1);

	return bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
}

static enum err_code check_pair(
	const struct tls *t, struct str cert_file, struct str key_file, struct err *reterr)
{
	CLEANUP(x509_freep) X509 *cert = first_certificate(t->cert);
	CLEANUP(pkey_freep) EVP_PKEY *key = private_key(t->key);

	if (cert == NULL)
		return err_set(
			reterr, ERR_INVALID, STR_FMT " holds no certificate in PEM form", STR_ARG(cert_file));
	if (key == NULL)
		return err_set(reterr, ERR_INVALID,
			STR_FMT " holds no private key in PEM form (or one with a passphrase)",
			STR_ARG(key_file));
	if (X509_check_private_key(cert, key) != 1)
		return err_set(reterr, ERR_INVALID,
			"the key in " STR_FMT " is not the one of the certificate in " STR_FMT,
			STR_ARG(key_file), STR_ARG(cert_file));
	return ERR_OK;
}

static enum err_code check_ca(const struct tls *t, struct str ca_file, struct err *reterr)
{
	CLEANUP(x509_freep) X509 *ca = first_certificate(t->ca);

	if (ca == NULL)
		return err_set(
			reterr, ERR_INVALID, STR_FMT " holds no certificate in PEM form", STR_ARG(ca_file));
	return ERR_OK;
}

static enum err_code load(
	struct tls *t, struct str cert_file, struct str key_file, struct str ca_file, struct err *reterr)
{
	enum err_code rc;

	if ((cert_file.n > 0) != (key_file.n > 0))
		return err_set(reterr, ERR_INVALID, "a certificate file and a key file come together");
	if (cert_file.n > 0) {
		rc = read_pem(cert_file, &t->cert, reterr);
		if (rc == ERR_OK)
			rc = read_pem(key_file, &t->key, reterr);
		if (rc == ERR_OK)
			rc = check_pair(t, cert_file, key_file, reterr);
		if (rc != ERR_OK)
			return rc;
	}
	if (ca_file.n == 0)
		return ERR_OK;
	rc = read_pem(ca_file, &t->ca, reterr);
	return rc == ERR_OK ? check_ca(t, ca_file, reterr) : rc;
}

enum err_code tls_load(struct str cert_file, struct str key_file, struct str ca_file, struct tls *ret_tls,
	struct err *reterr)
{
	struct tls t = {.cert = NULL};
	enum err_code rc = load(&t, cert_file, key_file, ca_file, reterr);

	ERR_clear_error();
	if (rc != ERR_OK) {
		tls_free(&t);
		return rc;
	}
	*ret_tls = t;
	return ERR_OK;
}

void tls_free(struct tls *t)
{
	if (t->key)
		mem_wipe(t->key, strlen(t->key));
	mem_free(t->cert);
	mem_free(t->key);
	mem_free(t->ca);
	*t = (struct tls){.cert = NULL};
}

/* --- files that change --- */

enum { CERT, KEY, CA, N_FILES };

/* What a file is known by. A rename brings another inode, writing another time. */
struct seen {
	dev_t device;
	ino_t inode;
	off_t bytes;
	struct timespec changed;
};

struct tls_watch {
	char *files[N_FILES]; /* "": not given */
	struct seen seen[N_FILES];
	struct tls first; /* until it is given away */
};

/* Taken before the files are read: what changes meanwhile is read once more. */
static void look(const struct tls_watch *w, struct seen *ret_seen)
{
	for (size_t i = 0; i < N_FILES; i++) {
		struct stat st;

		memset(&ret_seen[i], 0, sizeof(ret_seen[i])); /* compared as bytes */
		if (w->files[i][0] == '\0' || stat(w->files[i], &st) < 0)
			continue;
		ret_seen[i].device = st.st_dev;
		ret_seen[i].inode = st.st_ino;
		ret_seen[i].bytes = st.st_size;
		ret_seen[i].changed = st.st_mtim;
	}
}

static enum err_code load_watched(const struct tls_watch *w, struct tls *ret_tls, struct err *reterr)
{
	return tls_load(str_c(w->files[CERT]), str_c(w->files[KEY]), str_c(w->files[CA]), ret_tls, reterr);
}

enum err_code tls_watch_new(struct str cert_file, struct str key_file, struct str ca_file,
	struct tls_watch **ret_watch, struct err *reterr)
{
	struct tls_watch *w = mem_zalloc(sizeof(*w));

	w->files[CERT] = mem_strndup(cert_file.p, cert_file.n);
	w->files[KEY] = mem_strndup(key_file.p, key_file.n);
	w->files[CA] = mem_strndup(ca_file.p, ca_file.n);
	look(w, w->seen);
	if (load_watched(w, &w->first, reterr) != ERR_OK) {
		tls_watch_free(w);
		return reterr->code;
	}
	*ret_watch = w;
	return ERR_OK;
}

void tls_watch_free(struct tls_watch *w)
{
	if (w == NULL)
		return;
	tls_free(&w->first);
	for (size_t i = 0; i < N_FILES; i++)
		mem_free(w->files[i]);
	mem_free(w);
}

bool tls_watch_is_mutual(const struct tls_watch *w)
{
	return w->files[CA][0] != '\0';
}

bool tls_watch_next(struct tls_watch *w, struct tls *ret_tls)
{
	struct seen now[N_FILES];
	struct err err;

	if (w->first.cert != NULL) {
		*ret_tls = w->first;
		w->first = (struct tls){.cert = NULL};
		return true;
	}
	look(w, now);
	if (memcmp(now, w->seen, sizeof(now)) == 0)
		return false;
	memcpy(w->seen, now, sizeof(now));
	if (load_watched(w, ret_tls, &err) != ERR_OK) {
		log_warn("new TLS files cannot be used, ignoring", LOG_CSTR("error", err.msg));
		return false;
	}
	log_info("new TLS files are used", LOG_CSTR("certificate", w->files[CERT]));
	return true;
}
