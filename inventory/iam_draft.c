#include "inventory/iam_draft.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct iam_draft *iam_draft_new(struct str account_id)
{
	struct iam_draft *d = mem_zalloc(sizeof(*d));

	d->arena = arena_new(0);
	d->account_id = str_dup(d->arena, account_id);
	return d;
}

void iam_draft_free(struct iam_draft *d)
{
	if (d == NULL)
		return;
	for (size_t kind = 0; kind < IAM_KIND_COUNT; kind++)
		mem_free(d->lists[kind].items);
	arena_free(d->arena);
	mem_free(d);
}

void *iam_draft_add(struct iam_draft *d, enum iam_kind kind, size_t size)
{
	struct draft_list *list = &d->lists[kind];

	if (list->n == list->cap) {
		list->cap = list->cap == 0 ? 64 : list->cap * 2;
		list->items = mem_realloc(list->items, list->cap * sizeof(*list->items));
	}
	list->items[list->n] = arena_zalloc(d->arena, size);
	list->sorted = false;
	return list->items[list->n++];
}

/* Every kind of record starts with its ARN (iam_draft.h). */
static struct str record_arn(const void *record)
{
	return *(const struct str *)record;
}

static int compare_records(const void *a, const void *b)
{
	return str_cmp(record_arn(*(void *const *)a), record_arn(*(void *const *)b));
}

/* A merge sort, because equal ARNs must keep their order of arrival (the last one wins) and qsort promises none. */
static void sort_stable(void **items, void **scratch, size_t n)
{
	const size_t half = n / 2;
	size_t left = 0, right = half;

	if (n < 2)
		return;
	sort_stable(items, scratch, half);
	sort_stable(items + half, scratch, n - half);
	for (size_t i = 0; i < n; i++) {
		const bool take_left =
			right == n || (left < half && compare_records(&items[left], &items[right]) <= 0);

		scratch[i] = take_left ? items[left++] : items[right++];
	}
	memcpy(items, scratch, n * sizeof(*items));
}

void iam_draft_sort(struct iam_draft *d, enum iam_kind kind)
{
	struct draft_list *list = &d->lists[kind];
	size_t n = 0;

	if (list->sorted)
		return;
	list->sorted = true;
	if (list->n == 0)
		return;
	void **scratch = mem_array(list->n, sizeof(*scratch));
	sort_stable(list->items, scratch, list->n);
	mem_free(scratch);
	for (size_t i = 0; i < list->n; i++) {
		if (n > 0 && str_eq(record_arn(list->items[n - 1]), record_arn(list->items[i])))
			n--;
		list->items[n++] = list->items[i];
	}
	list->n = n;
}

void *iam_draft_find(struct iam_draft *d, enum iam_kind kind, struct str arn)
{
	struct draft_list *list = &d->lists[kind];
	const void *key = &arn;
	void **found;

	iam_draft_sort(d, kind);
	if (list->n == 0)
		return NULL;
	found = bsearch(&key, list->items, list->n, sizeof(*list->items), compare_records);
	return found == NULL ? NULL : *found;
}

void iam_draft_add_member(struct iam_draft *d, struct draft_group *g, struct str user_arn)
{
	struct iam_group *facts = &g->facts;

	if (facts->n_members == g->cap_members) {
		const size_t cap = g->cap_members == 0 ? 8 : g->cap_members * 2;
		struct str *grown = arena_array_of(d->arena, cap, struct str);

		if (facts->n_members > 0)
			memcpy(grown, facts->members, facts->n_members * sizeof(*grown));
		facts->members = grown;
		g->cap_members = cap;
	}
	facts->members[facts->n_members++] = user_arn;
}
