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
#include "sim/sim_center.h"
#include "sim/sim_faults.h"
#include "sim/sim_http.h"
#include "sim/sim_log.h"
#include "sim/sim_logins.h"
#include "sim/sim_org.h"
#include "sim/sim_rates.h"
#include "sim/sim_report.h"
#include "sim/sim_tree.h"

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
	.child_role_name = STR_INIT("OrganizationAccountAccessRole"),
	.accounts = 1,
	.users = 60,
	.roles = 40,
	.groups = 12,
	.policies = 15,
	.child_users = SIM_SAME,
	.child_roles = SIM_SAME,
	.child_groups = SIM_SAME,
	.child_policies = SIM_SAME,
	.seed = 1,
	.ou_depth = 1,
	.instances = SIM_SAME,
	.permission_sets_per_account = 15,
	.large_assignments = 3,
	.memberships = 3,
	.cloudtrail_rate = 2,
	.sso_region = STR_INIT("us-east-1"),
	.account_state = STR_INIT("both"),
	.account_paths = STR_INIT("account"),
	.report_polls = 2,
	.log_limit = 2000000,
};

static const struct option_row rows[] = {
	{"listen", KIND_TEXT, &opts.listen, 0, "ADDRESS:PORT (127.0.0.1:4566; port 0: any)"},
	{"account", KIND_TEXT, &opts.account, 0, "the account, the management one of several (123456789012)"},
	{"accounts", KIND_COUNT, &opts.accounts, 10000, "accounts of the organization (1)"},
	{"suspended", KIND_COUNT, &opts.suspended, 10000, "accounts that are SUSPENDED (0)"},
	{"pending-closure", KIND_COUNT, &opts.pending_closure, 10000,
		"accounts that are PENDING_CLOSURE (0)"},
	{"denied", KIND_COUNT, &opts.denied, 10000, "accounts whose roles cannot be assumed (0)"},
	{"child-role-name", KIND_TEXT, &opts.child_role_name, 0,
		"role that the management account assumes in others (OrganizationAccountAccessRole)"},
	{"no-organization", KIND_FLAG, &opts.no_organization, 0, "Organizations is not in use"},
	{"users", KIND_COUNT, &opts.users, 1000000, "users (60)"},
	{"roles", KIND_COUNT, &opts.roles, 1000000, "roles (40)"},
	{"groups", KIND_COUNT, &opts.groups, 1000000, "groups (12)"},
	{"policies", KIND_COUNT, &opts.policies, 1000000, "customer-managed policies (15)"},
	{"child-users", KIND_COUNT, &opts.child_users, 1000000, "users of each other account (as many)"},
	{"child-roles", KIND_COUNT, &opts.child_roles, 1000000, "its roles, at least 1 (as many)"},
	{"child-groups", KIND_COUNT, &opts.child_groups, 1000000, "its groups (as many)"},
	{"child-policies", KIND_COUNT, &opts.child_policies, 1000000,
		"its customer-managed policies (as many)"},
	{"aws-policies", KIND_COUNT, &opts.aws_policies, 100000,
		"AWS-managed policies in the catalogue (the well-known)"},
	{"ous", KIND_COUNT, &opts.ous, 10000, "organizational units (0)"},
	{"ou-depth", KIND_COUNT, &opts.ou_depth, SIM_OU_DEPTH_MAX, "levels of them (1)"},
	{"account-state", KIND_TEXT, &opts.account_state, 0,
		"members that tell an account's state: both, state or status (both)"},
	{"account-paths", KIND_TEXT, &opts.account_paths, 0,
		"its member Paths ends with the account or its parent; or none (account)"},
	{"instances", KIND_COUNT, &opts.instances, SIM_MAX_INSTANCES,
		"instances of Identity Center (1 with anything in it, else 0)"},
	{"sso-region", KIND_TEXT, &opts.sso_region, 0, "the region they are in (us-east-1)"},
	{"delegated-administrator", KIND_FLAG, &opts.delegated_administrator, 0,
		"the known key is of the second account, which administers Identity Center"},
	{"permission-sets", KIND_COUNT, &opts.permission_sets, 60000, "permission sets (0)"},
	{"permission-sets-per-account", KIND_COUNT, &opts.permission_sets_per_account, 60000,
		"those an account has (15)"},
	{"large-assignments", KIND_COUNT, &opts.large_assignments, 10000,
		"pairs of account and permission set with 250 assignments (3)"},
	{"sso-users", KIND_COUNT, &opts.sso_users, SIM_PEOPLE_MAX, "users of Identity Center (0)"},
	{"sso-groups", KIND_COUNT, &opts.sso_groups, SIM_PEOPLE_MAX, "its groups (0)"},
	{"memberships", KIND_COUNT, &opts.memberships, 1000, "groups that a user is in (3)"},
	{"logins", KIND_COUNT, &opts.logins, 1000000, "events of the last day that CloudTrail has (0)"},
	{"sso-rate", KIND_COUNT, &opts.sso_rate, 1000000, "SSO Admin's calls per second, AWS: 20 (no limit)"},
	{"identity-store-rate", KIND_COUNT, &opts.identity_store_rate, 1000000,
		"Identity Store's (no limit)"},
	{"organizations-rate", KIND_COUNT, &opts.organizations_rate, 1000000, "Organizations' (no limit)"},
	{"cloudtrail-rate", KIND_COUNT, &opts.cloudtrail_rate, 1000000, "CloudTrail's, 0: no limit (2)"},
	{"seed", KIND_COUNT, &opts.seed, UINT64_MAX, "what the organization and the dice are drawn from (1)"},
	{"latency-ms", KIND_COUNT, &opts.latency_ms, 600000, "every AWS answer waits (0)"},
	{"throttle-percent", KIND_COUNT, &opts.throttle_percent, 100, "calls answered Throttling (0)"},
	{"error-percent", KIND_COUNT, &opts.error_percent, 100, "calls answered 500 ServiceFailure (0)"},
	{"page-limit", KIND_COUNT, &opts.page_limit, 1000,
		"items a page holds at most, whatever MaxItems says"},
	{"report-polls", KIND_COUNT, &opts.report_polls, 1000,
		"polls until a credential report is complete (2)"},
	{"report-active-only", KIND_FLAG, &opts.report_active_only, 0,
		"credential reports hold no dates of keys that are not active"},
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

static bool is_one_of(struct str value, const char *a, const char *b, const char *c)
{
	return str_eq_c(value, a) || str_eq_c(value, b) || str_eq_c(value, c);
}

/* What is wrong with the options together; NULL: nothing. */
static const char *options_problem(void)
{
	uint64_t ignored;

	if (opts.account.n != 12 || !str_to_u64(opts.account, &ignored))
		return "--account: not 12 digits";
	if (opts.accounts == 0)
		return "--accounts: at least 1";
	if (opts.no_organization && opts.accounts > 1)
		return "--no-organization: with one account only";
	if (opts.suspended + opts.pending_closure + opts.denied > opts.accounts - 1)
		return "--suspended, --pending-closure, --denied: more than there are other accounts";
	if (opts.delegated_administrator && opts.accounts < 2)
		return "--delegated-administrator: with two accounts at least";
	if (opts.ou_depth == 0)
		return "--ou-depth: at least 1";
	if (!is_one_of(opts.account_state, "both", "state", "status"))
		return "--account-state: both, state or status";
	if (!is_one_of(opts.account_paths, "account", "parent", "none"))
		return "--account-paths: account, parent or none";
	return NULL;
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
	const char *problem = optind < argc ? "there are no arguments, only options" : options_problem();
	if (problem != NULL) {
		fprintf(stderr, "aws-sim: %s\n", problem);
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

static size_t child_count(uint64_t count, uint64_t management_count)
{
	return count == SIM_SAME ? management_count : count;
}

static struct sim_org *make_org(void)
{
	return sim_org_new(&(struct sim_org_options){
		.seed = opts.seed,
		.account = opts.account,
		.access_key_id = opts.access_key_id,
		.child_role_name = opts.child_role_name,
		.size = {opts.users, opts.groups, opts.roles, opts.policies},
		.child = {child_count(opts.child_users, opts.users),
			child_count(opts.child_groups, opts.groups),
			child_count(opts.child_roles, opts.roles),
			child_count(opts.child_policies, opts.policies)},
		.aws_policies = opts.aws_policies,
		.accounts = opts.accounts,
		.suspended = opts.suspended,
		.pending_closure = opts.pending_closure,
		.denied = opts.denied,
		.ous = opts.ous,
		.ou_depth = opts.ou_depth,
	});
}

static struct sim_center *make_center(const struct sim_org *org)
{
	bool wanted = opts.permission_sets > 0 || opts.sso_users > 0 || opts.sso_groups > 0;

	return sim_center_new(&(struct sim_center_options){
		.seed = opts.seed,
		.org = org,
		.instances = opts.instances != SIM_SAME ? opts.instances
			     : wanted                   ? 1
							: 0,
		.permission_sets = opts.permission_sets,
		.per_account = opts.permission_sets_per_account,
		.large_assignments = opts.large_assignments,
		.people = {opts.seed, opts.sso_users, opts.sso_groups, opts.memberships},
	});
}

int main(int argc, char **argv)
{
	struct sim sim = {.opts = &opts};
	struct sim_http *http;
	struct err err;

	read_options(argc, argv);
	block_signals();
	sim.org = make_org();
	if (opts.delegated_administrator)
		sim_account_ready(&sim.org->accounts[1]); /* as whoever lets a caller in does */
	sim.center = make_center(sim.org);
	sim.logins = sim_logins_new(sim.center, opts.logins, sim_now_s(&sim));
	pthread_rwlock_init(&sim.org_lock, NULL);
	sim.auth = sim_auth_new();
	sim.faults = sim_faults_new();
	sim.log = sim_log_new(sim.org, opts.log_limit);
	sim.rates = sim_rates_new(&opts);
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
	sim_rates_free(sim.rates);
	sim_log_free(sim.log);
	sim_faults_free(sim.faults);
	sim_auth_free(sim.auth);
	pthread_rwlock_destroy(&sim.org_lock);
	sim_logins_free(sim.logins);
	sim_center_free(sim.center);
	sim_org_free(sim.org);
	return started ? 0 : 1;
}
