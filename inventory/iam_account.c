/* DESIGN
 *
 * The bytes of an account:
 *
 *	"BIA2"                         magic with version
 *	rows                           one after the other; each starts with its ARN
 *	index                          per kind: the offset of each row, 4 bytes little-endian, in the order of ARNs
 *	footer                         account id (12 bytes), counts (4 bytes each), checksum of all before it (8 bytes)
 *
 * Index and footer stand at the end so that rows are written straight into their final place. A search reads the ARN in front
 * of a row and nothing else; a row is decoded only when a page shows it. Rejected: a tree of C structs (could not be shared through
 * Redis without a second form), one store entry per row (thousands of round trips).
 *
 * Bytes that this process wrote are trusted. Bytes from the store are walked once in iam_account_open, row by row, so that afterwards
 * no row can fail. */
#include "inventory/iam_account.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inventory/iam_draft.h"
#include "inventory/pack.h"

#define MAGIC          "BIA2"
#define MAGIC_BYTES    4
#define ACCOUNT_BYTES  12
#define CHECKSUM_BYTES 8
#define FOOTER_BYTES   (ACCOUNT_BYTES + 4 * IAM_KIND_COUNT + CHECKSUM_BYTES)

struct iam_account {
	atomic_int refs;
	struct blob *bytes;
	struct str all; /* view of bytes */
	struct str id;
	size_t counts[IAM_KIND_COUNT];
	size_t index[IAM_KIND_COUNT]; /* where the kind's offsets start in `all` */
	size_t rows_end;
};

/* --- writing --- */

static void put_u32(struct buf *b, uint32_t v)
{
	const char bytes[4] = {(char)v, (char)(v >> 8), (char)(v >> 16), (char)(v >> 24)};

	buf_add(b, bytes, sizeof(bytes));
}

static void put_u64(struct buf *b, uint64_t v)
{
	put_u32(b, (uint32_t)v);
	put_u32(b, (uint32_t)(v >> 32));
}

static int compare_str(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Inline policies start with their name, attachments are sorted by their second member. */
static int compare_attachment(const void *a, const void *b)
{
	return str_cmp(((const struct iam_attachment *)a)->arn, ((const struct iam_attachment *)b)->arn);
}

static void pack_tags(struct buf *b, const struct iam_tag *tags, size_t n)
{
	pack_u64(b, n);
	for (size_t i = 0; i < n; i++) {
		pack_str(b, tags[i].key);
		pack_str(b, tags[i].value);
	}
}

static void pack_inlines(struct buf *b, struct iam_inline *inlines, size_t n)
{
	if (n > 0)
		qsort(inlines, n, sizeof(*inlines), compare_str);
	pack_u64(b, n);
	for (size_t i = 0; i < n; i++) {
		pack_str(b, inlines[i].name);
		pack_str(b, inlines[i].document);
	}
}

static void pack_attached(struct buf *b, struct iam_attachment *attached, size_t n)
{
	if (n > 0)
		qsort(attached, n, sizeof(*attached), compare_attachment);
	pack_u64(b, n);
	for (size_t i = 0; i < n; i++) {
		pack_str(b, attached[i].name);
		pack_str(b, attached[i].arn);
	}
}

static void pack_members(struct buf *b, struct str *members, size_t n)
{
	size_t distinct = 0;

	if (n > 0)
		qsort(members, n, sizeof(*members), compare_str);
	for (size_t i = 0; i < n; i++) {
		if (distinct == 0 || !str_eq(members[distinct - 1], members[i]))
			members[distinct++] = members[i];
	}
	pack_u64(b, distinct);
	for (size_t i = 0; i < distinct; i++)
		pack_str(b, members[i]);
}

static void pack_principal(struct buf *b, struct iam_principal *p)
{
	pack_str(b, p->arn);
	pack_str(b, p->path);
	pack_str(b, p->name);
	pack_str(b, p->id);
	pack_i64(b, p->created_s);
	pack_tags(b, p->tags, p->n_tags);
	pack_inlines(b, p->inlines, p->n_inlines);
	pack_attached(b, p->attached, p->n_attached);
}

static void pack_user(struct buf *b, void *record)
{
	struct iam_user *u = &((struct draft_user *)record)->facts;

	pack_principal(b, &u->is);
	pack_i64(b, u->last_login_s);
}

static void pack_group(struct buf *b, void *record)
{
	struct iam_group *g = &((struct draft_group *)record)->facts;

	pack_principal(b, &g->is);
	pack_members(b, g->members, g->n_members);
}

static void pack_role(struct buf *b, void *record)
{
	struct iam_role *r = &((struct draft_role *)record)->facts;

	pack_principal(b, &r->is);
	pack_str(b, r->description);
	pack_i64(b, r->max_session_s);
	pack_str(b, r->trust_document);
}

static void pack_policy(struct buf *b, void *record)
{
	struct iam_policy *p = &((struct draft_policy *)record)->facts;

	pack_str(b, p->arn);
	pack_str(b, p->name);
	pack_str(b, p->description);
	pack_str(b, p->document);
	pack_i64(b, p->created_s);
	pack_str(b, p->version_id);
	pack_u64(b, p->aws_managed ? 1 : 0);
}

static void pack_key(struct buf *b, void *record)
{
	struct iam_key *k = &((struct draft_key *)record)->facts;

	pack_str(b, k->id);
	pack_str(b, k->user_arn);
	pack_str(b, k->user_name);
	pack_str(b, k->status);
	pack_i64(b, k->created_s);
	pack_i64(b, k->last_used_s);
}

static void (*const pack_record[IAM_KIND_COUNT])(struct buf *b, void *record) = {
	[IAM_USERS] = pack_user,
	[IAM_GROUPS] = pack_group,
	[IAM_ROLES] = pack_role,
	[IAM_POLICIES] = pack_policy,
	[IAM_KEYS] = pack_key,
};

static void pack_rows(struct buf *b, struct buf *index, const struct draft_list *list, enum iam_kind kind)
{
	for (size_t i = 0; i < list->n; i++) {
		put_u32(index, (uint32_t)b->n);
		pack_record[kind](b, list->items[i]);
	}
}

static struct iam_account *account_of(struct blob *take_bytes)
{
	struct iam_account *a = mem_zalloc(sizeof(*a));

	atomic_init(&a->refs, 1);
	a->bytes = take_bytes;
	a->all = blob_view(take_bytes);
	return a;
}

static enum err_code read_frame(struct iam_account *a, struct err *reterr);

enum err_code iam_draft_finish(
	struct iam_draft *d, size_t max_bytes, struct iam_account **ret_account, struct err *reterr)
{
	CLEANUP(iam_account_unrefp) struct iam_account *a = NULL;
	CLEANUP(buf_deinit) struct buf b = {0};
	CLEANUP(buf_deinit) struct buf index = {0};

	if (d->account_id.n != ACCOUNT_BYTES)
		return err_set(reterr, ERR_INVALID, "'" STR_FMT "' is not an account number",
			STR_ARG(d->account_id));
	buf_init(&b, max_bytes < UINT32_MAX ? max_bytes : UINT32_MAX);
	buf_init(&index, max_bytes);
	buf_c(&b, MAGIC);
	for (enum iam_kind kind = 0; kind < IAM_KIND_COUNT; kind++) {
		iam_draft_sort(d, kind);
		pack_rows(&b, &index, &d->lists[kind], kind);
	}
	buf_str(&b, buf_view(&index));
	buf_str(&b, d->account_id);
	for (size_t kind = 0; kind < IAM_KIND_COUNT; kind++)
		put_u32(&b, (uint32_t)d->lists[kind].n);
	put_u64(&b, str_hash(buf_view(&b)));
	if (buf_check(&b, "the account's IAM data", reterr) != ERR_OK ||
		buf_check(&index, "the account's IAM data", reterr) != ERR_OK)
		return reterr->code;
	a = account_of(blob_take(&b));
	if (read_frame(a, reterr) != ERR_OK)
		return err_prefix(reterr, "packing account " STR_FMT, STR_ARG(d->account_id));
	*ret_account = TAKE(a);
	return ERR_OK;
}

/* --- opening --- */

static uint32_t get_u32(struct str s, size_t at)
{
	const unsigned char *p = (const unsigned char *)s.p + at;

	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Finds footer and index; does not look into rows. */
static enum err_code read_frame(struct iam_account *a, struct err *reterr)
{
	const struct str all = a->all;
	size_t footer, index_bytes = 0, at;

	if (all.n < MAGIC_BYTES + FOOTER_BYTES || !str_starts(all, str_n(MAGIC, MAGIC_BYTES)))
		return err_set(reterr, ERR_PROTOCOL, "not the IAM data of an account");
	footer = all.n - FOOTER_BYTES;
	a->id = str_sub(all, footer, ACCOUNT_BYTES);
	for (size_t kind = 0; kind < IAM_KIND_COUNT; kind++) {
		a->counts[kind] = get_u32(all, footer + ACCOUNT_BYTES + 4 * kind);
		index_bytes += 4 * a->counts[kind]; /* 4 * 2^32 of each kind fit size_t */
	}
	if (index_bytes > footer - MAGIC_BYTES)
		return err_set(reterr, ERR_PROTOCOL, "the IAM data of an account is cut short");
	at = a->rows_end = footer - index_bytes;
	for (size_t kind = 0; kind < IAM_KIND_COUNT; kind++) {
		a->index[kind] = at;
		at += 4 * a->counts[kind];
	}
	return ERR_OK;
}

static struct unpack row(const struct iam_account *a, enum iam_kind kind, size_t i)
{
	const size_t offset = get_u32(a->all, a->index[kind] + 4 * i);
	struct unpack u = {.rest = STR_EMPTY};

	if (offset < MAGIC_BYTES || offset >= a->rows_end)
		u.bad = true;
	else
		u.rest = str_sub(a->all, offset, a->rows_end - offset);
	return u;
}

struct str iam_account_row_key(const struct iam_account *a, enum iam_kind kind, size_t i)
{
	struct unpack u = row(a, kind, i);

	return unpack_str(&u);
}

static struct iam_user read_user(struct unpack *u, struct arena *arena);
static struct iam_group read_group(struct unpack *u, struct arena *arena);
static struct iam_role read_role(struct unpack *u, struct arena *arena);
static struct iam_policy read_policy(struct unpack *u);
static struct iam_key read_key(struct unpack *u);

static struct str check_row(struct unpack *u, enum iam_kind kind, struct arena *arena)
{
	switch (kind) {
	case IAM_USERS:
		return read_user(u, arena).is.arn;
	case IAM_GROUPS:
		return read_group(u, arena).is.arn;
	case IAM_ROLES:
		return read_role(u, arena).is.arn;
	case IAM_POLICIES:
		return read_policy(u).arn;
	case IAM_KEYS:
		return read_key(u).id;
	case IAM_KIND_COUNT:
		break;
	}
	u->bad = true;
	return STR_EMPTY;
}

static enum err_code check_rows(const struct iam_account *a, enum iam_kind kind, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct str previous = STR_EMPTY;

	for (size_t i = 0; i < a->counts[kind]; i++) {
		struct unpack u = row(a, kind, i);
		const struct str arn = check_row(&u, kind, arena);

		arena_reset(arena);
		if (u.bad || arn.n == 0 || str_cmp(previous, arn) >= 0)
			return err_set(reterr, ERR_PROTOCOL,
				"row %zu of kind %d in the IAM data of an account is damaged", i, (int)kind);
		previous = arn;
	}
	return ERR_OK;
}

enum err_code iam_account_open(struct blob *bytes, struct iam_account **ret_account, struct err *reterr)
{
	CLEANUP(iam_account_unrefp) struct iam_account *a = account_of(blob_ref(bytes));
	struct str checked;

	if (read_frame(a, reterr) != ERR_OK)
		return reterr->code;
	checked = str_sub(a->all, 0, a->all.n - CHECKSUM_BYTES);
	if (str_hash(checked) !=
		((uint64_t)get_u32(a->all, checked.n) | (uint64_t)get_u32(a->all, checked.n + 4) << 32))
		return err_set(reterr, ERR_PROTOCOL, "the IAM data of an account has a wrong checksum");
	for (enum iam_kind kind = 0; kind < IAM_KIND_COUNT; kind++) {
		if (check_rows(a, kind, reterr) != ERR_OK)
			return reterr->code;
	}
	*ret_account = TAKE(a);
	return ERR_OK;
}

struct iam_account *iam_account_ref(struct iam_account *a)
{
	atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
	return a;
}

void iam_account_unref(struct iam_account *a)
{
	if (a == NULL || atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) > 1)
		return;
	blob_unref(a->bytes);
	mem_free(a);
}

void iam_account_unrefp(struct iam_account **a)
{
	iam_account_unref(*a);
}

struct blob *iam_account_bytes(struct iam_account *a)
{
	return a->bytes;
}

struct str iam_account_id(const struct iam_account *a)
{
	return a->id;
}

/* --- reading --- */

size_t iam_account_count(const struct iam_account *a, enum iam_kind kind)
{
	return a->counts[kind];
}

/* Index of the first row whose ARN is not less than arn. */
static size_t lower_bound(const struct iam_account *a, enum iam_kind kind, struct str arn)
{
	size_t low = 0, high = a->counts[kind];

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (str_cmp(iam_account_row_key(a, kind, middle), arn) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

ptrdiff_t iam_account_find(const struct iam_account *a, enum iam_kind kind, struct str arn)
{
	const size_t i = lower_bound(a, kind, arn);

	return i < a->counts[kind] && str_eq(iam_account_row_key(a, kind, i), arn) ? (ptrdiff_t)i : -1;
}

size_t iam_account_after(const struct iam_account *a, enum iam_kind kind, struct str arn)
{
	const size_t i = lower_bound(a, kind, arn);

	return i < a->counts[kind] && str_eq(iam_account_row_key(a, kind, i), arn) ? i + 1 : i;
}

static struct iam_tag *read_tags(struct unpack *u, struct arena *arena, size_t *ret_n)
{
	const size_t n = unpack_count(u, 2);
	struct iam_tag *tags = arena_array_of(arena, n, struct iam_tag);

	for (size_t i = 0; i < n; i++) {
		tags[i].key = unpack_str(u);
		tags[i].value = unpack_str(u);
	}
	*ret_n = n;
	return tags;
}

static struct iam_inline *read_inlines(struct unpack *u, struct arena *arena, size_t *ret_n)
{
	const size_t n = unpack_count(u, 2);
	struct iam_inline *inlines = arena_array_of(arena, n, struct iam_inline);

	for (size_t i = 0; i < n; i++) {
		inlines[i].name = unpack_str(u);
		inlines[i].document = unpack_str(u);
	}
	*ret_n = n;
	return inlines;
}

static struct iam_attachment *read_attached(struct unpack *u, struct arena *arena, size_t *ret_n)
{
	const size_t n = unpack_count(u, 2);
	struct iam_attachment *attached = arena_array_of(arena, n, struct iam_attachment);

	for (size_t i = 0; i < n; i++) {
		attached[i].name = unpack_str(u);
		attached[i].arn = unpack_str(u);
	}
	*ret_n = n;
	return attached;
}

static struct iam_principal read_principal(struct unpack *u, struct arena *arena)
{
	struct iam_principal p = {.arn = unpack_str(u)};

	p.path = unpack_str(u);
	p.name = unpack_str(u);
	p.id = unpack_str(u);
	p.created_s = unpack_i64(u);
	p.tags = read_tags(u, arena, &p.n_tags);
	p.inlines = read_inlines(u, arena, &p.n_inlines);
	p.attached = read_attached(u, arena, &p.n_attached);
	return p;
}

static struct iam_user read_user(struct unpack *u, struct arena *arena)
{
	struct iam_user f = {.is = read_principal(u, arena)};

	f.last_login_s = unpack_i64(u);
	return f;
}

static struct iam_group read_group(struct unpack *u, struct arena *arena)
{
	struct iam_group f = {.is = read_principal(u, arena)};

	f.n_members = unpack_count(u, 1);
	f.members = arena_array_of(arena, f.n_members, struct str);
	for (size_t i = 0; i < f.n_members; i++)
		f.members[i] = unpack_str(u);
	return f;
}

static struct iam_role read_role(struct unpack *u, struct arena *arena)
{
	struct iam_role f = {.is = read_principal(u, arena)};

	f.description = unpack_str(u);
	f.max_session_s = unpack_i64(u);
	f.trust_document = unpack_str(u);
	return f;
}

static struct iam_policy read_policy(struct unpack *u)
{
	struct iam_policy f = {.arn = unpack_str(u)};

	f.name = unpack_str(u);
	f.description = unpack_str(u);
	f.document = unpack_str(u);
	f.created_s = unpack_i64(u);
	f.version_id = unpack_str(u);
	f.aws_managed = unpack_u64(u) != 0;
	return f;
}

static struct iam_key read_key(struct unpack *u)
{
	struct iam_key f = {.id = unpack_str(u)};

	f.user_arn = unpack_str(u);
	f.user_name = unpack_str(u);
	f.status = unpack_str(u);
	f.created_s = unpack_i64(u);
	f.last_used_s = unpack_i64(u);
	return f;
}

struct iam_user iam_account_user(const struct iam_account *a, size_t i, struct arena *arena)
{
	struct unpack u = row(a, IAM_USERS, i);

	return read_user(&u, arena);
}

struct iam_group iam_account_group(const struct iam_account *a, size_t i, struct arena *arena)
{
	struct unpack u = row(a, IAM_GROUPS, i);

	return read_group(&u, arena);
}

struct iam_role iam_account_role(const struct iam_account *a, size_t i, struct arena *arena)
{
	struct unpack u = row(a, IAM_ROLES, i);

	return read_role(&u, arena);
}

struct iam_policy iam_account_policy(const struct iam_account *a, size_t i)
{
	struct unpack u = row(a, IAM_POLICIES, i);

	return read_policy(&u);
}

struct iam_key iam_account_key(const struct iam_account *a, size_t i)
{
	struct unpack u = row(a, IAM_KEYS, i);

	return read_key(&u);
}
