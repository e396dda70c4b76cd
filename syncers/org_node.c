#include "syncers/org_node.h"

#include "syncers/message.h"
#include "syncers/page.h"
#include "syncers/page_token.h"

static const struct {
	struct str token_kind;
	const char *type_id;
} kinds[] = {
	[ORG_ROOT] = {STR_INIT("organization"), "organization"},
	[ORG_UNIT] = {STR_INIT("organizational_unit"), "organizational_unit"},
};

static V2(Resource) *
	node_resource(struct arena *arena, const struct org_node *node, const V2(ResourceId) * parent)
{
	V2(Resource) *r = resource_named(
		arena, kinds[node->kind].type_id, node->id, node->name.n > 0 ? node->name : node->id);

	resource_set_parent(arena, r, parent);
	annotate_child_type(arena, r, "organizational_unit");
	return r;
}

/* An empty tree is one that may not be read: nothing can be said of the parent then. */
static enum err_code check_parent(
	const struct ic_rows *tree, const V2(ResourceId) * parent, struct err *reterr)
{
	size_t n;

	(void)ic_all(tree, &n);
	if (parent == NULL || n == 0 || ic_find(tree, str_c(parent->resource)) != NULL)
		return ERR_OK;
	return err_set(reterr, ERR_NOT_FOUND, "baton-aws: '%s' does not exist any more", parent->resource);
}

enum err_code org_node_list(const struct syncer_call *call, enum org_node_kind kind,
	const V2(ResourceId) * parent, struct syncer_page *ret_page, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *tree = NULL;
	const struct org_node *nodes;
	struct page_token token;
	struct page page;
	size_t n;

	if (page_token_decode(call->arena, kinds[kind].token_kind, call->page_token, &token, reterr) !=
			ERR_OK ||
		inventory_org_tree(call->inventory, call->ctx, call->sync_id, &tree, reterr) != ERR_OK ||
		check_parent(tree, parent, reterr) != ERR_OK)
		return reterr->code;
	nodes = ic_all(tree, &n);
	page_init(&page, call);
	for (size_t i = ic_after(tree, token.last); i < n; i++) {
		if (nodes[i].kind != kind ||
			(parent != NULL && !str_eq_c(nodes[i].parent_id, parent->resource)))
			continue;
		if (page_full(&page))
			return page_end(&page, kinds[kind].token_kind, STR_EMPTY, token.last, ret_page);
		page_add(&page, &node_resource(call->arena, &nodes[i], parent)->base);
		token.last = nodes[i].id;
	}
	return page_last(&page, ret_page);
}
