/* DESIGN
 *
 * Everything that configuration and environment decide is decided in aws_session_new: regions,
 * endpoints, retries, where credentials come from. So what is wrong there is said at boot, and
 * afterwards the session is immutable but for the identity and the other accounts that were looked into
 * (child_accounts.h). The services are a table; each has its endpoint, and its pacer and client for the
 * connector's own account.
 *
 * Where servers share a quota, its bucket is named "<account>/<service>/<signing region>": as AWS counts, so
 * whatever road leads there (FIPS, a VPC endpoint, AWS_ENDPOINT_URL) is no part of it, or two servers with
 * different roads would each take the whole quota. The own account's pacers go by themselves until the account
 * is known.
 *
 * Providers of assumed roles call back into assume_role() here, which makes a client over their source
 * for one call: a client is a few strings, the connections are the session's. */
#include "aws/session.h"

#include <stdatomic.h>

#include "aws/call_stats.h"
#include "aws/child_accounts.h"
#include "aws/client_new.h"
#include "aws/cloudtrail.h"
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/env.h"
#include "aws/http.h"
#include "aws/iam.h"
#include "aws/identity_store.h"
#include "aws/organizations.h"
#include "aws/pacer.h"
#include "aws/profile.h"
#include "aws/retry.h"
#include "aws/sigv4.h"
#include "aws/sso_admin.h"
#include "aws/sts.h"
#include "base/arn.h"
#include "base/mem.h"
#include "base/thread.h"

/* How long an identity that was just asked for, or the failure to learn it, is good enough for who asks
 * anew. */
#define IDENTITY_SHARED_MS 3000

static const struct aws_service *const services[] = {
	&aws_iam,
	&aws_sts,
	&aws_organizations,
	&aws_sso_admin,
	&aws_identity_store,
	&aws_cloudtrail,
};

struct service_slot {
	struct aws_endpoint endpoint;
	struct pacer *pacer;       /* of the own account */
	struct aws_client *client; /* with the session's own credentials */
};

/* Guarded by lock; cond tells of flights that ended. */
struct identity_state {
	struct mutex lock;
	struct cond cond;
	bool in_flight;
	bool known;
	struct aws_identity identity; /* in arena */
	struct arena *arena;
	enum err_code last_code; /* of the last flight that its own caller did not end */
	struct err last_err;
	int64_t last_ms;       /* when that was; INT64_MIN: never */
	uint64_t flights_over; /* so that a waiter knows that its flight is over */
};

struct aws_session {
	const struct clock *clock;
	struct arena *arena; /* of what was configured */
	struct str region;
	bool fips, dual_stack;
	unsigned max_attempts;
	int64_t http_timeout_ms;
	struct str own_account; /* of role-arn; empty: only the identity tells */
	struct http *http;
	struct sigv4_signer *signer;
	struct call_stats *stats;
	struct quota *quota; /* may be NULL */
	unsigned quota_servers;
	struct pacer_health quota_health;
	struct credentials_provider *credentials;
	struct service_slot slots[ARRAY_LEN(services)];
	struct child_accounts *children;
	struct identity_state id;
};

/* ---- what the surroundings say ---- */

struct surroundings {
	const struct aws_session_options *opts;
	struct shared_config *config;
	struct str profile_name;
	const struct profile *profile; /* may be NULL */
};

static struct str setting(const struct surroundings *w, const char *env_name, const char *profile_key)
{
	struct str v = env_get(w->opts->environ, env_name);

	return v.n ? v : profile_get(w->profile, profile_key);
}

/* "arn:aws:iam::123456789012:role/x": part 1 is the partition, part 4 the account. Empty when there is
 * no such part. */
static struct str arn_part(struct str arn, unsigned part)
{
	struct str rest = arn;

	for (unsigned i = 0; i < part && rest.p; i++)
		(void)str_cut(&rest, ':');
	return rest.p ? str_cut(&rest, ':') : STR_EMPTY;
}

/* Of the role that will be used, if its ARN says. */
static const struct aws_partition *partition_of_roles(const struct surroundings *w)
{
	struct str role = w->opts->use_assume ? w->opts->role_arn : setting(w, "AWS_ROLE_ARN", "role_arn");
	const struct aws_partition *partition = aws_partition_of_id(arn_part(role, 1));

	return partition ? partition : aws_partition_of_id(STR("aws"));
}

/* spec/config.md 4.3: global-region, the environment, the profile, and at last the home of the
 * partition we can know of. */
static struct str find_region(const struct surroundings *w)
{
	const struct aws_partition *partition;
	struct str region = w->opts->region;

	if (region.n == 0)
		region = env_get2(w->opts->environ, "AWS_REGION", "AWS_DEFAULT_REGION");
	if (region.n == 0)
		region = profile_get(w->profile, "region");
	if (region.n > 0)
		return region;
	partition = partition_of_roles(w);
	return partition->home_region;
}

static enum err_code read_retry_settings(
	struct aws_session *s, const struct surroundings *w, struct err *reterr)
{
	struct str attempts = setting(w, "AWS_MAX_ATTEMPTS", "max_attempts");
	struct str mode = setting(w, "AWS_RETRY_MODE", "retry_mode");
	uint64_t n = RETRY_MAX_ATTEMPTS_DEFAULT;

	if (attempts.n && (!str_to_u64(attempts, &n) || n < 1 || n > 100))
		return err_set(reterr, ERR_INVALID,
			"AWS_MAX_ATTEMPTS (max_attempts) has to be a number from 1 to 100, not \"" STR_FMT
			"\"",
			STR_ARG(str_sub(attempts, 0, 40)));
	/* One mode is implemented. The others differ in pacing, and pacing is the pacer's. */
	if (mode.n && !str_eq_nocase(mode, STR("standard")) && !str_eq_nocase(mode, STR("adaptive")) &&
		!str_eq_nocase(mode, STR("legacy")))
		return err_set(reterr, ERR_INVALID,
			"AWS_RETRY_MODE (retry_mode) has to be standard, adaptive or legacy, not \"" STR_FMT
			"\"",
			STR_ARG(str_sub(mode, 0, 40)));
	s->max_attempts = (unsigned)n;
	return ERR_OK;
}

static enum err_code open_http(struct aws_session *s, const struct surroundings *w, struct err *reterr)
{
	struct str app_id = setting(w, "AWS_SDK_UA_APP_ID", "sdk_ua_app_id");
	struct str agent = STR("baton-awsd");

	if (app_id.n)
		agent = str_fmt(s->arena, "baton-awsd app/" STR_FMT, STR_ARG(str_sub(app_id, 0, 50)));
	return http_new(
		&(struct http_options){
			.user_agent = agent,
			.ca_bundle = setting(w, "AWS_CA_BUNDLE", "ca_bundle"),
			.max_host_connections = w->opts->max_connections,
			.environ = w->opts->environ,
		},
		&s->http, reterr);
}

static struct str region_for(
	const struct aws_session *s, const struct aws_service *service, struct str sso_region)
{
	return service->in_sso_region && sso_region.n ? sso_region : s->region;
}

static enum err_code resolve_endpoints(
	struct aws_session *s, const struct surroundings *w, struct err *reterr)
{
	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		struct endpoint_options opts = {
			.service = services[i],
			.region = region_for(s, services[i], w->opts->sso_region),
			.fips = s->fips,
			.dual_stack = s->dual_stack,
			.url = endpoint_configured_url(
				s->arena, services[i], w->opts->environ, w->config, w->profile),
		};
		enum err_code code = endpoint_resolve(s->arena, &opts, &s->slots[i].endpoint, reterr);

		if (code != ERR_OK)
			return code;
		s->slots[i].pacer = aws_service_pacer(services[i], w->opts->quota_percent);
	}
	return ERR_OK;
}

static struct service_slot *slot_of(struct aws_session *s, const struct aws_service *service)
{
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		if (services[i] == service)
			return &s->slots[i];
	return NULL;
}

/* ---- sharing quotas ---- */

/* child_share_fn */
static void share_pacer(
	void *self, const struct aws_service *service, struct str account, struct pacer *pacer)
{
	struct aws_session *s = self;
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);

	if (!s->quota)
		return;
	pacer_share(
		pacer, &(struct pacer_share_options){
			       .quota = s->quota,
			       .name = str_fmt(arena, STR_FMT "/%s/" STR_FMT, STR_ARG(account), service->id,
				       STR_ARG(slot_of(s, service)->endpoint.signing_region)),
			       .servers = s->quota_servers,
			       .health = &s->quota_health,
		       });
}

static void share_own_pacers(struct aws_session *s, struct str account)
{
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		share_pacer(s, services[i], account, s->slots[i].pacer);
}

/* ---- credentials ---- */

/* child_client_fn; in the own account with the slot's pacer. */
static struct aws_client *make_client(void *self, const struct aws_service *service,
	struct credentials_provider *credentials, struct pacer *pacer)
{
	struct aws_session *s = self;

	return aws_client_new(&(struct aws_client_options){
		.service = service,
		.endpoint = &slot_of(s, service)->endpoint,
		.http = s->http,
		.signer = s->signer,
		.credentials = credentials,
		.pacer = pacer,
		.stats = s->stats,
		.clock = s->clock,
		.max_attempts = s->max_attempts,
		.random = aws_random_system,
		.timeout_ms = s->http_timeout_ms,
	});
}

/* sts_assume_role_fn */
static enum err_code assume_role(void *self, const struct ctx *ctx, struct credentials_provider *source,
	const struct assume_role_request *req, struct aws_credentials **ret_credentials, struct err *reterr)
{
	CLEANUP(aws_client_unrefp)
	struct aws_client *client = make_client(self, &aws_sts, source, slot_of(self, &aws_sts)->pacer);
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct aws_sts_assume_role_in in = {
		.role_arn = req->role_arn,
		.session_name = req->session_name,
		.external_id = req->external_id,
		.duration_s = {.v = req->duration_s, .set = true},
	};
	struct aws_sts_assume_role_out out;
	enum err_code code = aws_call(client, ctx, &aws_sts_assume_role, &in, arena, &out, reterr);

	if (code != ERR_OK)
		return code;
	return aws_sts_snapshot(client, &aws_sts_assume_role, &out.credentials, ret_credentials, reterr);
}

/* sts_web_identity_fn */
static enum err_code assume_role_with_web_identity(void *self, const struct ctx *ctx,
	const struct web_identity_request *req, struct aws_credentials **ret_credentials, struct err *reterr)
{
	static const struct aws_operation *const op = &aws_sts_assume_role_with_web_identity;
	CLEANUP(aws_client_unrefp)
	struct aws_client *client =
		make_client(self, &aws_sts, /* credentials= */ NULL, slot_of(self, &aws_sts)->pacer);
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct aws_sts_assume_role_with_web_identity_in in = {
		.role_arn = req->role_arn,
		.session_name = req->session_name,
		.token = req->token,
	};
	struct aws_sts_assume_role_out out;
	enum err_code code = aws_call(client, ctx, op, &in, arena, &out, reterr);

	if (code != ERR_OK)
		return code;
	return aws_sts_snapshot(client, op, &out.credentials, ret_credentials, reterr);
}

static enum err_code base_credentials(struct aws_session *s, const struct surroundings *w,
	struct sts_assume_role sts, struct credentials_provider **ret, struct err *reterr)
{
	const struct aws_session_options *o = w->opts;
	bool has_secret = !secret_empty(o->secret_access_key);

	if ((o->access_key_id.n > 0) != has_secret)
		return err_set(reterr, ERR_INVALID,
			"global-access-key-id and global-secret-access-key: one is set, both are needed");
	if (has_secret) {
		*ret = credentials_static_new(o->access_key_id, o->secret_access_key, /* token= */ NULL);
		return ERR_OK;
	}
	return credentials_chain_new(
		&(struct credentials_chain_options){
			.environ = o->environ,
			.config = w->config,
			.profile = w->profile_name,
			.sts = sts,
			.http = s->http,
			.clock = s->clock,
			.random = aws_random_system,
		},
		ret, reterr);
}

static enum err_code build_credentials(
	struct aws_session *s, const struct surroundings *w, struct err *reterr)
{
	const struct aws_session_options *o = w->opts;
	struct sts_assume_role sts = {
		.fn = assume_role, .web_identity = assume_role_with_web_identity, .self = s};
	struct credentials_mode mode = {
		.use_assume = o->use_assume,
		.role_arn = o->role_arn,
		.external_id = o->external_id,
		.global_role_arn = o->global_role_arn,
		.global_binding_external_id = o->global_binding_external_id,
	};
	struct credentials_provider *base = NULL;
	enum err_code code;

	if (o->use_assume && o->role_arn.n == 0)
		return err_set(reterr, ERR_INVALID, "use-assume needs a role-arn");
	code = base_credentials(s, w, sts, &base, reterr);
	if (code != ERR_OK)
		return code;
	s->credentials = credentials_for_mode(base, &mode, sts, s->clock);
	return ERR_OK;
}

/* ---- life ---- */

static void session_freep(struct aws_session **s)
{
	aws_session_free(*s);
}

static enum err_code build(struct aws_session *s, struct surroundings *w, struct err *reterr)
{
	enum err_code code = read_retry_settings(s, w, reterr);

	if (code == ERR_OK)
		code = open_http(s, w, reterr);
	if (code == ERR_OK)
		code = resolve_endpoints(s, w, reterr);
	if (code == ERR_OK)
		code = build_credentials(s, w, reterr);
	return code;
}

enum err_code aws_session_new(
	const struct aws_session_options *opts, struct aws_session **ret_session, struct err *reterr)
{
	CLEANUP(session_freep) struct aws_session *s = mem_zalloc(sizeof(*s));
	CLEANUP(shared_config_freep) struct shared_config *config = NULL;
	struct surroundings w = {.opts = opts};
	enum err_code code;

	s->clock = opts->clock;
	s->arena = arena_new(0);
	s->stats = call_stats_new();
	s->signer = sigv4_signer_new();
	mutex_init(&s->id.lock);
	cond_init(&s->id.cond);
	s->id.arena = arena_new(0);
	s->id.last_ms = INT64_MIN;
	code = shared_config_load(opts->environ, &config, reterr);
	if (code != ERR_OK)
		return code;
	w.config = config;
	w.profile_name = profile_selected_name(opts->environ);
	w.profile = shared_config_profile(config, w.profile_name);
	s->region = str_dup(s->arena, find_region(&w));
	s->fips = endpoint_use_fips(opts->environ, w.profile);
	s->dual_stack = endpoint_use_dual_stack(opts->environ, w.profile);
	s->http_timeout_ms = opts->http_timeout_ms;
	s->quota = opts->quota;
	s->quota_servers = opts->quota_servers;
	if (opts->use_assume)
		s->own_account = str_dup(s->arena, arn_part(opts->role_arn, 4));
	code = build(s, &w, reterr);
	if (code != ERR_OK)
		return code;
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		s->slots[i].client = make_client(s, services[i], s->credentials, s->slots[i].pacer);
	if (arn_is_account(s->own_account))
		share_own_pacers(s, s->own_account);
	s->children = child_accounts_new(&(struct child_accounts_options){
		.role_name = opts->iam_assume_role_name,
		.quota_percent = opts->quota_percent,
		.source = s->credentials,
		.sts = {.fn = assume_role, .self = s},
		.sts_client = slot_of(s, &aws_sts)->client,
		.client = make_client,
		.share = share_pacer,
		.self = s,
		.clock = s->clock,
	});
	*ret_session = TAKE(s);
	return ERR_OK;
}

void aws_session_free(struct aws_session *s)
{
	if (!s)
		return;
	child_accounts_free(s->children);
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		aws_client_unref(s->slots[i].client);
	credentials_provider_unref(s->credentials);
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		pacer_free(s->slots[i].pacer);
	http_free(s->http);
	sigv4_signer_free(s->signer);
	call_stats_free(s->stats);
	arena_free(s->id.arena);
	cond_deinit(&s->id.cond);
	mutex_deinit(&s->id.lock);
	arena_free(s->arena);
	mem_free(s);
}

/* ---- identity ---- */

static struct aws_identity identity_dup(struct arena *a, const struct aws_identity *id)
{
	return (struct aws_identity){
		.account = str_dup(a, id->account),
		.arn = str_dup(a, id->arn),
		.partition = str_dup(a, id->partition),
	};
}

static enum err_code ask_identity(struct aws_session *s, const struct ctx *ctx, struct arena *arena,
	struct aws_identity *ret, struct err *reterr)
{
	struct aws_client *sts = slot_of(s, &aws_sts)->client;
	struct aws_sts_caller_identity out;
	enum err_code code;

	code = aws_call(sts, ctx, &aws_sts_get_caller_identity, NULL, arena, &out, reterr);
	if (code != ERR_OK)
		return code;
	*ret = (struct aws_identity){
		.account = out.account, .arn = out.arn, .partition = arn_part(out.arn, 1)};
	if (!arn_is_account(ret->account) || ret->partition.n == 0)
		return err_set(
			reterr, ERR_PROTOCOL, "sts:GetCallerIdentity answered without an account and an ARN");
	return ERR_OK;
}

/* The flight was ended by its own caller's deadline or cancellation: that says nothing to anybody else. */
static bool ended_by_caller(const struct ctx *ctx, enum err_code code)
{
	return code == ERR_CANCELLED || (code == ERR_DEADLINE && ctx_left_ms(ctx) == 0);
}

/* With the lock held, which is given up during the flight. */
static enum err_code fly(struct aws_session *s, const struct ctx *ctx, struct arena *arena,
	struct aws_identity *ret, struct err *reterr)
{
	struct identity_state *id = &s->id;
	struct aws_identity answer;
	enum err_code code;

	id->in_flight = true;
	mutex_unlock(&id->lock);
	code = ask_identity(s, ctx, arena, &answer, reterr);
	mutex_lock(&id->lock);
	id->in_flight = false;
	id->flights_over++;
	cond_broadcast(&id->cond);
	if (code != ERR_OK && ended_by_caller(ctx, code))
		return code;
	id->last_code = code;
	id->last_ms = clock_mono_ms(s->clock);
	if (code != ERR_OK) {
		id->last_err = *reterr;
		return code;
	}
	arena_reset(id->arena);
	id->identity = identity_dup(id->arena, &answer);
	id->known = true;
	share_own_pacers(s, answer.account);
	*ret = answer;
	return ERR_OK;
}

/* What the last flight brought. */
static enum err_code last_result(
	const struct identity_state *id, struct arena *arena, struct aws_identity *ret, struct err *reterr)
{
	if (id->last_code != ERR_OK) {
		*reterr = id->last_err;
		return id->last_code;
	}
	*ret = identity_dup(arena, &id->identity);
	return ERR_OK;
}

static bool is_recent(const struct aws_session *s)
{
	return s->id.last_ms != INT64_MIN && clock_mono_ms(s->clock) - s->id.last_ms < IDENTITY_SHARED_MS;
}

enum err_code aws_session_identity(struct aws_session *s, const struct ctx *ctx, bool refresh,
	struct arena *arena, struct aws_identity *ret_identity, struct err *reterr)
{
	struct identity_state *id = &s->id;

	LOCK_SCOPE(&id->lock);
	for (;;) {
		uint64_t mine = id->flights_over;
		enum err_code code;

		if (id->known && !refresh) {
			*ret_identity = identity_dup(arena, &id->identity);
			return ERR_OK;
		}
		if (is_recent(s))
			return last_result(id, arena, ret_identity, reterr);
		if (!id->in_flight)
			return fly(s, ctx, arena, ret_identity, reterr);
		while (id->in_flight && id->flights_over == mine) {
			code = ctx_check(ctx, "waiting for the identity", reterr);
			if (code != ERR_OK)
				return code;
			cond_wait_ctx(&id->cond, &id->lock, ctx);
		} /* it left a recent result, or its caller ended it and we may fly ourselves */
	}
}

/* ---- clients ---- */

/* For a call that may be wanted in another account. */
static enum err_code client_of_account(struct aws_session *s, const struct ctx *ctx,
	const struct service_slot *slot, const struct aws_service *service, struct str account,
	struct aws_client **ret_client, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct aws_identity own;

	if (!arn_is_account(account))
		return err_set(reterr, ERR_INVALID, "'" STR_FMT "' is not an account number",
			STR_ARG(str_sub(account, 0, 40)));
	if (aws_session_identity(s, ctx, /* refresh= */ false, arena, &own, reterr) != ERR_OK)
		return reterr->code;
	if (!str_eq(account, own.account))
		return child_accounts_client(s->children, &own, service, account, ret_client, reterr);
	*ret_client = aws_client_ref(slot->client);
	return ERR_OK;
}

enum err_code aws_session_client(struct aws_session *s, const struct ctx *ctx,
	const struct aws_service *service, struct str account, struct aws_client **ret_client,
	struct err *reterr)
{
	const struct service_slot *slot = slot_of(s, service);

	if (!slot)
		return err_set(reterr, ERR_INTERNAL, "service %s is not in the session's table", service->id);
	if (account.n && !str_eq(account, s->own_account)) /* else there is no need to ask who we are */
		return client_of_account(s, ctx, slot, service, account, ret_client, reterr);
	*ret_client = aws_client_ref(slot->client);
	return ERR_OK;
}

void aws_session_probe(struct aws_session *s, const struct ctx *ctx, const struct str *accounts, size_t n,
	struct aws_probe *results, size_t max_in_flight)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct aws_identity own;
	struct err err;

	if (n == 0)
		return;
	if (aws_session_identity(s, ctx, /* refresh= */ false, arena, &own, &err) == ERR_OK) {
		child_accounts_probe(s->children, ctx, &own, accounts, n, results, max_in_flight);
		return;
	}
	for (size_t i = 0; i < n; i++)
		results[i] = (struct aws_probe){.code = err.code, .err = err};
}

void aws_session_stats(
	struct aws_session *s, void (*fn)(void *arg, const struct aws_call_stats *st), void *arg)
{
	call_stats_each(s->stats, fn, arg);
}

struct aws_quota_stats aws_session_quota_stats(struct aws_session *s)
{
	return (struct aws_quota_stats){
		.exchanges = atomic_load(&s->quota_health.exchanges),
		.failures = atomic_load(&s->quota_health.failures),
		.away = atomic_load(&s->quota_health.away),
	};
}
