/* layers: inventory base
 *
 * The packed account as another process (or a hostile Redis) might hand it over: with a right checksum, whatever else is in it. What opens must
 * read to the end. */
#include "inventory/iam_account.h"

#include <string.h>

#include "base/mem.h"
#include "support/fuzz.h"

static void read_all(const struct iam_account *a)
{
	struct arena *arena = arena_new(0);

	for (size_t i = 0; i < iam_account_count(a, IAM_USERS); i++) {
		const struct iam_user u = iam_account_user(a, i, arena);

		FUZZ_CHECK(iam_account_find(a, IAM_USERS, u.is.arn) == (ptrdiff_t)i);
	}
	for (size_t i = 0; i < iam_account_count(a, IAM_GROUPS); i++)
		FUZZ_CHECK(iam_account_group(a, i, arena).is.arn.n > 0);
	for (size_t i = 0; i < iam_account_count(a, IAM_ROLES); i++)
		FUZZ_CHECK(iam_account_after(a, IAM_ROLES, iam_account_role(a, i, arena).is.arn) == i + 1);
	for (size_t i = 0; i < iam_account_count(a, IAM_POLICIES); i++)
		FUZZ_CHECK(iam_account_policy(a, i).arn.n > 0);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = mem_alloc(size + 1);
	struct iam_account *account;
	struct blob *blob;
	struct err e;

	if (size > 0)
		memcpy(bytes, data, size);
	if (size >= 8) {
		const uint64_t sum = str_hash(str_n(bytes, size - 8));

		for (size_t i = 0; i < 8; i++)
			bytes[size - 8 + i] = (char)(sum >> (8 * i));
	}
	blob = blob_new(str_n(bytes, size));
	mem_free(bytes);
	if (iam_account_open(blob, &account, &e) == ERR_OK) {
		read_all(account);
		iam_account_unref(account);
	}
	blob_unref(blob);
	return 0;
}
