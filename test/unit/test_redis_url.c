/* layers: store base
 *
 * URLs of Redis: what they mean, and what is refused without repeating it. */
#include "store/redis_url.h"

#include "support/cunit_main.h"

static struct str describe(struct arena *a, const struct redis_url *u)
{
	struct str hosts = STR_EMPTY;

	for (size_t i = 0; i < u->n_hosts; i++)
		hosts = str_fmt(a, STR_FMT "%s" STR_FMT " %u", STR_ARG(hosts), i > 0 ? ", " : "",
			STR_ARG(u->hosts[i].host), u->hosts[i].port);
	return str_fmt(a, "%s" STR_FMT STR_FMT " db%u user=" STR_FMT " password=" STR_FMT "%s" STR_FMT,
		u->tls ? "tls " : "", STR_ARG(hosts), STR_ARG(u->path), u->database, STR_ARG(u->user),
		STR_ARG(secret_reveal(u->password)), u->service.n > 0 ? " service=" : "",
		STR_ARG(u->service));
}

static void test_good(void)
{
	static const struct {
		const char *url, *want;
	} cases[] = {
		{"redis://localhost", "localhost 6379 db0 user= password="},
		{"REDIS://10.0.0.1:7000/3", "10.0.0.1 7000 db3 user= password="},
		{"rediss://:s%40cret@r.example:1", "tls r.example 1 db0 user= password=s@cret"},
		{"redis://me:p:q@h", "h 6379 db0 user=me password=p:q"},
		{"redis://m%40e@h:65535/65535", "h 65535 db65535 user=m@e password="},
		{"redis://:@h", "h 6379 db0 user= password="},
		{"redis://me:a@b/c@h/2", "h 6379 db2 user=me password=a@b/c"},
		{"redis://a:1,b,[::1]:2,[fe80::1%eth0],[::ffff:1.2.3.4]/",
			"a 1, b 6379, ::1 2, fe80::1%eth0 6379, ::ffff:1.2.3.4 6379 db0 user= password="},
		{"redis+sentinel://s1,s2:5/main", "s1 26379, s2 5 db0 user= password= service=main"},
		{"rediss+sentinel://u:p@s1/main/4", "tls s1 26379 db4 user=u password=p service=main"},
		{"unix:///run/redis.sock", "/run/redis.sock db0 user= password="},
		{"unix://:pw@/run/redis.sock?db=7", "/run/redis.sock db7 user= password=pw"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct redis_url url;
		struct err err;

		CU_ASSERT_EQUAL_FATAL(redis_url_parse(a, str_c(cases[i].url), &url, &err), ERR_OK);
		ASSERT_STR(describe(a, &url), str_c(cases[i].want), cases[i].url);
		CU_ASSERT_EQUAL(url.password == NULL, secret_empty(url.password)); /* an empty one is none */
		secret_unref(url.password);
	}
}

static void test_bad(void)
{
	static const char *const cases[] = {"", "redis", "redis:/h", "http://secret@h", "redis://",
		"redis://:secret@", "redis://:secret@/1", "redis://h:0", "redis://h:65536", "redis://h:1x",
		"redis://h:006379", "redis://h/x", "redis://h/1/2", "redis://h/65536",
		"redis://h/99999999999", "redis://:%zz-secret@h", "redis://a,,b", "redis://[::1",
		"redis://[secret]", "redis://a b", "redis+sentinel://h", "redis+sentinel://h/",
		"unix://run/r.sock", "unix:///", "unix:///r.sock?secret=1", "unix:///r.sock?no=1",
		"unix:///r.sock?db=x", "redis://h?db=1", "redis://[::1 x]", "redis://::1", "redis://h:"};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct redis_url url = {.n_hosts = 0};
		struct err err = {.code = ERR_OK};

		ASSERT_I64(redis_url_parse(a, str_c(cases[i]), &url, &err), ERR_INVALID, cases[i]);
		CU_ASSERT(!str_contains(str_c(err.msg), STR("secret")));
		if (str_eq_c(str_c(cases[i]), "redis://:secret@/1"))
			ASSERT_STR(str_c(err.msg), STR("a host is missing"), cases[i]);
	}
}

static void test_too_many_hosts(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct str url = STR("redis://h");
	struct redis_url parsed;
	struct err err;

	for (int i = 1; i < REDIS_URL_MAX_HOSTS; i++)
		url = str_fmt(a, STR_FMT ",h", STR_ARG(url));
	CU_ASSERT_EQUAL(redis_url_parse(a, url, &parsed, &err), ERR_OK);
	CU_ASSERT_EQUAL(
		redis_url_parse(a, str_fmt(a, STR_FMT ",h", STR_ARG(url)), &parsed, &err), ERR_INVALID);
}

/* Limits that are DNS's, and the kernel's. */
static void test_long(void)
{
	static const struct {
		const char *format;
		int n;
		enum err_code want;
	} cases[] = {
		{"redis://%0*d", 255, ERR_OK},
		{"redis://%0*d", 256, ERR_INVALID},
		{"unix:///%0*d", 106, ERR_OK},
		{"unix:///%0*d", 107, ERR_INVALID},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct redis_url url;
		struct err err;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		ASSERT_I64(redis_url_parse(a, str_fmt(a, cases[i].format, cases[i].n, 0), &url, &err),
			cases[i].want, cases[i].format);
#pragma GCC diagnostic pop
	}
}

/* As MOVED and Sentinel name them. */
static void test_hosts(void)
{
	static const struct {
		const char *text, *host;
		unsigned port; /* 0: refused */
	} cases[] = {
		{"127.0.0.1:6381", "127.0.0.1", 6381},
		{"node.example:1", "node.example", 1},
		{"::1:7000", "::1", 7000},
		{"fe80::1:2:7000", "fe80::1:2", 7000},
		{"[::1]:7000", "::1", 7000},
		{":7000", "", 0},
		{"node", "", 0},
		{"node:", "", 0},
		{"node:x", "", 0},
		{"[::1]", "", 0},
		{"[::1]7000", "", 0},
		{"[::1]x7000", "", 0},
		{"[::1:7000", "", 0},
		{"a/b:1", "", 0},
		{"a?b:1", "", 0},
		{"a#b:1", "", 0},
		{"a@b:1", "", 0},
		{"a[b:1", "", 0},
		{"a]b:1", "", 0},
		{"a\\b:1", "", 0},
		{"a\x7f"
		 "b:1",
			"", 0},
		{"", "", 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct redis_host host = {.host = STR_EMPTY, .port = 0};

		CU_ASSERT_EQUAL(redis_host_parse(a, str_c(cases[i].text), 0, &host), cases[i].port > 0);
		ASSERT_STR(host.host, str_c(cases[i].host), cases[i].text);
		ASSERT_I64(host.port, cases[i].port, cases[i].text);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"good", test_good},
		{"bad", test_bad},
		{"too_many_hosts", test_too_many_hosts},
		{"long", test_long},
		{"hosts", test_hosts},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"redis_url", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
