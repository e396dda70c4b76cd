/* aws-sim: an AWS simulator for tests and demonstrations. See README.md. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "sim/sim.h"
#include "sim/sim_auth.h"
#include "sim/sim_faults.h"
#include "sim/sim_http.h"
#include "sim/sim_log.h"
#include "sim/sim_org.h"
#include "sim/sim_report.h"

enum kind { KIND_TEXT, KIND_COUNT, KIND_SIGNED, KIND_FLAG };

struct option_row {
	const char *name;
	enum kind kind;
	void *to;
	uint64_t max; /* KIND_COUNT */
	const char *help;
};

int64_t sim_now_s(const struct sim *s)
{
	return clock_wall_s(&clock_system) + s->opts->clock_offset_s;
}

static struct sim_options opts = {
	.listen = STR_INIT("127.0.0.1:4566"),
	.account = STR_INIT("123456789012"),
	.access_key_id = STR_INIT("AKIASIMULATOREXAMPLE"),
	.secret_access_key = STR_INIT("simsecretEXAMPLEKEY"),
	.users = 60,
	.roles = 40,
	.groups = 12,
	.policies = 15,
	.seed = 1,
	.report_polls = 2,
	.log_limit = 2000000,
};

static const struct option_row rows[] = {
	{"listen", KIND_TEXT, &opts.listen, 0, "ADDRESS:PORT (127.0.0.1:4566; port 0: any)"},
	{"account", KIND_TEXT, &opts.account, 0, "the account (123456789012)"},
	{"users", KIND_COUNT, &opts.users, 1000000, "users (60)"},
	{"roles", KIND_COUNT, &opts.roles, 1000000, "roles (40)"},
	{"groups", KIND_COUNT, &opts.groups, 1000000, "groups (12)"},
	{"policies", KIND_COUNT, &opts.policies, 1000000, "customer-managed policies (15)"},
	{"aws-policies", KIND_COUNT, &opts.aws_policies, 100000,
		"AWS-managed policies in the catalogue (the well-known)"},
	{"seed", KIND_COUNT, &opts.seed, UINT64_MAX, "what the organization and the dice are drawn from (1)"},
	{"latency-ms", KIND_COUNT, &opts.latency_ms, 600000, "every AWS answer waits (0)"},
	{"throttle-percent", KIND_COUNT, &opts.throttle_percent, 100, "calls answered Throttling (0)"},
	{"error-percent", KIND_COUNT, &opts.error_percent, 100, "calls answered 500 ServiceFailure (0)"},
	{"page-limit", KIND_COUNT, &opts.page_limit, 1000,
		"items a page holds at most, whatever MaxItems says"},
	{"report-polls", KIND_COUNT, &opts.report_polls, 1000,
		"polls until a credential report is complete (2)"},
	{"session-seconds", KIND_COUNT, &opts.session_seconds, 43200,
		"life of a session, whatever DurationSeconds says"},
	{"log-limit", KIND_COUNT, &opts.log_limit, 100000000, "calls that the log keeps (2000000)"},
	{"verify-signatures", KIND_FLAG, &opts.verify_signatures, 0, "check Signature Version 4"},
	{"access-key-id", KIND_TEXT, &opts.access_key_id, 0, "the key that is known (AKIASIMULATOREXAMPLE)"},
	{"secret-access-key", KIND_TEXT, &opts.secret_access_key, 0, "its secret (simsecretEXAMPLEKEY)"},
	{"clock-offset-s", KIND_SIGNED, &opts.clock_offset_s, 0,
		"the simulator's clock is ahead by this (0)"},
	{"help", KIND_FLAG, NULL, 0, "this"},
};

static void usage(FILE *to)
{
	fputs("usage: aws-sim [--option value]...\n\n", to);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		fprintf(to, "  --%-20s %s\n", rows[i].name, rows[i].help);
}

static bool read_value(const struct option_row *row, const char *text)
{
	switch (row->kind) {
	case KIND_TEXT:
		*(struct str *)row->to = str_c(text);
		return text[0] != '\0';
	case KIND_COUNT:
		return str_to_u64(str_c(text), row->to) && *(uint64_t *)row->to <= row->max;
	case KIND_SIGNED:
		return str_to_i64(str_c(text), row->to);
	case KIND_FLAG:
		*(bool *)row->to = true;
		return true;
	}
	return false;
}

/* Exits for --help and for what cannot be read. */
static void read_options(int argc, char **argv)
{
	struct option longs[ARRAY_LEN(rows) + 1] = {{0}};
	int at, c;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		longs[i] = (struct option){
			rows[i].name, rows[i].kind == KIND_FLAG ? no_argument : required_argument, NULL, 1};
	while ((c = getopt_long(argc, argv, "", longs, &at)) != -1) {
		if (c == 1 && rows[at].to == NULL) {
			usage(stdout);
			exit(0);
		}
		if (c != 1 || !read_value(&rows[at], optarg)) {
			if (c == 1)
				fprintf(stderr, "aws-sim: --%s: not a value for it: '%s'\n", rows[at].name,
					optarg);
			exit(2);
		}
	}
	uint64_t ignored;
	if (optind < argc || opts.account.n != 12 || !str_to_u64(opts.account, &ignored)) {
		fprintf(stderr, "aws-sim: %s\n",
			optind < argc ? "there are no arguments, only options" : "--account: not 12 digits");
		exit(2);
	}
}

static void wait_for_signal(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	while (sigwait(&set, &sig) == EINTR)
		;
}

/* Before any thread starts, so that all of them leave signals to main. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
	struct sim sim = {.opts = &opts};
	struct sim_http *http;
	struct err err;

	read_options(argc, argv);
	block_signals();
	sim.org = sim_org_new(&(struct sim_org_options){
		.seed = opts.seed,
		.account = opts.account,
		.access_key_id = opts.access_key_id,
		.users = opts.users,
		.groups = opts.groups,
		.roles = opts.roles,
		.policies = opts.policies,
		.aws_policies = opts.aws_policies,
	});
	pthread_rwlock_init(&sim.org_lock, NULL);
	sim.auth = sim_auth_new();
	sim.faults = sim_faults_new();
	sim.log = sim_log_new(opts.log_limit);
	sim.reports = sim_reports_new(sim.org->n_accounts);

	bool started = sim_http_start(&sim, &http, &err) == ERR_OK;
	if (started) {
		struct str host = str_sub(opts.listen, 0, (size_t)str_rfind_char(opts.listen, ':'));
		printf("listening on " STR_FMT ":%u\n", STR_ARG(host), sim_http_port(http));
		fflush(stdout);
		wait_for_signal();
		sim_http_stop(http);
	} else {
		fprintf(stderr, "aws-sim: %s\n", err.msg);
	}

	sim_reports_free(sim.reports);
	sim_log_free(sim.log);
	sim_faults_free(sim.faults);
	sim_auth_free(sim.auth);
	pthread_rwlock_destroy(&sim.org_lock);
	sim_org_free(sim.org);
	return started ? 0 : 1;
}
