/* layers: server base
 *
 * PEM files that are replaced while a server uses them. */
#include "server/tls.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "support/certificates.h"
#include "support/cunit_main.h"

static struct certificates certs;
static char cert[64], key[64], ca[64]; /* links to them, which are turned elsewhere */
static int warnings;

static void count_warnings(void *arg, struct str line)
{
	(void)arg;
	warnings += str_contains(line, STR("new TLS files cannot be used, ignoring"));
}

static int init(void)
{
	certificates_make(&certs);
	(void)snprintf(cert, sizeof(cert), "%s/server.pem", certs.folder);
	(void)snprintf(key, sizeof(key), "%s/server.key", certs.folder);
	(void)snprintf(ca, sizeof(ca), "%s/clients.pem", certs.folder);
	log_capture(count_warnings, NULL);
	return 0;
}

static int clean_up(void)
{
	log_capture(NULL, NULL);
	(void)unlink(cert);
	(void)unlink(key);
	(void)unlink(ca);
	certificates_remove(&certs);
	return 0;
}

/* target NULL: there is no file any more. */
static void turn(const char *link, const char *target)
{
	(void)unlink(link);
	if (target != NULL)
		CU_ASSERT_EQUAL_FATAL(symlink(target, link), 0);
}

static struct tls_watch *watch(const char *ca_file)
{
	struct tls_watch *w = NULL;
	struct err err;

	warnings = 0;
	turn(cert, certs.name);
	turn(key, certs.name_key);
	turn(ca, certs.authority);
	CU_ASSERT_EQUAL_FATAL(tls_watch_new(str_c(cert), str_c(key), str_c(ca_file), &w, &err), ERR_OK);
	return w;
}

static bool gives(struct tls_watch *w, bool with_ca)
{
	struct tls t = {.cert = NULL};

	if (!tls_watch_next(w, &t))
		return false;
	CU_ASSERT(t.cert != NULL && t.key != NULL && (t.ca != NULL) == with_ca);
	tls_free(&t);
	return true;
}

static void test_given_once(void)
{
	const char *const ca_files[] = {"", ca};

	for (int with_ca = 0; with_ca < 2; with_ca++) {
		struct tls_watch *w = watch(ca_files[with_ca]);

		CU_ASSERT_EQUAL(tls_watch_is_mutual(w), with_ca);
		CU_ASSERT(gives(w, with_ca));
		CU_ASSERT(!gives(w, with_ca));
		turn(ca, certs.other_authority);
		CU_ASSERT_EQUAL(gives(w, with_ca), with_ca);
		CU_ASSERT(!gives(w, with_ca));
		ASSERT_I64(warnings, 0, "warnings");
		tls_watch_free(w);
	}
}

/* Certificate and key cannot be replaced in one step. What cannot be used is said once, and is no end. */
static void test_half_replaced(void)
{
	struct tls_watch *w = watch("");

	CU_ASSERT(gives(w, false));
	turn(cert, certs.address);
	for (int i = 0; i < 3; i++)
		CU_ASSERT(!gives(w, false));
	ASSERT_I64(warnings, 1, "the key is that of another certificate");
	turn(key, certs.address_key);
	CU_ASSERT(gives(w, false));
	turn(key, NULL);
	for (int i = 0; i < 3; i++)
		CU_ASSERT(!gives(w, false));
	ASSERT_I64(warnings, 2, "there is no key");
	turn(key, certs.address_key);
	CU_ASSERT(gives(w, false));
	ASSERT_I64(warnings, 2, "warnings");
	tls_watch_free(w);
}

static void test_bad_at_the_start(void)
{
	struct tls_watch *w = NULL;
	struct err err;

	turn(cert, certs.name);
	turn(key, certs.address_key);
	CU_ASSERT_EQUAL(tls_watch_new(str_c(cert), str_c(key), STR_EMPTY, &w, &err), ERR_INVALID);
	CU_ASSERT_PTR_NULL(w);
	tls_watch_free(w);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"given once", test_given_once},
		{"half replaced", test_half_replaced},
		{"bad at the start", test_bad_at_the_start},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"tls", init, clean_up, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
