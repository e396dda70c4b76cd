#include "inventory/external_ids.h"

#include <string.h>

/* at: a '"'. Gives the place behind the string. */
static size_t blank_string(char *text, size_t n, size_t at)
{
	for (at++; at < n && text[at] != '"'; at++) {
		const bool escape = text[at] == '\\' && at + 1 < n;

		text[at] = 'x';
		if (escape)
			text[++at] = 'x';
	}
	return at < n ? at + 1 : n;
}

/* at: behind the name of a member whose value is a string, or a list of strings. */
static size_t blank_value(char *text, size_t n, size_t at)
{
	bool list = false;

	for (; at < n; at++) {
		if (text[at] == '"') {
			at = blank_string(text, n, at);
			if (!list)
				return at;
			at--;
		} else if (text[at] == '[') {
			list = true;
		} else if (text[at] == ']' || str_find_char(STR(" \t\r\n:,"), text[at]) < 0) {
			return at;
		}
	}
	return at;
}

struct str without_external_ids(struct arena *arena, struct str document)
{
	const struct str name = STR("\"sts:externalid\"");
	char *text = NULL;

	for (size_t at = 0; at + name.n <= document.n; at++) {
		if (!str_eq_nocase(str_sub(document, at, name.n), name))
			continue;
		if (text == NULL) {
			text = arena_alloc(arena, document.n);
			memcpy(text, document.p, document.n);
		}
		at = blank_value(text, document.n, at + name.n) - 1;
	}
	return text == NULL ? document : str_n(text, document.n);
}
