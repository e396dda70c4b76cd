/* DESIGN
 *
 * One mutex around four views of the same entries:
 *
 *	entries   hash table by (scope, key)        find
 *	scopes    hash table by name, each with
 *	          a list of its entries             clear a scope in time proportional to what is in it
 *	lru       list, most recently used first    make room
 *	ages      binary heap by expiry             with every call, give back what has expired
 *	                                            without looking for it
 *
 * The lock is held for pointer work only: names are hashed before it is taken, and entries that go are
 * collected in a list and freed after it was released, because values can be tens of megabytes that go back to
 * the kernel. Rejected: shards. A get holds the lock for well under a microsecond, against microseconds of
 * work around it, and shards would make both the bound on bytes and the order of eviction approximate.
 *
 * Sync ids and parts of keys come from outside, so the tables use a keyed hash whose key is random per
 * store. */
#include "store/memory.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/thread.h"

enum {
	ENTRY_WEIGHT = 32, /* what an entry counts beside key and value */
	FIRST_BUCKETS = 64,
};

/* Intrusive hash table: open hashing, grows by doubling when there are more nodes than buckets. */
struct node {
	struct node *next;
	uint64_t hash;
};

struct table {
	struct node **buckets;
	size_t n_buckets; /* a power of two */
	size_t n;
};

/* Intrusive circular list with a head that is no member. */
struct link {
	struct link *prev, *next;
};

struct scope {
	struct node node; /* in scopes; first member */
	struct link entries;
	struct str name; /* stands behind the struct */
};

struct entry {
	struct node node;  /* in entries; first member */
	struct link used;  /* in lru */
	struct link mates; /* in scope->entries */
	struct scope *scope;
	size_t age_slot; /* where in ages */
	int64_t expires_ms;
	struct blob *value;
	size_t weight;
	struct str key; /* stands behind the struct */
};

struct memory {
	struct store store; /* first member */
	struct store_memory_options opts;
	uint64_t hash_key[2];

	struct mutex lock; /* guards all below */
	struct table entries;
	struct table scopes;
	struct link lru;
	struct entry **ages; /* a heap of entries.n, the next to expire at [0] */
	size_t ages_size;
	struct store_stats stats;
};

#define ENTRY_OF(ptr, member) ((struct entry *)(void *)((char *)(ptr)-offsetof(struct entry, member)))

static void table_init(struct table *t)
{
	*t = (struct table){.n_buckets = FIRST_BUCKETS};
	t->buckets = mem_array(t->n_buckets, sizeof(struct node *));
}

static struct node **table_bucket(const struct table *t, uint64_t hash)
{
	return &t->buckets[hash & (t->n_buckets - 1)];
}

static void table_grow(struct table *t)
{
	struct table bigger = {.n_buckets = 2 * t->n_buckets, .n = t->n};

	bigger.buckets = mem_array(bigger.n_buckets, sizeof(struct node *));
	for (size_t i = 0; i < t->n_buckets; i++) {
		for (struct node *node = t->buckets[i], *next; node; node = next) {
			struct node **bucket = table_bucket(&bigger, node->hash);

			next = node->next;
			node->next = *bucket;
			*bucket = node;
		}
	}
	mem_free(t->buckets);
	*t = bigger;
}

static void table_add(struct table *t, struct node *node)
{
	struct node **bucket;

	if (t->n >= t->n_buckets)
		table_grow(t);
	bucket = table_bucket(t, node->hash);
	node->next = *bucket;
	*bucket = node;
	t->n++;
}

static void table_remove(struct table *t, struct node *node)
{
	struct node **at = table_bucket(t, node->hash);

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	t->n--;
}

static void link_init(struct link *l)
{
	l->prev = l->next = l;
}

static void link_add(struct link *head, struct link *l)
{
	l->prev = head;
	l->next = head->next;
	head->next->prev = l;
	head->next = l;
}

static void link_remove(struct link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
}

static bool link_empty(const struct link *head)
{
	return head->next == head;
}

static void age_set(struct memory *m, size_t slot, struct entry *e)
{
	m->ages[slot] = e;
	e->age_slot = slot;
}

/* Moves e from its slot to where its expiry belongs, among n entries. */
static void age_settle(struct memory *m, struct entry *e, size_t n)
{
	size_t slot = e->age_slot;

	while (slot > 0 && m->ages[(slot - 1) / 2]->expires_ms > e->expires_ms) {
		age_set(m, slot, m->ages[(slot - 1) / 2]);
		slot = (slot - 1) / 2;
	}
	for (size_t child; (child = 2 * slot + 1) < n; slot = child) {
		if (child + 1 < n && m->ages[child + 1]->expires_ms < m->ages[child]->expires_ms)
			child++;
		if (m->ages[child]->expires_ms >= e->expires_ms)
			break;
		age_set(m, slot, m->ages[child]);
	}
	age_set(m, slot, e);
}

/* n: entries in the heap before. */
static void age_add(struct memory *m, struct entry *e, size_t n)
{
	if (n == m->ages_size) {
		m->ages_size = m->ages_size ? 2 * m->ages_size : FIRST_BUCKETS;
		m->ages = mem_realloc(m->ages, m->ages_size * sizeof(struct entry *));
	}
	age_set(m, n, e);
	age_settle(m, e, n + 1);
}

static void age_remove(struct memory *m, struct entry *e, size_t n)
{
	struct entry *last = m->ages[n - 1];

	if (last == e)
		return;
	age_set(m, e->age_slot, last);
	age_settle(m, last, n - 1);
}

/* A name's place in the tables. Both hashes are secret functions of the names, so their mix is one of the
 * pair. */
struct place {
	struct str scope, key;
	uint64_t scope_hash, entry_hash;
};

static struct place place_of(const struct memory *m, struct str scope, struct str key)
{
	uint64_t scope_hash = str_hash_keyed(m->hash_key, scope);

	return (struct place){
		.scope = scope,
		.key = key,
		.scope_hash = scope_hash,
		.entry_hash = (scope_hash << 1 | scope_hash >> 63) ^ str_hash_keyed(m->hash_key, key),
	};
}

static struct scope *find_scope(const struct memory *m, const struct place *at)
{
	struct node *node = *table_bucket(&m->scopes, at->scope_hash);

	for (; node; node = node->next) {
		struct scope *scope = (struct scope *)node;

		if (node->hash == at->scope_hash && str_eq(scope->name, at->scope))
			return scope;
	}
	return NULL;
}

static struct entry *find_entry(const struct memory *m, const struct place *at)
{
	struct node *node = *table_bucket(&m->entries, at->entry_hash);

	for (; node; node = node->next) {
		struct entry *e = (struct entry *)node;

		if (node->hash == at->entry_hash && str_eq(e->key, at->key) &&
			str_eq(e->scope->name, at->scope))
			return e;
	}
	return NULL;
}

static struct scope *find_or_add_scope(struct memory *m, const struct place *at)
{
	struct scope *scope = find_scope(m, at);
	char *name;

	if (scope)
		return scope;
	scope = mem_zalloc(sizeof(*scope) + at->scope.n);
	name = (char *)(scope + 1);
	memcpy(name, at->scope.p, at->scope.n);
	scope->name = str_n(name, at->scope.n);
	scope->node.hash = at->scope_hash;
	link_init(&scope->entries);
	table_add(&m->scopes, &scope->node);
	return scope;
}

static struct entry *entry_new(const struct place *at, struct blob *value, int64_t expires_ms)
{
	struct entry *e = mem_zalloc(sizeof(*e) + at->key.n);
	char *key = (char *)(e + 1);

	memcpy(key, at->key.p, at->key.n);
	e->key = str_n(key, at->key.n);
	e->node.hash = at->entry_hash;
	e->value = blob_ref(value);
	e->expires_ms = expires_ms;
	e->weight = ENTRY_WEIGHT + at->key.n + blob_view(value).n;
	return e;
}

static void add_entry(struct memory *m, const struct place *at, struct entry *e)
{
	e->scope = find_or_add_scope(m, at);
	age_add(m, e, m->entries.n);
	table_add(&m->entries, &e->node);
	link_add(&m->lru, &e->used);
	link_add(&e->scope->entries, &e->mates);
	m->stats.bytes += e->weight;
}

/* Out of all views and on to the list of *dead, which the caller frees without the lock. */
static void drop_entry(struct memory *m, struct entry *e, struct entry **dead)
{
	struct scope *scope = e->scope;

	age_remove(m, e, m->entries.n);
	table_remove(&m->entries, &e->node);
	link_remove(&e->used);
	link_remove(&e->mates);
	m->stats.bytes -= e->weight;
	if (link_empty(&scope->entries)) {
		table_remove(&m->scopes, &scope->node);
		mem_free(scope);
	}
	e->node.next = (struct node *)*dead;
	*dead = e;
}

static void free_dead(struct entry *dead)
{
	for (struct entry *next; dead; dead = next) {
		next = (struct entry *)dead->node.next;
		blob_unref(dead->value);
		mem_free(dead);
	}
}

static void drop_expired(struct memory *m, int64_t now_ms, struct entry **dead)
{
	while (m->entries.n > 0 && m->ages[0]->expires_ms <= now_ms) {
		drop_entry(m, m->ages[0], dead);
		m->stats.expired++;
	}
}

static void make_room(struct memory *m, size_t weight, struct entry **dead)
{
	while (m->stats.bytes > m->opts.max_bytes - weight) {
		drop_entry(m, ENTRY_OF(m->lru.prev, used), dead);
		m->stats.evictions++;
	}
}

/* When an entry put now goes. */
static int64_t expiry(const struct memory *m, int64_t now_ms, int64_t ttl_ms)
{
	int64_t max_ms = m->opts.max_age_ms, expires_ms;

	if (ttl_ms == 0 || (max_ms > 0 && max_ms < ttl_ms))
		ttl_ms = max_ms;
	if (ttl_ms == 0 || __builtin_add_overflow(now_ms, ttl_ms, &expires_ms))
		return INT64_MAX;
	return expires_ms;
}

static struct blob *get_locked(struct memory *m, const struct place *at, int64_t now_ms, struct entry **dead)
{
	struct entry *e;

	LOCK_SCOPE(&m->lock);
	drop_expired(m, now_ms, dead);
	e = find_entry(m, at);
	if (e == NULL) {
		m->stats.misses++;
		return NULL;
	}
	m->stats.hits++;
	link_remove(&e->used);
	link_add(&m->lru, &e->used);
	return blob_ref(e->value);
}

static enum err_code memory_get(struct store *s, const struct ctx *ctx, struct str scope, struct str key,
	struct blob **ret_value, struct err *reterr)
{
	struct memory *m = (struct memory *)s;
	struct place at = place_of(m, scope, key);
	struct entry *dead = NULL;
	struct blob *value;

	(void)ctx;
	value = get_locked(m, &at, clock_mono_ms(m->opts.clock), &dead);
	free_dead(dead);
	if (value == NULL)
		return err_set(reterr, ERR_NOT_FOUND, "not in the store");
	*ret_value = value;
	return ERR_OK;
}

/* e NULL: only what was there goes. */
static void replace_locked(
	struct memory *m, const struct place *at, struct entry *e, int64_t now_ms, struct entry **dead)
{
	struct entry *old;

	LOCK_SCOPE(&m->lock);
	drop_expired(m, now_ms, dead);
	old = find_entry(m, at);
	if (old)
		drop_entry(m, old, dead);
	if (e == NULL)
		return;
	make_room(m, e->weight, dead);
	add_entry(m, at, e);
	m->stats.puts++;
}

static enum err_code memory_put(struct store *s, const struct ctx *ctx, struct str scope, struct str key,
	struct blob *value, int64_t ttl_ms, struct err *reterr)
{
	struct memory *m = (struct memory *)s;
	struct place at = place_of(m, scope, key);
	int64_t now_ms = clock_mono_ms(m->opts.clock);
	struct entry *e = entry_new(&at, value, expiry(m, now_ms, ttl_ms)), *dead = NULL;
	enum err_code rc = ERR_OK;

	(void)ctx;
	if (e->weight > m->opts.max_bytes) {
		rc = err_set(reterr, ERR_TOO_LARGE, "an entry of %zu bytes; the store holds %zu", e->weight,
			m->opts.max_bytes);
		free_dead(e);
		e = NULL;
	}
	replace_locked(m, &at, e, now_ms, &dead);
	free_dead(dead);
	return rc;
}

static enum err_code memory_delete(
	struct store *s, const struct ctx *ctx, struct str scope, struct str key, struct err *reterr)
{
	struct memory *m = (struct memory *)s;
	struct place at = place_of(m, scope, key);
	struct entry *dead = NULL;

	(void)ctx;
	(void)reterr;
	replace_locked(m, &at, NULL, clock_mono_ms(m->opts.clock), &dead);
	free_dead(dead);
	return ERR_OK;
}

static void clear_locked(struct memory *m, const struct place *at, struct entry **dead)
{
	struct scope *scope;
	bool last = false;

	LOCK_SCOPE(&m->lock);
	scope = find_scope(m, at);
	while (scope && !last) {
		struct entry *e = ENTRY_OF(scope->entries.next, mates);

		last = e->mates.next == &scope->entries; /* the scope goes with its last entry */
		drop_entry(m, e, dead);
	}
}

static enum err_code memory_clear(
	struct store *s, const struct ctx *ctx, struct str scope, struct err *reterr)
{
	struct memory *m = (struct memory *)s;
	struct place at = place_of(m, scope, STR_EMPTY);
	struct entry *dead = NULL;

	(void)ctx;
	(void)reterr;
	clear_locked(m, &at, &dead);
	free_dead(dead);
	return ERR_OK;
}

static void stats_locked(struct memory *m, int64_t now_ms, struct store_stats *ret_stats, struct entry **dead)
{
	LOCK_SCOPE(&m->lock);
	drop_expired(m, now_ms, dead);
	*ret_stats = m->stats;
	ret_stats->entries = m->entries.n;
}

static void memory_stats(struct store *s, struct store_stats *ret_stats)
{
	struct memory *m = (struct memory *)s;
	struct entry *dead = NULL;

	stats_locked(m, clock_mono_ms(m->opts.clock), ret_stats, &dead);
	free_dead(dead);
}

static void memory_free(struct store *s)
{
	struct memory *m = (struct memory *)s;
	struct entry *dead = NULL;

	while (m->entries.n > 0)
		drop_entry(m, m->ages[0], &dead);
	free_dead(dead);
	assert(m->scopes.n == 0 && m->stats.bytes == 0);
	mem_free(m->entries.buckets);
	mem_free(m->scopes.buckets);
	mem_free(m->ages);
	mutex_deinit(&m->lock);
	mem_free(m);
}

static const struct store_vtable memory_vtable = {
	.get = memory_get,
	.put = memory_put,
	.delete = memory_delete,
	.clear = memory_clear,
	.stats = memory_stats,
	.free = memory_free,
};

struct store *store_memory_new(const struct store_memory_options *opts)
{
	struct memory *m = mem_zalloc(sizeof(*m));

	m->store.vtable = &memory_vtable;
	m->opts = *opts;
	/* Up to 256 bytes getrandom answers whole; it fails only on kernels without it. */
	if (getrandom(m->hash_key, sizeof(m->hash_key), 0) != (ssize_t)sizeof(m->hash_key)) {
		perror("getrandom");
		abort();
	}
	mutex_init(&m->lock);
	table_init(&m->entries);
	table_init(&m->scopes);
	link_init(&m->lru);
	return &m->store;
}
