/* syncers/page.h
 *
 * Fills one page of a reply and stops before it grows too large: the engine refuses replies of 4 MiB and more. A page ends at
 * PAGE_BYTES, PAGE_ITEMS, or the page size the engine asked for, whichever comes first; its token goes on behind the last item.
 *
 *	page_init(&page, call);
 *	for (i = start; i < n; i++) {
 *		if (page_full(&page))
 *			return page_end(&page, STR("iam_user"), phase, last_id, ret_page);
 *		page_add(&page, &message->base);
 *		last_id = ...;
 *	}
 *	return page_last(&page, ret_page);
 *
 * Threads: one per page. Ownership: everything lives in the call's arena. */
#ifndef SYNCERS_PAGE_H
#define SYNCERS_PAGE_H

#include <stdbool.h>

#include "syncers/syncer.h"

/* Leaves 3 MiB for the item that goes over it; AWS's largest document has 128 KiB. */
#define PAGE_BYTES (1024 * 1024)
#define PAGE_ITEMS 1000

struct page {
	const struct syncer_call *call;
	ProtobufCMessage **items;
	size_t n, bytes, max_items;
};

void page_init(struct page *p, const struct syncer_call *call);
void page_limit(struct page *p, size_t max_items); /* no more than that, whatever the engine asked for */
bool page_full(const struct page *p);              /* never on an empty page: each page gets on */
void page_add(struct page *p, ProtobufCMessage *item);

/* The page is handed over with a token that resumes behind `last` in `phase`; or as the last one. Both return ERR_OK. */
enum err_code page_end(const struct page *p, struct str kind, struct str phase, struct str last,
	struct syncer_page *ret_page);
enum err_code page_last(const struct page *p, struct syncer_page *ret_page);

/* One message, or none: a listing without pages. */
enum err_code page_of_one(
	const struct syncer_call *call, ProtobufCMessage *item, struct syncer_page *ret_page);
enum err_code page_of_none(struct syncer_page *ret_page);

#endif
