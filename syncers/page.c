#include "syncers/page.h"

#include "proto/pb_build.h"
#include "syncers/page_token.h"

void page_init(struct page *p, const struct syncer_call *call)
{
	*p = (struct page){.call = call, .max_items = PAGE_ITEMS};
	if (call->page_size > 0 && call->page_size < PAGE_ITEMS)
		p->max_items = call->page_size;
}

void page_limit(struct page *p, size_t max_items)
{
	if (p->max_items > max_items)
		p->max_items = max_items;
}

bool page_full(const struct page *p)
{
	return p->n > 0 && (p->n >= p->max_items || p->bytes >= PAGE_BYTES);
}

void page_add(struct page *p, ProtobufCMessage *item)
{
	p->items = pb_grow(p->call->arena, p->items, p->n, sizeof(*p->items));
	p->items[p->n++] = item;
	p->bytes += protobuf_c_message_get_packed_size(item);
}

enum err_code page_end(const struct page *p, struct str kind, struct str phase, struct str last,
	struct syncer_page *ret_page)
{
	const struct page_token token = {.phase = phase, .last = last};

	*ret_page = (struct syncer_page){
		.items = p->items, .n = p->n, .next = page_token_encode(p->call->arena, kind, &token)};
	return ERR_OK;
}

enum err_code page_last(const struct page *p, struct syncer_page *ret_page)
{
	*ret_page = (struct syncer_page){.items = p->items, .n = p->n, .next = STR_EMPTY};
	return ERR_OK;
}

enum err_code page_of_one(
	const struct syncer_call *call, ProtobufCMessage *item, struct syncer_page *ret_page)
{
	struct page p;

	page_init(&p, call);
	page_add(&p, item);
	return page_last(&p, ret_page);
}

enum err_code page_of_none(struct syncer_page *ret_page)
{
	*ret_page = (struct syncer_page){.next = STR_EMPTY};
	return ERR_OK;
}
