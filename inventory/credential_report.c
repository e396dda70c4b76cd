#include "inventory/credential_report.h"

#include "base/clock.h"
#include "inventory/iam_account.h"

enum column {
	USER,
	ARN,
	KEY_1_ACTIVE,
	KEY_1_ROTATED,
	KEY_1_USED,
	KEY_2_ACTIVE,
	KEY_2_ROTATED,
	KEY_2_USED,
	COLUMNS
};

static const struct str column_names[COLUMNS] = {
	[USER] = STR_INIT("user"),
	[ARN] = STR_INIT("arn"),
	[KEY_1_ACTIVE] = STR_INIT("access_key_1_active"),
	[KEY_1_ROTATED] = STR_INIT("access_key_1_last_rotated"),
	[KEY_1_USED] = STR_INIT("access_key_1_last_used_date"),
	[KEY_2_ACTIVE] = STR_INIT("access_key_2_active"),
	[KEY_2_ROTATED] = STR_INIT("access_key_2_last_rotated"),
	[KEY_2_USED] = STR_INIT("access_key_2_last_used_date"),
};

#define MAX_FIELDS 64 /* the report has 22 columns; AWS adds some at times */

/* Takes one field off *rest. Fields in double quotes may hold commas and doubled quotes (RFC 4180): IAM names may hold commas. */
static struct str take_field(struct str *rest, struct arena *scratch)
{
	struct buf unquoted;
	struct str field;
	size_t i = 1;

	if (rest->n == 0 || rest->p[0] != '"')
		return str_cut(rest, ',');
	buf_init(&unquoted, rest->n);
	for (; i < rest->n; i++) {
		if (rest->p[i] != '"') {
			buf_char(&unquoted, rest->p[i]);
		} else if (i + 1 < rest->n && rest->p[i + 1] == '"') {
			buf_char(&unquoted, '"');
			i++;
		} else {
			break;
		}
	}
	field = buf_dup(&unquoted, scratch);
	buf_deinit(&unquoted);
	*rest = str_from(*rest, i + 1);
	str_cut(rest, ',');
	return field;
}

static size_t split_row(struct str line, struct arena *scratch, struct str fields[MAX_FIELDS])
{
	size_t n = 0;

	if (str_ends(line, STR("\r")))
		line.n--;
	while (line.p != NULL && n < MAX_FIELDS)
		fields[n++] = take_field(&line, scratch);
	return n;
}

/* IAM names and paths may hold commas. Where the row does not quote them it is longer than the header, but only in its first two
 * columns, `user` and `arn`: the others are taken off the end, and an ARN ends in the name, which tells that it was cut right. */
static bool split_unquoted(struct str line, size_t n_header, struct str fields[MAX_FIELDS])
{
	ptrdiff_t comma;

	if (str_ends(line, STR("\r")))
		line.n--;
	for (size_t i = n_header; i-- > ARN + 1;) {
		comma = str_rfind_char(line, ',');
		if (comma < 0)
			return false;
		fields[i] = str_from(line, (size_t)comma + 1);
		line.n = (size_t)comma;
	}
	comma = str_find(line, STR(",arn:")); /* a name holds no ':' */
	if (comma < 0)
		return false;
	fields[USER] = str_sub(line, 0, (size_t)comma);
	fields[ARN] = str_from(line, (size_t)comma + 1);
	return fields[ARN].n > fields[USER].n && str_ends(fields[ARN], fields[USER]) &&
	       fields[ARN].p[fields[ARN].n - fields[USER].n - 1] == '/';
}

static bool split(struct str line, size_t n_header, const size_t at[COLUMNS], struct arena *scratch,
	struct str fields[MAX_FIELDS])
{
	return split_row(line, scratch, fields) == n_header ||
	       (at[USER] == USER && at[ARN] == ARN && split_unquoted(line, n_header, fields));
}

static enum err_code find_columns(
	const struct str *header, size_t n_header, size_t ret_at[COLUMNS], struct err *reterr)
{
	for (size_t column = 0; column < COLUMNS; column++) {
		size_t i = 0;

		while (i < n_header && !str_eq(header[i], column_names[column]))
			i++;
		if (i == n_header)
			return err_set(reterr, ERR_PROTOCOL,
				"the credential report has no column '" STR_FMT "'",
				STR_ARG(column_names[column]));
		ret_at[column] = i;
	}
	return ERR_OK;
}

/* "N/A" and "no_information" stand for no date. */
static int64_t later(int64_t than_s, struct str date)
{
	int64_t s;

	if (!time_parse_rfc3339(date, &s))
		return than_s;
	return s > than_s ? s : than_s; /* IAM_NO_TIME is less than any date */
}

/* A key that was never rotated since its creation shows its creation date as rotated, so "N/A" there means: no such key. */
static bool key_exists(struct str active, struct str rotated)
{
	return str_eq_nocase(active, STR("true")) || (rotated.n > 0 && !str_eq(rotated, STR("N/A")));
}

enum err_code credential_report_read(
	struct str csv, struct arena *scratch, credential_report_fn *fn, void *self, struct err *reterr)
{
	struct str header[MAX_FIELDS], fields[MAX_FIELDS];
	struct str rest = csv, line = str_cut(&rest, '\n');
	const size_t n_header = split_row(line, scratch, header);
	size_t at[COLUMNS];

	if (find_columns(header, n_header, at, reterr) != ERR_OK)
		return reterr->code;
	while (rest.p != NULL) {
		struct credential_report_row row = {.key_last_used_s = IAM_NO_TIME};

		line = str_cut(&rest, '\n');
		if (str_trim(line).n == 0)
			continue;
		if (!split(line, n_header, at, scratch, fields))
			return err_set(reterr, ERR_PROTOCOL,
				"a row of the credential report has not the header's %zu fields", n_header);
		if (str_eq(fields[at[USER]], STR("<root_account>")))
			continue;
		row.user_arn = fields[at[ARN]];
		row.key_last_used_s = later(row.key_last_used_s, fields[at[KEY_1_USED]]);
		row.key_last_used_s = later(row.key_last_used_s, fields[at[KEY_2_USED]]);
		row.keys = key_exists(fields[at[KEY_1_ACTIVE]], fields[at[KEY_1_ROTATED]]) +
			   key_exists(fields[at[KEY_2_ACTIVE]], fields[at[KEY_2_ROTATED]]);
		if (fn(self, &row, reterr) != ERR_OK)
			return reterr->code;
	}
	return ERR_OK;
}
