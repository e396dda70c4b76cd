/* DESIGN
 *
 * The organization's tree, and where its accounts hang in it.
 *
 *	tree      ListRoots, then ListOrganizationalUnitsForParent level by level, all nodes of a level together
 *	parents   from the paths that newer answers of ListAccounts carry: no call at all; else ListAccountsForParent per node of the tree or
 *	          ListParents per active account, whichever are fewer. Where the tree or ListAccountsForParent is denied, ListParents need
 *	          not be. */
#include <string.h>

#include "aws/organizations.h"
#include "base/mem.h"
#include "inventory/gather.h"
#include "inventory/identity_center.h"
#include "inventory/internal.h"
#include "inventory/org_accounts.h"

#define MAX_PAGE   ((struct aws_int){AWS_ORGANIZATIONS_MAX_RESULTS, true})
#define MAX_LEVELS 8 /* AWS allows five levels of units below a root */

/* --- rows --- */

static void pack_node(struct buf *b, const void *item)
{
	const struct org_node *node = item;

	pack_str(b, node->id);
	pack_str(b, node->parent_id);
	pack_str(b, node->name);
	pack_u64(b, node->kind);
}

static void unpack_node(struct unpack *u, void *item)
{
	struct org_node *node = item;

	node->id = unpack_str(u);
	node->parent_id = unpack_str(u);
	node->name = unpack_str(u);
	node->kind = unpack_u64(u) == ORG_ROOT ? ORG_ROOT : ORG_UNIT;
}

static const struct rows_type node_rows = {
	.item_size = sizeof(struct org_node), .min_bytes = 4, .pack = pack_node, .unpack = unpack_node};

static void pack_parent(struct buf *b, const void *item)
{
	pack_str(b, ((const struct org_parent *)item)->account);
	pack_str(b, ((const struct org_parent *)item)->parent_id);
}

static void unpack_parent(struct unpack *u, void *item)
{
	((struct org_parent *)item)->account = unpack_str(u);
	((struct org_parent *)item)->parent_id = unpack_str(u);
}

static const struct rows_type parent_rows = {
	.item_size = sizeof(struct org_parent), .min_bytes = 2, .pack = pack_parent, .unpack = unpack_parent};

/* --- the tree --- */

static void fill_page(const struct gather_call *call, struct str target, struct str token, void *in)
{
	(void)call;
	(void)target;
	*(struct aws_organizations_page_in *)in =
		(struct aws_organizations_page_in){.next_token = token, .max_results = MAX_PAGE};
}

static void fill_parent(const struct gather_call *call, struct str target, struct str token, void *in)
{
	(void)call;
	*(struct aws_organizations_parent_in *)in = (struct aws_organizations_parent_in){
		.parent_id = target, .next_token = token, .max_results = MAX_PAGE};
}

static enum err_code add_node(struct listing *rows, const struct org_node *node, struct err *reterr)
{
	if (node->id.n == 0)
		return err_set(reterr, ERR_PROTOCOL, "AWS answered with a root or unit that has no id");
	*(struct org_node *)listing_add(rows) = (struct org_node){.id = str_dup(rows->arena, node->id),
		.parent_id = str_dup(rows->arena, node->parent_id),
		.name = str_dup(rows->arena, node->name),
		.kind = node->kind};
	return ERR_OK;
}

static enum err_code take_roots(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_organizations_list_roots_out *page = out;

	(void)call;
	(void)target;
	for (size_t i = 0; i < page->roots.n; i++) {
		const struct aws_organizations_root *from =
			AWS_LIST_AT(page->roots, struct aws_organizations_root, i);
		const struct org_node node = {
			.id = from->id, .parent_id = STR_EMPTY, .name = from->name, .kind = ORG_ROOT};

		if (add_node(rows, &node, reterr) != ERR_OK)
			return reterr->code;
	}
	*ret_token = page->next_token;
	return ERR_OK;
}

static enum err_code take_units(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_organizations_list_units_out *page = out;

	(void)call;
	for (size_t i = 0; i < page->units.n; i++) {
		const struct aws_organizations_unit *from =
			AWS_LIST_AT(page->units, struct aws_organizations_unit, i);
		const struct org_node node = {
			.id = from->id, .parent_id = target, .name = from->name, .kind = ORG_UNIT};

		if (add_node(rows, &node, reterr) != ERR_OK)
			return reterr->code;
	}
	*ret_token = page->next_token;
	return ERR_OK;
}

#define NO_TREE "the organization's tree is left out"

/* The two operations of the tree; neither is a fact by itself. */
static const struct gather_fact roots = {
	.rows = {.type = &node_rows},
	.op = &aws_organizations_list_roots,
	.denied = DENIED_IS_EMPTY,
	.consequence = NO_TREE,
	.fill = fill_page,
	.take = take_roots,
};
static const struct gather_fact units = {
	.rows = {.type = &node_rows},
	.op = &aws_organizations_list_units_for_parent,
	.not_found = NOT_FOUND_IS_EMPTY, /* deleted since it was listed */
	.denied = DENIED_IS_EMPTY,
	.consequence = NO_TREE,
	.fill = fill_parent,
	.take = take_units,
};

/* The partial of the tree: the gathering's targets are the nodes of all levels so far, its rows the nodes found. */
struct tree {
	struct gather *roots; /* done when units is there */
	struct gather *units;
	size_t aimed; /* nodes whose units were asked for */
	unsigned levels;
};

static void tree_free(void *partial)
{
	struct tree *t = partial;

	if (t == NULL)
		return;
	gather_free(t->roots);
	gather_free(t->units);
	mem_free(t);
}

/* Asks for the units below every node that was found and not asked for. */
static void aim_next_level(struct tree *t)
{
	const struct listing *from = t->levels == 0 ? gather_rows(t->roots) : gather_rows(t->units);
	const struct org_node *nodes = (const struct org_node *)(const void *)from->items;

	for (; t->aimed < from->n; t->aimed++)
		gather_aim(t->units, &nodes[t->aimed].id, 1);
	if (t->levels == 0)
		t->aimed = 0; /* from now on the rows of units count */
	t->levels++;
}

static enum err_code tree_run(
	struct tree *t, struct gather_call *call, const struct ctx *ctx, struct err *reterr)
{
	const struct str anything = STR_EMPTY;

	if (t->units == NULL) {
		if (t->roots == NULL) {
			t->roots = gather_new(&node_rows);
			gather_aim(t->roots, &anything, 1);
		}
		call->fact = &roots;
		if (gather_run(t->roots, call, ctx, reterr) != ERR_OK)
			return reterr->code;
		t->units = gather_new(&node_rows);
		aim_next_level(t);
	}
	call->fact = &units;
	for (;;) {
		if (gather_run(t->units, call, ctx, reterr) != ERR_OK)
			return reterr->code;
		if (t->aimed == gather_rows(t->units)->n)
			return ERR_OK;
		if (t->levels == MAX_LEVELS)
			return err_set(reterr, ERR_PROTOCOL,
				"the organization's tree has more than %d levels", MAX_LEVELS);
		aim_next_level(t);
	}
}

static enum err_code fetch_tree(const struct fact_kind *kind, void *self, const struct ctx *ctx,
	struct str scope, struct str name, void **partial, void **ret_fact, struct err *reterr)
{
	CLEANUP(mem_freep) struct org_node *all = NULL;
	struct gather_call call = {.inv = self, .scope = scope, .name = name};
	const struct listing *top, *below;
	struct rows *rows;
	struct tree *t;

	(void)kind;
	if (*partial == NULL)
		*partial = mem_zalloc(sizeof(struct tree));
	t = *partial;
	if (tree_run(t, &call, ctx, reterr) != ERR_OK)
		return reterr->code;
	top = gather_rows(t->roots);
	below = gather_rows(t->units);
	all = mem_array(top->n + below->n + 1, sizeof(*all));
	if (top->n > 0)
		memcpy(all, top->items, top->n * sizeof(*all));
	if (below->n > 0)
		memcpy(all + top->n, below->items, below->n * sizeof(*all));
	if (rows_new(&node_rows, all, top->n + below->n, &rows, reterr) != ERR_OK)
		return reterr->code;
	tree_free(t);
	*partial = NULL;
	*ret_fact = rows;
	return ERR_OK;
}

static const struct rows_fact tree_fact = {
	.kind = {.name = "org-tree/1",
		.fetch = fetch_tree,
		.partial_free = tree_free,
		.open = rows_fact_open,
		.bytes = rows_fact_bytes,
		.ref = rows_fact_ref,
		.unref = rows_fact_unref},
	.type = &node_rows,
};

enum err_code inventory_org_tree(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct ic_rows **ret_nodes, struct err *reterr)
{
	return inventory_get_rows(inv, ctx, &tree_fact, sync_id, ret_nodes, reterr);
}

/* --- parents of accounts --- */

static void add_parent(struct listing *rows, struct str account, struct str parent)
{
	if (account.n > 0 && parent.n > 0)
		*(struct org_parent *)listing_add(rows) = (struct org_parent){
			.account = str_dup(rows->arena, account), .parent_id = str_dup(rows->arena, parent)};
}

static enum err_code take_accounts_of_node(const struct gather_call *call, struct listing *rows,
	struct str target, const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_organizations_list_accounts_out *page = out;

	(void)call;
	(void)reterr;
	for (size_t i = 0; i < page->accounts.n; i++)
		add_parent(
			rows, AWS_LIST_AT(page->accounts, struct aws_organizations_account, i)->id, target);
	*ret_token = page->next_token;
	return ERR_OK;
}

static void fill_child(const struct gather_call *call, struct str target, struct str token, void *in)
{
	(void)call;
	*(struct aws_organizations_list_parents_in *)in = (struct aws_organizations_list_parents_in){
		.child_id = target, .next_token = token, .max_results = MAX_PAGE};
}

/* The first one counts: an account has one parent. What is neither root nor unit is no parent of ours. */
static enum err_code take_parents(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_organizations_list_parents_out *page = out;
	const struct aws_organizations_relative *parent;

	(void)call;
	(void)ret_token;
	(void)reterr;
	if (page->parents.n == 0)
		return ERR_OK;
	parent = AWS_LIST_AT(page->parents, struct aws_organizations_relative, 0);
	if (str_eq(parent->type, STR("ROOT")) || str_eq(parent->type, STR("ORGANIZATIONAL_UNIT")))
		add_parent(rows, target, parent->id);
	return ERR_OK;
}

static enum err_code all_nodes(const struct gather_call *call, const struct ctx *ctx, struct arena *scratch,
	struct str **ret_targets, size_t *ret_n, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *tree = NULL;
	const struct org_node *nodes;

	if (inventory_org_tree(call->inv, ctx, call->scope, &tree, reterr) != ERR_OK)
		return reterr->code;
	nodes = ic_all(tree, ret_n);
	*ret_targets = arena_array_of(scratch, *ret_n, struct str);
	for (size_t i = 0; i < *ret_n; i++)
		(*ret_targets)[i] = str_dup(scratch, nodes[i].id);
	return ERR_OK;
}

static enum err_code active_accounts(const struct gather_call *call, const struct ctx *ctx,
	struct arena *scratch, struct str **ret_targets, size_t *ret_n, struct err *reterr)
{
	return ic_active_accounts(call->inv, ctx, call->scope, scratch, ret_targets, ret_n, reterr);
}

static enum err_code fetch_parents(const struct fact_kind *kind, void *self, const struct ctx *ctx,
	struct str scope, struct str name, void **partial, void **ret_fact, struct err *reterr);

#define NO_PARENTS "accounts are listed without their place in the organization"

static const struct gather_fact parents_by_account = {
	.rows = {.kind = {.name = "org-parents/1",
			 .fetch = fetch_parents,
			 .partial_free = gather_free,
			 .open = rows_fact_open,
			 .bytes = rows_fact_bytes,
			 .ref = rows_fact_ref,
			 .unref = rows_fact_unref},
		.type = &parent_rows},
	.op = &aws_organizations_list_parents,
	.not_found = NOT_FOUND_IS_EMPTY,
	.denied = DENIED_IS_EMPTY,
	.consequence = NO_PARENTS,
	.fill = fill_child,
	.take = take_parents,
	.targets = active_accounts,
};
static const struct gather_fact parents_by_node = {
	.rows = {.kind = GATHER_KIND("org-parents/1"), .type = &parent_rows},
	.op = &aws_organizations_list_accounts_for_parent,
	.not_found = NOT_FOUND_IS_EMPTY,
	.fill = fill_parent,
	.take = take_accounts_of_node,
	.targets = all_nodes,
};

/* What ListAccounts told already, of active accounts. NULL: it did not tell of each. */
static struct org_parent *parents_from_paths(
	const struct org_accounts *accounts, struct arena *scratch, size_t *ret_n)
{
	size_t n_all;
	const struct org_account *all = org_accounts_all(accounts, &n_all);
	struct org_parent *parents = arena_array_of(scratch, n_all + 1, struct org_parent);
	bool complete = true;

	*ret_n = 0;
	for (size_t i = 0; i < n_all; i++) {
		if (!all[i].active)
			continue;
		complete = complete && all[i].parent_id.n > 0;
		parents[(*ret_n)++] =
			(struct org_parent){.account = all[i].id, .parent_id = all[i].parent_id};
	}
	return complete ? parents : NULL;
}

static bool are_placed(const struct rows *parents, const struct str *accounts, size_t n)
{
	size_t i = 0;

	while (i < n && rows_find(parents, accounts[i]) != NULL)
		i++;
	return i == n;
}

/* By nodes, where they are fewer. *ret_fact NULL: not that way.
 *
 * A root that stands alone may have units that are denied (the tree does not tell, it may be another server's): accounts in them are not
 * among the root's. */
static enum err_code fetch_by_nodes(struct inventory *inv, const struct ctx *ctx, struct str scope,
	struct str name, void **partial, void **ret_fact, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *tree = NULL;
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);
	size_t n_nodes, n_accounts;
	struct str *accounts;

	*ret_fact = NULL;
	if (inventory_org_tree(inv, ctx, scope, &tree, reterr) != ERR_OK ||
		ic_active_accounts(inv, ctx, scope, scratch, &accounts, &n_accounts, reterr) != ERR_OK)
		return reterr->code;
	(void)ic_all(tree, &n_nodes);
	if (n_nodes == 0 || n_nodes >= n_accounts || !inventory_is_permitted(inv, scope, parents_by_node.op))
		return ERR_OK;
	if (gather_fetch(&parents_by_node.rows.kind, inv, ctx, scope, name, partial, ret_fact, reterr) !=
		ERR_OK) {
		if (reterr->code != ERR_DENIED)
			return reterr->code;
		inventory_note_denied(inv, scope, parents_by_node.op, "each account costs a call of its own");
	} else if (n_nodes == 1 && !are_placed(*ret_fact, accounts, n_accounts)) {
		rows_unref(*ret_fact);
		*ret_fact = NULL;
	}
	return ERR_OK;
}

static enum err_code fetch_parents(const struct fact_kind *kind, void *self, const struct ctx *ctx,
	struct str scope, struct str name, void **partial, void **ret_fact, struct err *reterr)
{
	CLEANUP(org_accounts_unrefp) struct org_accounts *accounts = NULL;
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);
	struct org_parent *parents;
	struct rows *rows;
	void *fact;
	size_t n;

	if (gather_is_of(*partial, (const struct gather_fact *)kind)) /* goes on where it was */
		return gather_fetch(kind, self, ctx, scope, name, partial, ret_fact, reterr);
	if (inventory_org_accounts(self, ctx, scope, &accounts, reterr) != ERR_OK)
		return reterr->code;
	parents = parents_from_paths(accounts, scratch, &n);
	if (parents != NULL) {
		if (rows_new(&parent_rows, parents, n, &rows, reterr) != ERR_OK)
			return reterr->code;
		*ret_fact = rows;
		return ERR_OK;
	}
	if (fetch_by_nodes(self, ctx, scope, name, partial, &fact, reterr) != ERR_OK)
		return reterr->code;
	if (fact == NULL)
		return gather_fetch(kind, self, ctx, scope, name, partial, ret_fact, reterr);
	*ret_fact = fact;
	return ERR_OK;
}

enum err_code inventory_org_parents(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct ic_rows **ret_parents, struct err *reterr)
{
	return inventory_get_rows(inv, ctx, &parents_by_account.rows, sync_id, ret_parents, reterr);
}
