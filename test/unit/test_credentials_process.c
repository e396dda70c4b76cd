/* layers: base aws
 *
 * credential_process: commands that work, fail, hang, talk too much; and what they get to see of us. */
#include "aws/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aws/child.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "support/cunit_main.h"

#define KEYS "'{\"Version\":1,\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"SECRET\"}'"

static const struct ctx forever = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};
static const char *const env[] = {
	"PATH=/usr/bin:/bin", "MINE=yes", "BATON_GLOBAL_SECRET_ACCESS_KEY=hidden", NULL};

/* "AKID SECRET TOKEN", or the error. */
static struct str fetch(struct arena *a, const char *command, int64_t timeout_ms, const struct ctx *ctx)
{
	CLEANUP(credentials_provider_unrefp)
	struct credentials_provider *p = credentials_process_new(&(struct process_options){
		.command = str_c(command), .environ = env, .timeout_ms = timeout_ms});
	CLEANUP(aws_credentials_unrefp) struct aws_credentials *c = NULL;
	struct err err;

	if (credentials_fetch(p, ctx, &c, &err) != ERR_OK)
		return str_fmt(a, "%s: %s", err_code_name(err.code), err.msg);
	return str_fmt(a, STR_FMT " " STR_FMT " " STR_FMT, STR_ARG(c->access_key_id),
		STR_ARG(secret_reveal(c->secret_access_key)), STR_ARG(secret_reveal(c->session_token)));
}

static void test_commands(void)
{
	static const struct {
		const char *command, *want;
	} rows[] = {
		{"echo " KEYS, "AKID SECRET "},
		{"printf '{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",' && "
		 "echo '\"SessionToken\":\"T\",\"Expiration\":\"2099-01-01T00:00:00Z\"}'",
			"A S T"},
		{"cat; echo " KEYS, "AKID SECRET "}, /* standard input is empty */
		{"echo " KEYS "; echo 'SECRET is out' >&2", "AKID SECRET "},
		{"echo " KEYS "; sleep 100 &", "AKID SECRET "}, /* who stays behind does not keep us */
		{"echo " KEYS "; exec >&- 2>&-; sleep 0.1", "AKID SECRET "},
		{"yes >&2 & yes=$!; sleep 0.1; kill $yes; echo " KEYS, "AKID SECRET "}, /* talks and talks */
		{"true", "UNAUTHENTICATED: credential_process gave nothing"},
		{"echo SECRET", "UNAUTHENTICATED: credential_process: not JSON: "},
		{"echo " KEYS "; exit 3",
			"UNAUTHENTICATED: credential_process: the command failed with exit code 3"},
		{"/nowhere/SECRET",
			"UNAUTHENTICATED: credential_process: the command failed with exit code 127"},
		{"kill -9 $$", "UNAUTHENTICATED: credential_process: the command was ended by signal 9"},
		{"yes SECRET",
			"UNAUTHENTICATED: credential_process: the command printed more than 65536 bytes"},
		{"head -c 65537 /dev/zero",
			"UNAUTHENTICATED: credential_process: the command printed more than 65536 bytes"},
		{"echo '{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"SECRET\"}'",
			"UNAUTHENTICATED: credential_process gave a Version other than 1"},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str got = fetch(a, rows[i].command, 0, &forever);

		ASSERT_STR(str_sub(got, 0, strlen(rows[i].want)), str_c(rows[i].want), rows[i].command);
		CU_ASSERT(!str_contains(got, STR("SECRET")) || str_starts(got, STR("AKID SECRET")));
	}
	CU_ASSERT(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD); /* nobody is left to be waited for */
}

/* What the command sees: its output, in place of an access key id, is the answer. */
static void test_surroundings(void)
{
	static const struct {
		const char *script, *want;
	} rows[] = {
		{"$MINE", "yes"},
		{"${BATON_GLOBAL_SECRET_ACCESS_KEY:-unset}", "unset"},
		{"$(ls /proc/self/fd | tr '\\n' ,)", "0,1,2,3,"}, /* 3: ls's own */
		{"$(sed -n 's/^SigBlk:[^0-9]*//p' /proc/$$/status)", "0000000000000000"},
		{"$((0x$(sed -n 's/^SigIgn:[^0-9]*//p' /proc/$$/status) & 0x1000))", "0"}, /* SIGPIPE */
		{"$(readlink /proc/$$/fd/0)", "/dev/null"},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	int leaked = open("/dev/null", O_RDONLY); /* not O_CLOEXEC */
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	sigset_t all, old;

	sigfillset(&all);
	sigaction(SIGPIPE, &ignore, &before);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str command = str_fmt(a,
			"echo "
			"\"{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"%s\\\",\\\"SecretAccessKey\\\":\\\"-"
			"\\\"}\"",
			rows[i].script);

		ASSERT_STR(fetch(a, command.p, 0, &forever), str_fmt(a, "%s - ", rows[i].want), command.p);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	sigaction(SIGPIPE, &before, NULL);
	close(leaked);
}

static void test_timeout(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	ASSERT_STR(fetch(a, "sleep 100", 50, &forever),
		STR("UNAUTHENTICATED: credential_process: the command was not done after 50 ms"), "hangs");
	ASSERT_STR(fetch(a, "trap '' TERM INT HUP; sleep 100; echo " KEYS, 50, &forever),
		STR("UNAUTHENTICATED: credential_process: the command was not done after 50 ms"),
		"is stubborn");
	CU_ASSERT(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

static void *fire(void *arg)
{
	clock_sleep_ms(20);
	cancel_fire(arg);
	return NULL;
}

static void test_call_ends(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct cancel *cancel = cancel_new();
	struct ctx cancelled = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE, .cancel = cancel};
	struct ctx late = {.clock = &clock_system, .deadline_ms = clock_mono_ms(&clock_system) + 20};
	struct thread t;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(thread_start(&t, "fire", 0, fire, cancel, &err), ERR_OK);
	CU_ASSERT(str_starts(fetch(a, "sleep 100", 0, &cancelled), STR("CANCELLED: ")));
	thread_join(&t);
	cancel_unref(cancel);
	CU_ASSERT(str_starts(fetch(a, "sleep 100", 0, &late), STR("DEADLINE: ")));
	CU_ASSERT(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

/* ---- the log ---- */

struct lines {
	char text[8192];
	size_t n;
};

static void keep_line(void *arg, struct str line)
{
	struct lines *l = arg;
	int n = snprintf(l->text + l->n, sizeof(l->text) - l->n, STR_FMT "\n", STR_ARG(line));

	if (n > 0 && l->n + (size_t)n < sizeof(l->text))
		l->n += (size_t)n;
}

static void test_log(void)
{
	static struct lines lines;
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct err err;

	CU_ASSERT_EQUAL_FATAL(
		log_init(&(struct log_options){.level = LOG_DEBUG, .format = LOG_JSON}, &err), ERR_OK);
	log_capture(keep_line, &lines);
	(void)fetch(a,
		"echo 'cannot reach vault: key AKIAIOSFODNN7EXAMPLE, secret "
		"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' "
		">&2; echo /usr/local/bin/helper-of-mine >&2; exit 1",
		0, &forever);
	log_capture(NULL, NULL);
	log_deinit();
	CU_ASSERT(str_contains(str_c(lines.text), STR("cannot reach vault: key ***, secret ***")));
	CU_ASSERT(str_contains(str_c(lines.text), STR("/usr/local/bin/helper-of-mine")));
	CU_ASSERT_FALSE(str_contains(str_c(lines.text), STR("AKIA")));
	CU_ASSERT_FALSE(str_contains(str_c(lines.text), STR("wJalr")));
}

/* Several at once, each with its own pipes. */
static void *run_some(void *arg)
{
	intptr_t wrong = 0;

	(void)arg;
	for (int i = 0; i < 5; i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);

		wrong += !str_eq(fetch(a, "echo " KEYS, 0, &forever), STR("AKID SECRET "));
	}
	return (void *)wrong;
}

static void test_many(void)
{
	struct thread threads[4];
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		CU_ASSERT_EQUAL_FATAL(thread_start(&threads[i], "runner", 0, run_some, NULL, &err), ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *wrong = NULL;

		pthread_join(threads[i].t, &wrong);
		CU_ASSERT_PTR_NULL(wrong);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"commands", test_commands},
		{"surroundings", test_surroundings},
		{"timeout", test_timeout},
		{"call ends", test_call_ends},
		{"log", test_log},
		{"many", test_many},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"credentials process", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
