#include "inventory/claims.h"

#include "base/arena.h"
#include "base/mem.h"
#include "base/thread.h"

#define BUCKETS 256

struct claim {
	struct claim *next;
	struct str thing, owner;
};

struct claim_scope {
	struct claim_scope *next;
	struct arena *arena; /* of all below */
	struct str name;
	struct claim *buckets[BUCKETS];
};

struct claims {
	struct mutex lock;
	struct claim_scope *scopes; /* newest first */
};

struct claims *claims_new(void)
{
	struct claims *c = mem_zalloc(sizeof(*c));

	mutex_init(&c->lock);
	return c;
}

static void scope_free(struct claim_scope *s)
{
	arena_free(s->arena); /* s itself lives in it */
}

void claims_free(struct claims *c)
{
	if (c == NULL)
		return;
	while (c->scopes != NULL) {
		struct claim_scope *s = c->scopes;

		c->scopes = s->next;
		scope_free(s);
	}
	mutex_deinit(&c->lock);
	mem_free(c);
}

/* Cuts the list behind the newest MAX_CLAIM_SCOPES. */
static void drop_old_scopes(struct claims *c)
{
	struct claim_scope **at = &c->scopes;

	for (size_t i = 0; i < MAX_CLAIM_SCOPES && *at != NULL; i++)
		at = &(*at)->next;
	while (*at != NULL) {
		struct claim_scope *old = *at;

		*at = old->next;
		scope_free(old);
	}
}

static struct claim_scope *scope_of(struct claims *c, struct str name)
{
	struct arena *arena;
	struct claim_scope *s;

	for (s = c->scopes; s != NULL; s = s->next) {
		if (str_eq(s->name, name))
			return s;
	}
	arena = arena_new(0);
	s = arena_new_of(arena, struct claim_scope);
	s->arena = arena;
	s->name = str_dup(arena, name);
	s->next = c->scopes;
	c->scopes = s;
	drop_old_scopes(c);
	return s;
}

static struct claim *find_claim(const struct claim_scope *s, struct str thing)
{
	struct claim *claim = s->buckets[str_hash(thing) % BUCKETS];

	while (claim != NULL && !str_eq(claim->thing, thing))
		claim = claim->next;
	return claim;
}

/* The claim on the thing, made for owner if there is none. The lock is held. */
static const struct claim *find_or_add(
	struct claims *c, struct str scope, struct str thing, struct str owner, bool *ret_added)
{
	struct claim_scope *s = scope_of(c, scope);
	struct claim *claim = find_claim(s, thing);

	*ret_added = claim == NULL;
	if (claim == NULL) {
		struct claim **bucket = &s->buckets[str_hash(thing) % BUCKETS];

		claim = arena_new_of(s->arena, struct claim);
		*claim = (struct claim){.next = *bucket,
			.thing = str_dup(s->arena, thing),
			.owner = str_dup(s->arena, owner)};
		*bucket = claim;
	}
	return claim;
}

bool claims_take(struct claims *c, struct str scope, struct str thing, struct str owner)
{
	bool added;

	LOCK_SCOPE(&c->lock);
	return str_eq(find_or_add(c, scope, thing, owner, &added)->owner, owner);
}

bool claims_first(struct claims *c, struct str scope, struct str thing)
{
	bool added;

	LOCK_SCOPE(&c->lock);
	(void)find_or_add(c, scope, thing, STR_EMPTY, &added);
	return added;
}

bool claims_is_taken(struct claims *c, struct str scope, struct str thing)
{
	LOCK_SCOPE(&c->lock);
	return find_claim(scope_of(c, scope), thing) != NULL;
}

void claims_forget(struct claims *c, struct str scope)
{
	LOCK_SCOPE(&c->lock);
	for (struct claim_scope **at = &c->scopes; *at != NULL; at = &(*at)->next) {
		struct claim_scope *gone = *at;

		if (str_eq(gone->name, scope)) {
			*at = gone->next;
			scope_free(gone);
			return;
		}
	}
}
