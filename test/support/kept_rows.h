/* test/support/kept_rows.h
 *
 * Facts that lie in the session store already, so that AWS is not asked for them: rows of texts, some with a number behind them. It is a header
 * with code, because test_support links only base.
 *
 * Threads: main thread only. */
#ifndef TEST_SUPPORT_KEPT_ROWS_H
#define TEST_SUPPORT_KEPT_ROWS_H

#include "base/mem.h"
#include "inventory/rows.h"
#include "store/store.h"
#include "support/cunit_main.h"

#define KEPT_MAX_TEXTS 6

struct row {
	struct str text[KEPT_MAX_TEXTS]; /* the first is the key */
	uint64_t number;
};
#define ROW(...)                                                                                             \
	{                                                                                                    \
		.text = { __VA_ARGS__ }                                                                      \
	}

struct kept_shape {
	size_t n_texts;
	bool number;
};

/* A row type has no room for its shape: that of the rows being packed. */
static struct kept_shape kept_shape;

static inline void kept_pack(struct buf *b, const void *item)
{
	const struct row *row = item;

	for (size_t i = 0; i < kept_shape.n_texts; i++)
		pack_str(b, row->text[i]);
	if (kept_shape.number)
		pack_u64(b, row->number);
}

static inline void kept_unpack(struct unpack *u, void *item)
{
	struct row *row = item;

	for (size_t i = 0; i < kept_shape.n_texts; i++)
		row->text[i] = unpack_str(u);
	row->number = kept_shape.number ? unpack_u64(u) : 0;
}

/* key: of the store, "<kind>/<name>". */
static inline void keep_rows(struct store *store, struct str sync_id, const char *key,
	struct kept_shape shape, const struct row *rows, size_t n)
{
	static const struct rows_type type = {
		.item_size = sizeof(struct row), .min_bytes = 1, .pack = kept_pack, .unpack = kept_unpack};
	static const struct ctx background = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};
	CLEANUP(mem_freep) struct row *copy = mem_array(n + 1, sizeof(*copy));
	struct rows *packed;
	struct err e;

	kept_shape = shape;
	for (size_t i = 0; i < n; i++)
		copy[i] = rows[i];
	CU_ASSERT_EQUAL_FATAL(rows_new(&type, copy, n, &packed, &e), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(
		store_put(store, &background, sync_id, str_c(key), rows_bytes(packed), 60000, &e), ERR_OK);
	rows_unref(packed);
}

#endif
