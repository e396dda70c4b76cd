/* DESIGN
 *
 * A sync engine in small (spec/rpc-surface.md 5.2): steps with barriers between them, cursors inside a step
 * in parallel, pages of a cursor one after the other. It keeps what a later step asks with (the resources,
 * each in the arena of the page it came on) and counts the rest.
 *
 *	Validate, ListResourceTypes, ListResources per type and child, ListResourceTypes again,
 *	ListStaticEntitlements per type, ListEntitlements per resource, ListGrants per resource, Cleanup
 *
 * A step is a stack of cursors that threads take from; a cursor may push others (children of a resource). The
 * first failure that the engine would abort on empties the stack. */
#include "server/crawl.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "proto/messages.h"
#include "proto/pb_build.h"
#include "proto/pb_json.h"
#include "server/client.h"
#include "server/client_boot.h"
#include "server/command.h"
#include "server/config.h"

enum {
	CONNECT_MS = 10000,
	MAX_ATTEMPTS = 10, /* of one call, in a row; the engine goes on for ever, people do not want to */
	MAX_WAIT_MS = 60000,
	MAX_TYPES = 64,
	SYNC_ID_LEN = 27, /* as the engine's (KSUID) */
	JSON_MAX_BYTES = 16 * 1024 * 1024,
	PROGRESS_MS = 100,
};

enum kind { RESOURCE_TYPES, RESOURCES, ENTITLEMENTS, GRANTS, KIND_COUNT };

static const char *const kind_names[KIND_COUNT] = {"resourceType", "resource", "entitlement", "grant"};

struct type {
	struct str id;
	bool skip_entitlements, skip_grants; /* for all resources of the type */
	uint64_t found[KIND_COUNT];
};

/* A cursor to run: a listing of one kind, of a type, a parent's children, or a resource. */
struct cursor {
	struct cursor *next;
	size_t type;
	const V2(ResourceId) * parent; /* RESOURCES: NULL at top level */
	const V2(Resource) * resource; /* ENTITLEMENTS, GRANTS */
};

struct kept_arena {
	struct arena *arena;
	struct kept_arena *next;
};

struct crawl {
	struct client *client;
	const struct client_config *config;
	char sync_id[SYNC_ID_LEN + 1];
	bool jsonl;

	struct mutex lock;   /* guards all below */
	struct cond moved;   /* a cursor was pushed or ended */
	struct arena *arena; /* cursors and type ids */
	struct type types[MAX_TYPES];
	size_t n_types;
	struct cursor *todo;
	size_t running; /* threads inside a cursor */
	void (*run_cursor)(struct crawl *c, struct cursor *cursor);
	struct kept_arena *kept;  /* pages of resources */
	struct cursor *resources; /* one per resource found, for the later steps */
	bool failed;
	char failure[2048];
	uint64_t warnings;

	atomic_uint_fast64_t calls, retries, reply_bytes;
	atomic_uint_fast64_t found[KIND_COUNT];
	const char *step;
	bool over; /* the progress thread may go */
};

/* --- calls --- */

static void fail(struct crawl *c, const char *what, const struct status *st)
{
	LOCK_SCOPE(&c->lock);

	if (!c->failed)
		snprintf(c->failure, sizeof(c->failure), "%s: %s: " STR_FMT, what, rpc_code_name(st->code),
			STR_ARG(st->message));
	c->failed = true;
	c->todo = NULL;
	cond_broadcast(&c->moved);
}

static bool has_failed(struct crawl *c)
{
	LOCK_SCOPE(&c->lock);
	return c->failed;
}

static void warn(struct crawl *c, const char *what, const struct status *st)
{
	fprintf(stderr, "warning: %s: %s: " STR_FMT "\n", what, rpc_code_name(st->code),
		STR_ARG(st->message));
	LOCK_SCOPE(&c->lock);
	c->warnings++;
}

/* The reply, or NULL: then it failed for good, or is skipped with a warning as the engine does it. */
static void *ask(struct crawl *c, struct arena *arena, const char *path, const ProtobufCMessage *request,
	const ProtobufCMessageDescriptor *reply)
{
	const struct client_call call = {.path = path,
		.request = request,
		.reply = reply,
		.timeout_ms = c->config->timeout_seconds * 1000};
	struct client_result r;

	for (int attempt = 1;; attempt++) {
		enum rpc_code code = client_call(c->client, arena, &call, &r);
		int64_t wait_ms = r.retry_after_ms > 0 ? r.retry_after_ms : attempt * 1000;

		atomic_fetch_add(&c->calls, 1);
		atomic_fetch_add(&c->reply_bytes, r.reply_bytes);
		if (code == RPC_OK)
			return r.reply;
		if ((code != RPC_UNAVAILABLE && code != RPC_DEADLINE_EXCEEDED) || attempt == MAX_ATTEMPTS ||
			has_failed(c))
			break;
		atomic_fetch_add(&c->retries, 1);
		clock_sleep_ms(wait_ms < MAX_WAIT_MS ? wait_ms : MAX_WAIT_MS);
	}
	if (r.status.code == RPC_NOT_FOUND)
		warn(c, path, &r.status);
	else
		fail(c, path, &r.status);
	return NULL;
}

/* --- what was found --- */

static void print_json(struct crawl *c, struct arena *arena, enum kind kind, const ProtobufCMessage *msg)
{
	struct buf out;
	struct err err;

	buf_init(&out, JSON_MAX_BYTES);
	buf_fmt(&out, "{\"%s\":", kind_names[kind]);
	if (pb_json(arena, msg, PB_JSON_COMPACT, &out, &err) == ERR_OK) {
		buf_c(&out, "}\n");
		LOCK_SCOPE(&c->lock);
		fwrite(out.p, 1, out.n, stdout);
	} else {
		fprintf(stderr, "warning: a %s cannot be shown as JSON: %s\n", kind_names[kind], err.msg);
	}
	buf_deinit(&out);
}

/* Counts a page of messages of one kind under the type. */
static void count_page(
	struct crawl *c, struct arena *arena, enum kind kind, size_t type, void *const *items, size_t n)
{
	atomic_fetch_add(&c->found[kind], n);
	mutex_lock(&c->lock);
	c->types[type].found[kind] += n;
	mutex_unlock(&c->lock);
	if (c->jsonl)
		for (size_t i = 0; i < n; i++)
			print_json(c, arena, kind, items[i]);
}

static bool is_annotated(Google__Protobuf__Any *const *list, size_t n, const ProtobufCMessageDescriptor *desc)
{
	return pb_find_annotation(list, n, desc) != NULL;
}

/* Index of the type, or c->n_types. */
static size_t find_type(const struct crawl *c, struct str id)
{
	size_t i = 0;

	while (i < c->n_types && !str_eq(c->types[i].id, id))
		i++;
	return i;
}

static void push(struct crawl *c, struct cursor cursor)
{
	struct cursor *p = arena_new_of(c->arena, struct cursor);

	*p = cursor;
	p->next = c->todo;
	c->todo = p;
	cond_signal(&c->moved);
}

/* Remembers the resource for the later steps, and its children as cursors of this one. */
static void take_resource(struct crawl *c, struct arena *arena, const V2(Resource) * resource)
{
	size_t type = resource->id ? find_type(c, str_c(resource->id->resource_type)) : c->n_types;
	struct cursor *keep;

	if (type == c->n_types) {
		fprintf(stderr, "warning: a resource of the unknown type \"%s\"\n",
			resource->id ? resource->id->resource_type : "");
		c->warnings++;
		return;
	}
	keep = arena_new_of(c->arena, struct cursor);
	*keep = (struct cursor){.next = c->resources, .type = type, .resource = resource};
	c->resources = keep;
	for (size_t i = 0; i < resource->n_annotations; i++) {
		const Google__Protobuf__Any *any = resource->annotations[i];
		ProtobufCMessage *child;
		struct err err;
		size_t child_type;

		if (!str_eq_c(pb_type_name(str_c(any->type_url)), V2_DESC(child_resource_type)->name) ||
			pb_get_annotation(arena, &resource->annotations[i], 1, V2_DESC(child_resource_type),
				&child, &err) != ERR_OK)
			continue;
		child_type = find_type(c, str_c(((V2(ChildResourceType) *)child)->resource_type_id));
		if (child_type < c->n_types)
			push(c, (struct cursor){.type = child_type, .parent = resource->id});
	}
}

/* --- cursors --- */

/* The engine would go round for ever on longer loops; a repeated token is the one that servers check, too. */
static bool next_page(struct crawl *c, struct arena *keep, char **token, const char *next)
{
	if (next[0] == '\0' || has_failed(c))
		return false;
	*token = pb_str(keep, str_c(next));
	return true;
}

static void run_resources(struct crawl *c, struct cursor *cursor)
{
	struct arena *keep = arena_new(0); /* its pages hold what the later steps ask with */
	char *token = NULL;
	bool more = true;

	while (more) {
		V2(ResourcesServiceListResourcesRequest) *req =
			pb_new(keep, V2_DESC(resources_service_list_resources_request));
		V2(ResourcesServiceListResourcesResponse) * reply;

		req->resource_type_id = pb_str(keep, c->types[cursor->type].id);
		req->parent_resource_id = (V2(ResourceId) *)cursor->parent;
		req->active_sync_id = c->sync_id;
		if (token)
			req->page_token = token;
		reply = ask(c, keep, "/c1.connector.v2.ResourcesService/ListResources", &req->base,
			V2_DESC(resources_service_list_resources_response));
		if (reply == NULL)
			break;
		count_page(c, keep, RESOURCES, cursor->type, (void *const *)reply->list, reply->n_list);
		mutex_lock(&c->lock);
		for (size_t i = 0; i < reply->n_list; i++)
			take_resource(c, keep, reply->list[i]);
		mutex_unlock(&c->lock);
		more = next_page(c, keep, &token, reply->next_page_token);
	}
	mutex_lock(&c->lock);
	c->kept = memcpy(arena_new_of(c->arena, struct kept_arena),
		&(struct kept_arena){.arena = keep, .next = c->kept}, sizeof(struct kept_arena));
	mutex_unlock(&c->lock);
}

static void run_entitlements(struct crawl *c, struct cursor *cursor)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	char *token = NULL;
	bool more = true;

	while (more) {
		V2(EntitlementsServiceListEntitlementsRequest) *req =
			pb_new(arena, V2_DESC(entitlements_service_list_entitlements_request));
		V2(EntitlementsServiceListEntitlementsResponse) * reply;

		req->resource = (V2(Resource) *)cursor->resource;
		req->active_sync_id = c->sync_id;
		if (token)
			req->page_token = token;
		reply = ask(c, arena, "/c1.connector.v2.EntitlementsService/ListEntitlements", &req->base,
			V2_DESC(entitlements_service_list_entitlements_response));
		if (reply == NULL)
			return;
		count_page(c, arena, ENTITLEMENTS, cursor->type, (void *const *)reply->list, reply->n_list);
		more = next_page(c, arena, &token, reply->next_page_token);
	}
}

static void run_static_entitlements(struct crawl *c, struct cursor *cursor)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	V2(EntitlementsServiceListStaticEntitlementsRequest) *req =
		pb_new(arena, V2_DESC(entitlements_service_list_static_entitlements_request));

	req->resource_type_id = pb_str(arena, c->types[cursor->type].id);
	req->active_sync_id = c->sync_id;
	ask(c, arena, "/c1.connector.v2.EntitlementsService/ListStaticEntitlements", &req->base,
		V2_DESC(entitlements_service_list_static_entitlements_response));
}

static void run_grants(struct crawl *c, struct cursor *cursor)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	char *token = NULL;
	bool more = true;

	while (more) {
		V2(GrantsServiceListGrantsRequest) *req =
			pb_new(arena, V2_DESC(grants_service_list_grants_request));
		V2(GrantsServiceListGrantsResponse) * reply;

		req->resource = (V2(Resource) *)cursor->resource;
		req->active_sync_id = c->sync_id;
		if (token)
			req->page_token = token;
		reply = ask(c, arena, "/c1.connector.v2.GrantsService/ListGrants", &req->base,
			V2_DESC(grants_service_list_grants_response));
		if (reply == NULL)
			return;
		count_page(c, arena, GRANTS, cursor->type, (void *const *)reply->list, reply->n_list);
		more = next_page(c, arena, &token, reply->next_page_token);
	}
}

/* The next cursor of the step; NULL when none is left and none can come. */
static struct cursor *take_cursor(struct crawl *c)
{
	struct cursor *cursor;
	LOCK_SCOPE(&c->lock);

	while (c->todo == NULL && c->running > 0)
		cond_wait(&c->moved, &c->lock);
	cursor = c->todo;
	if (cursor) {
		c->todo = cursor->next;
		c->running++;
	}
	return cursor;
}

static void *cursors_main(void *arg)
{
	struct crawl *c = arg;
	struct cursor *cursor;

	while ((cursor = take_cursor(c)) != NULL) {
		c->run_cursor(c, cursor);
		mutex_lock(&c->lock);
		c->running--;
		cond_broadcast(&c->moved);
		mutex_unlock(&c->lock);
	}
	return NULL;
}

static void set_step(struct crawl *c, const char *step)
{
	LOCK_SCOPE(&c->lock);
	c->step = step;
}

/* Runs what was pushed, on as many threads as were asked for; this thread is one of them. */
static void run_step(
	struct crawl *c, const char *name, void (*run_cursor)(struct crawl *c, struct cursor *cursor))
{
	size_t n = (size_t)c->config->cursors - 1;
	struct thread *threads = mem_array(n + 1, sizeof(*threads));
	size_t started = 0;
	struct err err;

	set_step(c, name);
	c->run_cursor = run_cursor;
	while (started < n && thread_start(&threads[started], "cursor", 0, cursors_main, c, &err) == ERR_OK)
		started++;
	cursors_main(c);
	while (started-- > 0)
		thread_join(&threads[started]);
	mem_free(threads);
}

/* --- steps --- */

static void validate(struct crawl *c)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);

	set_step(c, "validating");
	ask(c, arena, "/c1.connector.v2.ConnectorService/Validate",
		pb_new(arena, V2_DESC(connector_service_validate_request)),
		V2_DESC(connector_service_validate_response));
}

static void add_type(struct crawl *c, struct arena *arena, const V2(ResourceType) * type)
{
	struct type *t = &c->types[c->n_types];
	bool skip_all;

	if (c->n_types == MAX_TYPES) {
		fprintf(stderr, "warning: more than %d resource types, \"%s\" is left out\n", MAX_TYPES,
			type->id);
		c->warnings++;
		return;
	}
	skip_all =
		is_annotated(type->annotations, type->n_annotations, V2_DESC(skip_entitlements_and_grants));
	*t = (struct type){
		.id = str_dup(c->arena, str_c(type->id)),
		.skip_entitlements = skip_all || is_annotated(type->annotations, type->n_annotations,
							 V2_DESC(skip_entitlements)),
		.skip_grants = skip_all,
	};
	c->n_types++;
	count_page(c, arena, RESOURCE_TYPES, c->n_types - 1, (void *const *)&type, 1);
}

/* The engine asks twice, before the resources and before the static entitlements; the second time nothing is
 * new. */
static void list_types(struct crawl *c)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	V2(ResourceTypesServiceListResourceTypesRequest) *req =
		pb_new(arena, V2_DESC(resource_types_service_list_resource_types_request));
	V2(ResourceTypesServiceListResourceTypesResponse) * reply;

	set_step(c, "resource types");
	req->active_sync_id = c->sync_id;
	do {
		reply = ask(c, arena, "/c1.connector.v2.ResourceTypesService/ListResourceTypes", &req->base,
			V2_DESC(resource_types_service_list_resource_types_response));
		for (size_t i = 0; reply && i < reply->n_list; i++)
			if (find_type(c, str_c(reply->list[i]->id)) == c->n_types)
				add_type(c, arena, reply->list[i]);
	} while (reply && next_page(c, arena, &req->page_token, reply->next_page_token));
}

static void push_types(struct crawl *c)
{
	for (size_t i = 0; i < c->n_types; i++)
		push(c, (struct cursor){.type = i});
}

static void push_resources(struct crawl *c, bool grants)
{
	for (const struct cursor *r = c->resources; r; r = r->next) {
		const V2(Resource) *resource = r->resource;
		const struct type *type = &c->types[r->type];
		const ProtobufCMessageDescriptor *skip =
			grants ? V2_DESC(skip_grants) : V2_DESC(skip_entitlements);

		if (grants ? type->skip_grants : type->skip_entitlements)
			continue;
		if (is_annotated(resource->annotations, resource->n_annotations,
			    V2_DESC(skip_entitlements_and_grants)) ||
			is_annotated(resource->annotations, resource->n_annotations, skip))
			continue;
		push(c, (struct cursor){.type = r->type, .resource = resource});
	}
}

static void clean_up(struct crawl *c)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	V2(ConnectorServiceCleanupRequest) *req = pb_new(arena, V2_DESC(connector_service_cleanup_request));

	set_step(c, "cleaning up");
	req->active_sync_id = c->sync_id;
	ask(c, arena, "/c1.connector.v2.ConnectorService/Cleanup", &req->base,
		V2_DESC(connector_service_cleanup_response));
}

static void run_sync(struct crawl *c)
{
	validate(c);
	if (!c->failed)
		list_types(c);
	if (!c->failed) {
		push_types(c);
		run_step(c, "resources", run_resources);
	}
	if (!c->failed)
		list_types(c);
	if (!c->failed) {
		push_types(c);
		run_step(c, "static entitlements", run_static_entitlements);
	}
	if (!c->failed) {
		push_resources(c, /* grants= */ false);
		run_step(c, "entitlements", run_entitlements);
	}
	if (!c->failed) {
		push_resources(c, /* grants= */ true);
		run_step(c, "grants", run_grants);
	}
	/* The engine does not clean up behind a failed sync. We are not going to resume it, so we do. */
	clean_up(c);
}

/* --- what a person sees --- */

static void *progress_main(void *arg)
{
	struct crawl *c = arg;
	int64_t start_ms = clock_mono_ms(&clock_system);
	LOCK_SCOPE(&c->lock);

	while (!c->over) {
		fprintf(stderr,
			"\r\033[K%-20s %8llu resources %8llu entitlements %9llu grants %7llu RPCs %6.1f s",
			c->step, (unsigned long long)atomic_load(&c->found[RESOURCES]),
			(unsigned long long)atomic_load(&c->found[ENTITLEMENTS]),
			(unsigned long long)atomic_load(&c->found[GRANTS]),
			(unsigned long long)atomic_load(&c->calls),
			(double)(clock_mono_ms(&clock_system) - start_ms) / 1000);
		fflush(stderr);
		cond_wait_ms(&c->moved, &c->lock, PROGRESS_MS);
	}
	fputs("\r\033[K", stderr);
	return NULL;
}

static int by_id(const void *a, const void *b)
{
	return str_cmp(((const struct type *)a)->id, ((const struct type *)b)->id);
}

static void print_table(struct crawl *c, int64_t ms)
{
	qsort(c->types, c->n_types, sizeof(c->types[0]), by_id);
	printf("%-28s %10s %13s %10s\n", "resource type", "resources", "entitlements", "grants");
	for (size_t i = 0; i < c->n_types; i++) {
		const struct type *t = &c->types[i];

		printf("%-28.*s %10llu %13llu %10llu\n", (int)t->id.n, t->id.p,
			(unsigned long long)t->found[RESOURCES], (unsigned long long)t->found[ENTITLEMENTS],
			(unsigned long long)t->found[GRANTS]);
	}
	printf("%-28s %10llu %13llu %10llu\n", "total", (unsigned long long)atomic_load(&c->found[RESOURCES]),
		(unsigned long long)atomic_load(&c->found[ENTITLEMENTS]),
		(unsigned long long)atomic_load(&c->found[GRANTS]));
	printf("\n%llu RPCs (%llu repeated), %.1f MB of replies, %.2f s with %lld at a time, %llu warnings\n",
		(unsigned long long)atomic_load(&c->calls), (unsigned long long)atomic_load(&c->retries),
		(double)atomic_load(&c->reply_bytes) / 1e6, (double)ms / 1000, (long long)c->config->cursors,
		(unsigned long long)c->warnings);
}

/* Base 62, every character equally likely. */
static bool make_sync_id(char out[SYNC_ID_LEN + 1])
{
	static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	size_t n = 0;

	while (n < SYNC_ID_LEN) {
		unsigned char byte;

		if (getrandom(&byte, 1, 0) != 1) {
			if (errno == EINTR)
				continue;
			return false;
		}
		if (byte < 4 * 62)
			out[n++] = alphabet[byte % 62];
	}
	out[n] = '\0';
	return true;
}

static void run_with_progress(struct crawl *c)
{
	bool shown = c->config->progress && isatty(STDERR_FILENO);
	struct thread progress;
	struct err err;

	c->step = "starting";
	shown = shown && thread_start(&progress, "progress", 0, progress_main, c, &err) == ERR_OK;
	run_sync(c);
	if (!shown)
		return;
	mutex_lock(&c->lock);
	c->over = true;
	cond_broadcast(&c->moved);
	mutex_unlock(&c->lock);
	thread_join(&progress);
}

static void crawl_deinit(struct crawl *c)
{
	for (struct kept_arena *k = c->kept; k; k = k->next)
		arena_free(k->arena);
	arena_free(c->arena);
	cond_deinit(&c->moved);
	mutex_deinit(&c->lock);
}

static int crawl(struct client *client, const struct client_config *config)
{
	struct crawl c = {.client = client, .config = config, .jsonl = str_eq(config->output, STR("jsonl"))};
	int64_t start_ms = clock_mono_ms(&clock_system);
	struct err err;

	if (client_connect(client, CONNECT_MS, &err) != ERR_OK) {
		fprintf(stderr, "baton-awsd: %s\n", err.msg);
		return EXIT_CODE_FAILED;
	}
	if (!make_sync_id(c.sync_id)) {
		fprintf(stderr, "baton-awsd: no random numbers: %s\n", strerror(errno));
		return EXIT_CODE_FAILED;
	}
	mutex_init(&c.lock);
	cond_init(&c.moved);
	c.arena = arena_new(0);
	run_with_progress(&c);
	if (c.failed)
		fprintf(stderr, "baton-awsd: the sync failed: %s\n", c.failure);
	else if (!c.jsonl)
		print_table(&c, clock_mono_ms(&clock_system) - start_ms);
	fflush(stdout);
	crawl_deinit(&c);
	return c.failed || ferror(stdout) ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

int crawl_main(const struct config_source *source)
{
	struct client_config *config;
	struct client *client;
	int exit_code = client_boot(source, &config, &client);

	if (exit_code != EXIT_CODE_OK)
		return exit_code;
	exit_code = crawl(client, config);
	client_free(client);
	client_config_free(config);
	return exit_code;
}
