/* layers: server base
 *
 * Addresses to listen on: what is wrong with one is said, and nobody loses a live socket. */
#include "server/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/cunit_main.h"

static char dir[] = "/tmp/baton-listen-XXXXXX";
static char path[64], address[80], lock_path[80];

static int set_up(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(address, sizeof(address), "unix:%s", path);
	snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
	return 0;
}

static int tear_down(void)
{
	return rmdir(dir); /* fails when a test left something behind */
}

static int bind_unix(bool listening)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 || (listening && listen(fd, 1) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void test_bad_addresses(void)
{
	static const char *const bad[] = {
		"",
		"localhost",
		"127.0.0.1:",
		"127.0.0.1:x",
		"127.0.0.1:65536",
		"127.0.0.1:-1",
		"[]:1",
		"unix:",
		"unix:relative",
	};
	char endless[200];
	struct listen *l;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ASSERT_I64(listen_open(str_c(bad[i]), &l, &err), ERR_INVALID, bad[i]);
	memset(endless, 'x', sizeof(endless) - 1);
	memcpy(endless, "unix:/", 6);
	endless[sizeof(endless) - 1] = '\0';
	CU_ASSERT_EQUAL(listen_open(str_c(endless), &l, &err), ERR_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "at most 107"));
}

static void test_tcp(void)
{
	static const struct {
		const char *address, *target;
		bool local;
	} rows[] = {
		{"127.0.0.1:0", "127.0.0.1:0", true},
		{"0.0.0.0:0", "0.0.0.0:0", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct listen *l;
		struct err err;

		CU_ASSERT_EQUAL_FATAL(listen_open(str_c(rows[i].address), &l, &err), ERR_OK);
		CU_ASSERT_STRING_EQUAL(listen_target(l), rows[i].target);
		CU_ASSERT_EQUAL(listen_is_local(l), rows[i].local);
		CU_ASSERT_PTR_NOT_NULL(listen_sockaddr(l));
		listen_close(l);
	}
}

static void test_tcp_in_use(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char text[32];
	struct listen *l;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)&addr, n), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 1), 0);
	CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&addr, &n), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(addr.sin_port));
	CU_ASSERT_EQUAL(listen_open(str_c(text), &l, &err), ERR_EXISTS);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, text));
	close(fd);
}

/* The second one must not take the path away from the first, as gRPC would. */
static void test_unix_is_owned(void)
{
	struct listen *first, *second;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(listen_open(str_c(address), &first, &err), ERR_OK);
	CU_ASSERT_TRUE(listen_is_unix(first));
	CU_ASSERT_TRUE(listen_is_local(first));
	CU_ASSERT_PTR_NULL(listen_sockaddr(first));
	CU_ASSERT_EQUAL(listen_open(str_c(address), &second, &err), ERR_EXISTS);
	CU_ASSERT_EQUAL(access(lock_path, F_OK), 0); /* still the first one's */
	listen_close(first);
	CU_ASSERT_NOT_EQUAL(access(lock_path, F_OK), 0);
	CU_ASSERT_EQUAL_FATAL(listen_open(str_c(address), &second, &err), ERR_OK);
	listen_close(second);
}

static void test_dead_socket_goes(void)
{
	int fd = bind_unix(/* listening= */ false);
	struct listen *l;
	struct err err;

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	CU_ASSERT_EQUAL_FATAL(listen_open(str_c(address), &l, &err), ERR_OK);
	CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
	listen_close(l);
}

static void test_live_socket_stays(void)
{
	int fd = bind_unix(/* listening= */ true);
	struct listen *l;
	struct err err;

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(listen_open(str_c(address), &l, &err), ERR_EXISTS);
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	close(fd);
	unlink(path);
}

static void test_other_file_stays(void)
{
	FILE *f = fopen(path, "w");
	struct listen *l;
	struct err err;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fclose(f);
	CU_ASSERT_EQUAL(listen_open(str_c(address), &l, &err), ERR_EXISTS);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "not a socket"));
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	unlink(path);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"bad_addresses", test_bad_addresses},
		{"tcp", test_tcp},
		{"tcp_in_use", test_tcp_in_use},
		{"unix_is_owned", test_unix_is_owned},
		{"dead_socket_goes", test_dead_socket_goes},
		{"live_socket_stays", test_live_socket_stays},
		{"other_file_stays", test_other_file_stays},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"listen", set_up, tear_down, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
