/* inventory/credential_report.h
 *
 * IAM's credential report: one CSV row per user with the dates of last use of its password and of its (at most two) access keys. AWS
 * makes a new one at most every four hours, so dates can be that old. Columns: IAM user guide, "Getting credential reports".
 *
 * Threads: pure functions. */
#ifndef INVENTORY_CREDENTIAL_REPORT_H
#define INVENTORY_CREDENTIAL_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct credential_report_row {
	struct str user_arn;
	int64_t key_last_used_s; /* the later of both keys; IAM_NO_TIME (iam_account.h): never */
	unsigned keys;           /* access keys that exist, active or not: 0 to 2 */
};

typedef enum err_code(credential_report_fn)(
	void *self, const struct credential_report_row *row, struct err *reterr);

/* Calls fn for each user; the account's root user is passed over. Text is in the arena for as long as fn runs. ERR_PROTOCOL: a column is
 * missing, or a row does not have the header's number of fields. */
MUST_CHECK enum err_code credential_report_read(
	struct str csv, struct arena *scratch, credential_report_fn *fn, void *self, struct err *reterr);

#endif
