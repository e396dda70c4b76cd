/* server/main.c
 *
 * The program: what each command does, and of `serve` the boot order as a list, which backwards is the order
 * of the end. */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "aws/session.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "inventory/inventory.h"
#include "server/admin.h"
#include "server/capabilities.h"
#include "server/command.h"
#include "server/config.h"
#include "server/connector.h"
#include "server/crawl.h"
#include "server/health.h"
#include "server/healthcheck.h"
#include "server/listen.h"
#include "server/call.h"
#include "server/methods.h"
#include "server/rpc.h"
#include "server/signals.h"
#include "server/tls.h"
#include "store/memory.h"
#include "store/redis.h"
#include "syncers/syncer.h"

/* Validate sleeps between its attempts; these many callers can have one each before they queue. */
#define VALIDATE_THREADS 4

#ifdef __SANITIZE_THREAD__
/* gRPC is not instrumented, so what happens inside it looks like races; rpc.c tells the sanitizer about the hand-overs. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "ignore_noninstrumented_modules=1";
}
#endif

struct server {
	const struct config_source *source;
	struct config *config;
	struct syncer_config syncer_config;
	const struct syncer *syncers[SYNCERS_MAX];
	const struct event_feed *feeds[EVENT_FEEDS_MAX];
	struct store *store;
	struct aws_session *aws;
	struct inventory *inventory;
	struct health *health;
	struct connector *connector;
	struct rpc_method *methods;
	struct rpc_server *rpc;
	struct admin *admin;
	struct listen **listens; /* n_listens of them */
	size_t n_listens;
};

/* --- the steps --- */

static enum err_code config_up(struct server *s, struct err *reterr)
{
	struct buf report;
	enum err_code rc;

	buf_init(&report, 65536);
	rc = config_load(s->source, &s->config, &report, reterr);
	if (rc != ERR_OK) {
		fprintf(stderr, "baton-awsd: " STR_FMT "\n", STR_ARG(str_trim(buf_view(&report))));
		reterr->msg[0] = '\0'; /* it is said */
	}
	buf_deinit(&report);
	return rc;
}

static void config_down(struct server *s)
{
	config_free(s->config);
}

static enum err_code log_up(struct server *s, struct err *reterr)
{
	const struct config *c = s->config;
	CLEANUP(mem_freep) const char **paths = mem_array(c->log_path.n + 1, sizeof(*paths));
	struct log_options opts = {.level = c->log_level, .format = c->log_format};
	enum err_code rc;

	for (size_t i = 0; i < c->log_path.n; i++)
		paths[i] = c->log_path.items[i].p;
	if (c->log_path.n > 0)
		opts.paths = paths;
	rc = log_init(&opts, reterr);
	if (rc != ERR_OK)
		return rc;
	for (size_t i = 0; i < c->warnings.n; i++)
		log_warn(c->warnings.items[i].p);
	return ERR_OK;
}

static void log_down(struct server *s)
{
	(void)s;
	log_deinit();
}

/* Keys and tokens are in our memory: no core file, no ptrace by other processes of the same user. */
static enum err_code no_core_up(struct server *s, struct err *reterr)
{
	(void)reterr;
	if (!s->config->dump_core && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		log_warn("core dumps could not be switched off, ignoring");
	return ERR_OK;
}

static enum err_code store_up(struct server *s, struct err *reterr)
{
	const struct config *c = s->config;

	if (c->store_tls_skip_verify)
		log_warn("whose certificate Redis shows is not checked, because of --store-tls-skip-verify");
	if (c->store_url.n > 0)
		return store_redis_new(
			&(struct store_redis_options){
				.url = c->store_url,
				.password = c->store_password,
				.sentinel_password = c->store_sentinel_password,
				.tls = {.ca_file = c->store_tls_ca_file,
					.cert_file = c->store_tls_cert_file,
					.key_file = c->store_tls_key_file,
					.server_name = c->store_tls_server_name,
					.accept_any = c->store_tls_skip_verify},
				.prefix = c->store_key_prefix,
				.max_value_bytes = (size_t)c->store_max_bytes,
				.max_age_ms = c->store_max_age_seconds * 1000,
				.connect_timeout_ms = c->store_connect_timeout_ms,
				.command_timeout_ms = c->store_command_timeout_ms,
				.idle_ms = c->store_idle_seconds * 1000,
				.clock = &clock_system,
			},
			&s->store, reterr);
	s->store = store_memory_new(&(struct store_memory_options){
		.max_bytes = (size_t)c->store_max_bytes,
		.max_age_ms = c->store_max_age_seconds * 1000,
		.clock = &clock_system,
	});
	return ERR_OK;
}

static void store_down(struct server *s)
{
	store_free(s->store);
}

static enum err_code aws_up(struct server *s, struct err *reterr)
{
	const struct config *c = s->config;

	return aws_session_new(
		&(struct aws_session_options){
			.access_key_id = c->global_access_key_id,
			.secret_access_key = c->global_secret_access_key,
			.region = c->global_region,
			.sso_region = c->global_aws_sso_region,
			.use_assume = c->use_assume,
			.role_arn = c->role_arn,
			.external_id = c->external_id,
			.global_role_arn = c->global_role_arn,
			.global_binding_external_id = c->global_binding_external_id,
			.iam_assume_role_name = c->iam_assume_role_name,
			.http_timeout_ms = c->http_timeout_seconds * 1000,
			.quota_percent = (unsigned)c->aws_quota_percent,
			.quota = c->store_url.n > 0 ? store_redis_quota(s->store) : NULL,
			.quota_servers = (unsigned)c->store_servers,
			.environ = (const char *const *)s->source->env,
			.clock = &clock_system,
		},
		&s->aws, reterr);
}

static void aws_down(struct server *s)
{
	aws_session_free(s->aws);
}

/* What facts depend on beside AWS. A hash, because names may be long. */
static struct str view_of(const struct config *c, struct arena *arena)
{
	const struct str text = str_fmt(arena, "%d%d%d|" STR_FMT "|" STR_FMT "|" STR_FMT, c->sync_secrets,
		c->sync_only_attached_policies, c->require_all_permissions, STR_ARG(c->role_arn),
		STR_ARG(c->iam_assume_role_name), STR_ARG(c->global_aws_sso_region));

	return str_fmt(arena, "%016llx", (unsigned long long)str_hash(text));
}

static struct syncer_config syncer_config_of(const struct config *c)
{
	return (struct syncer_config){
		.type_filter = c->sync_resource_types.items,
		.n_type_filter = c->sync_resource_types.n,
		.only_attached_policies = c->sync_only_attached_policies,
		.sync_secrets = c->sync_secrets,
		.organization = c->global_aws_orgs_enabled &&
				(!c->global_aws_sso_enabled || c->global_aws_cross_account_iam_enabled),
		.identity_center = c->global_aws_orgs_enabled && c->global_aws_sso_enabled,
		.sso_logins = c->sync_sso_user_last_login,
		.sso_region = c->global_aws_sso_region,
		.create_account_resource_type = c->create_account_resource_type,
	};
}

static enum err_code inventory_up(struct server *s, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct syncer_config *types = &s->syncer_config;

	(void)reterr;
	s->syncer_config = syncer_config_of(s->config);
	s->inventory = inventory_new(&(struct inventory_options){
		.aws = s->aws,
		.store = s->store,
		.view = view_of(s->config, arena),
		.clock = &clock_system,
		.require_all_permissions = s->config->require_all_permissions,
		.only_attached_policies = s->config->sync_only_attached_policies,
		.access_keys = s->config->sync_secrets,
		.principals_synced =
			syncer_config_wants(types, "sso_user") && syncer_config_wants(types, "sso_group"),
		.max_bytes = (size_t)s->config->store_max_bytes,
		.read_ahead = (size_t)s->config->read_ahead,
	});
	return ERR_OK;
}

static void inventory_down(struct server *s)
{
	inventory_free(s->inventory);
}

static enum err_code connector_up(struct server *s, struct err *reterr)
{
	const struct config *c = s->config;
	struct connector_options opts = {
		.config = &s->syncer_config,
		.inventory = s->inventory,
		.clock = &clock_system,
		.role_arn = c->role_arn,
		.rpc_timeout_ms = c->rpc_timeout_seconds * 1000,
	};

	(void)reterr;
	s->health = health_new(s->inventory, &clock_system);
	opts.health = s->health;
	opts.n_syncers = syncers_registered(&s->syncer_config, s->syncers);
	opts.syncers = s->syncers;
	opts.n_feeds = event_feeds_registered(&s->syncer_config, s->feeds);
	opts.feeds = s->feeds;
	s->connector = connector_new(&opts);
	return ERR_OK;
}

static void connector_down(struct server *s)
{
	connector_free(s->connector);
	health_free(s->health);
}

static enum err_code rpc_up(struct server *s, struct err *reterr)
{
	(void)reterr;
	s->methods = methods_for_rpc();
	s->rpc = rpc_server_new(&(struct rpc_options){
		.methods = s->methods,
		.n_methods = methods_count(),
		.handle = call_handle,
		.self = s->connector,
		.workers = (size_t)s->config->rpc_threads,
		.queue = (size_t)s->config->rpc_queue,
		.validate_workers = VALIDATE_THREADS,
		.clock = &clock_system,
	});
	return ERR_OK;
}

static void rpc_down(struct server *s)
{
	rpc_server_free(s->rpc);
	mem_free(s->methods);
}

static enum err_code admin_up(struct server *s, struct err *reterr)
{
	if (s->config->admin_listen.n == 0)
		return ERR_OK;
	return admin_start(
		&(struct admin_options){
			.listen = s->config->admin_listen,
			.rpc = s->rpc,
			.connector = s->connector,
			.aws = s->aws,
			.store = s->store,
		},
		&s->admin, reterr);
}

static void admin_down(struct server *s)
{
	admin_stop(s->admin);
}

static enum err_code watch_tls(const struct config *c, struct tls_watch **ret_tls, struct err *reterr)
{
	if (c->tls_cert_file.n == 0)
		return ERR_OK;
	return tls_watch_new(c->tls_cert_file, c->tls_key_file, c->tls_client_ca_file, ret_tls, reterr);
}

static enum err_code listen_one(struct server *s, struct str address, struct err *reterr)
{
	struct tls_watch *tls = NULL;
	const char *kind;
	struct listen *l;
	enum err_code rc = listen_open(address, &l, reterr);
	int port;

	if (rc != ERR_OK)
		return rc;
	s->listens[s->n_listens++] = l;
	if (watch_tls(s->config, &tls, reterr) != ERR_OK)
		return reterr->code;
	kind = tls == NULL ? "off" : tls_watch_is_mutual(tls) ? "mutual" : "server";
	rc = rpc_server_listen(s->rpc, listen_target(l), tls, &port, reterr);
	if (rc != ERR_OK)
		return rc;
	log_info("listening", LOG_CSTR("address", listen_target(l)),
		LOG_I64("port", listen_is_unix(l) ? 0 : port), LOG_CSTR("tls", kind));
	if (tls == NULL && !listen_is_local(l))
		log_warn("this address is reachable from other machines, without TLS",
			LOG_CSTR("address", listen_target(l)));
	return ERR_OK;
}

static enum err_code listen_up(struct server *s, struct err *reterr)
{
	const struct config *c = s->config;
	enum err_code rc = ERR_OK;

	s->listens = mem_array(c->listen.n, sizeof(struct listen *));
	for (size_t i = 0; i < c->listen.n && rc == ERR_OK; i++)
		rc = listen_one(s, c->listen.items[i], reterr);
	return rc;
}

static void listen_down(struct server *s)
{
	for (size_t i = 0; i < s->n_listens; i++)
		listen_close(s->listens[i]);
	mem_free(s->listens);
}

static enum err_code serve_up(struct server *s, struct err *reterr)
{
	return rpc_server_start(s->rpc, reterr);
}

static void serve_down(struct server *s)
{
	rpc_server_stop(s->rpc, s->config->drain_seconds * 1000);
	log_info("stopped");
}

static enum err_code health_up(struct server *s, struct err *reterr)
{
	return health_start(s->health, s->rpc, reterr);
}

static void health_down(struct server *s)
{
	health_stop(s->health);
}

/* Up in this order, down in the opposite one. A step that fails has left nothing that its down could not
 * take; the steps behind it are not taken down. AWS is not waited for: it may be away for hours, and health
 * says so. */
static const struct {
	const char *name;
	enum err_code (*up)(struct server *s, struct err *reterr);
	void (*down)(struct server *s); /* NULL: nothing to undo */
} steps[] = {
	{"configuration", config_up, config_down},
	{"log", log_up, log_down},
	{"core dumps", no_core_up, NULL},
	{"session store", store_up, store_down},
	{"AWS", aws_up, aws_down},
	{"inventory", inventory_up, inventory_down},
	{"connector", connector_up, connector_down},
	{"gRPC", rpc_up, rpc_down},
	{"admin HTTP", admin_up, admin_down},
	{"listening", listen_up, listen_down},
	{"serving", serve_up, serve_down},
	{"health", health_up, health_down},
};

/* Returns how many steps are up (counting one that failed half-way). */
static size_t boot(struct server *s, enum err_code *ret_rc, struct err *reterr)
{
	size_t n = 0;

	*ret_rc = ERR_OK;
	while (n < ARRAY_LEN(steps) && *ret_rc == ERR_OK)
		*ret_rc = steps[n++].up(s, reterr);
	return n;
}

static int serve(const struct config_source *source)
{
	struct server s = {.source = source};
	enum err_code rc;
	struct err err;
	const char *signal;
	size_t n;

	signals_block();
	n = boot(&s, &rc, &err);
	if (rc == ERR_OK) {
		log_info("serving", LOG_CSTR("version", BATON_AWSD_VERSION));
		signal = signals_wait();
		log_info("asked to stop, draining", LOG_CSTR("signal", signal),
			LOG_I64("grace_seconds", s.config->drain_seconds));
	} else if (err.msg[0]) {
		fprintf(stderr, "baton-awsd: cannot start (%s): %s\n", steps[n - 1].name, err.msg);
	}
	while (n-- > 0)
		if (steps[n].down)
			steps[n].down(&s);
	if (rc == ERR_OK)
		return EXIT_CODE_OK;
	return rc == ERR_INVALID ? EXIT_CODE_USAGE : EXIT_CODE_FAILED;
}

/* --- the program --- */

static int help(enum command_kind topic)
{
	struct buf out;

	buf_init(&out, 256 * 1024);
	command_help(topic, &out);
	fwrite(out.p, 1, out.n, stdout);
	buf_deinit(&out);
	return EXIT_CODE_OK;
}

int main(int argc, char **argv)
{
	char cwd[4096];
	struct config_source source = {
		.argc = argc, .argv = argv, .env = environ, .stderr_is_tty = isatty(STDERR_FILENO)};
	struct command command;
	struct err err;

	source.cwd = getcwd(cwd, sizeof(cwd)) ? cwd : "/";
	if (command_parse(&source, &command, &err) != ERR_OK) {
		fprintf(stderr, "baton-awsd: %s\n", err.msg);
		return EXIT_CODE_USAGE;
	}
	switch (command.kind) {
	case COMMAND_SERVE:
		return serve(&source);
	case COMMAND_CRAWL:
		return crawl_main(&source);
	case COMMAND_HEALTHCHECK:
		return healthcheck_main(&source);
	case COMMAND_CAPABILITIES:
		return capabilities_main();
	case COMMAND_VERSION:
		puts("baton-awsd " BATON_AWSD_VERSION);
		return EXIT_CODE_OK;
	default:
		return help(command.topic);
	}
}
