#include "syncers/trust.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/arn.h"
#include "base/json.h"
#include "base/log.h"

#define MAX_DOCUMENT_BYTES (256 * 1024) /* AWS: 2,048 to 8,192 characters, before encoding */

/* The operations that a role's trust policy is about. */
static const struct str assume_operations[] = {
	STR_INIT("sts:assumerole"),
	STR_INIT("sts:assumerolewithsaml"),
	STR_INIT("sts:assumerolewithwebidentity"),
};

struct strings {
	const struct str *items;
	size_t n;
};

struct statement {
	struct str effect;
	struct strings actions; /* lower case */
	struct strings aws, services, federated;
	bool everybody; /* "Principal": "*" or an AWS principal "*" */
	bool conditional;
};

struct statements {
	struct statement *items;
	size_t n;
};

/* --- reading --- */

/* A string or an array of strings; null counts as an empty string. False: something else. */
static bool read_strings(struct arena *arena, const struct json *j, struct strings *ret)
{
	const struct json *items = j->kind == JSON_ARRAY ? j->items : j;
	const size_t n = j->kind == JSON_ARRAY ? j->n : 1;
	struct str *out = arena_array_of(arena, n, struct str);

	for (size_t i = 0; i < n; i++) {
		if (items[i].kind != JSON_STRING && items[i].kind != JSON_NULL)
			return false;
		out[i] = json_str(&items[i]);
	}
	*ret = (struct strings){.items = out, .n = n};
	return true;
}

static bool read_principals(struct arena *arena, const struct json *principal, struct statement *st)
{
	const struct {
		struct str name;
		struct strings *to;
	} members[] = {{STR_INIT("AWS"), &st->aws}, {STR_INIT("Service"), &st->services},
		{STR_INIT("Federated"), &st->federated}};

	if (principal == NULL || principal->kind == JSON_NULL)
		return true;
	if (principal->kind == JSON_STRING) {
		st->everybody = str_eq(principal->string, STR("*"));
		return true;
	}
	if (principal->kind != JSON_OBJECT)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct json *member = json_get(principal, members[i].name);

		if (member != NULL && !read_strings(arena, member, members[i].to))
			return false;
	}
	for (size_t i = 0; i < st->aws.n; i++)
		st->everybody = st->everybody || str_eq(st->aws.items[i], STR("*"));
	return true;
}

static bool read_actions(struct arena *arena, const struct json *action, struct statement *st)
{
	struct strings actions;
	struct str *lower;

	if (action == NULL || action->kind == JSON_NULL)
		return true;
	if (!read_strings(arena, action, &actions))
		return false;
	lower = arena_array_of(arena, actions.n, struct str);
	for (size_t i = 0; i < actions.n; i++)
		lower[i] = str_lower(arena, actions.items[i]);
	st->actions = (struct strings){.items = lower, .n = actions.n};
	return true;
}

/* False: the statement is malformed and does not count. */
static bool read_statement(struct arena *arena, const struct json *j, struct statement *st)
{
	const struct json *effect = json_get_nocase(j, STR("Effect"));
	const struct json *condition = json_get_nocase(j, STR("Condition"));

	*st = (struct statement){.effect = STR_EMPTY};
	if (j->kind == JSON_NULL)
		return true;
	if (j->kind != JSON_OBJECT ||
		(effect != NULL && effect->kind != JSON_STRING && effect->kind != JSON_NULL))
		return false;
	st->effect = json_str(effect);
	st->conditional = condition != NULL && condition->kind != JSON_NULL &&
			  !(condition->kind == JSON_OBJECT && condition->n == 0);
	return read_actions(arena, json_get_nocase(j, STR("Action")), st) &&
	       read_principals(arena, json_get_nocase(j, STR("Principal")), st);
}

/* role_arn empty: the caller does not care (a role is classified and granted; one warning is enough). */
static void warn_unread(const struct json *j, struct str role_arn)
{
	const bool negated = json_get_nocase(j, STR("NotPrincipal")) != NULL ||
			     json_get_nocase(j, STR("NotAction")) != NULL;

	if (role_arn.n > 0 && negated && str_eq(json_str(json_get_nocase(j, STR("Effect"))), STR("Deny")))
		log_warn("a Deny with NotPrincipal or NotAction in a trust policy cannot be expressed as "
			 "grants, ignoring",
			LOG_STR("role", role_arn));
}

static struct statements read_document(struct arena *arena, struct str document, struct str role_arn)
{
	struct statements all = {0};
	const struct json *top, *statement, *items;
	struct err ignored; /* a document that cannot be read says nothing */
	size_t n;

	if (document.n == 0 || json_parse(arena, document, MAX_DOCUMENT_BYTES, &top, &ignored) != ERR_OK)
		return all;
	statement = json_get_nocase(top, STR("Statement"));
	if (statement == NULL || (statement->kind != JSON_ARRAY && statement->kind != JSON_OBJECT))
		return all;
	items = statement->kind == JSON_ARRAY ? statement->items : statement;
	n = statement->kind == JSON_ARRAY ? statement->n : 1;
	all.items = arena_array_of(arena, n, struct statement);
	for (size_t i = 0; i < n; i++) {
		warn_unread(&items[i], role_arn);
		if (read_statement(arena, &items[i], &all.items[all.n]))
			all.n++;
	}
	return all;
}

/* --- matching --- */

/* Glob with '*' and '?', both in lower case. Linear but for the last star, as a glob can be. */
static bool glob_matches(struct str pattern, struct str text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, star_text = 0;

	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			star_text = t;
		} else if (p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == text.p[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++star_text;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

/* sts:AssumeRole itself: what a principal of IAM uses. */
static bool covers_assume_role(const struct statement *st)
{
	for (size_t i = 0; i < st->actions.n; i++) {
		if (glob_matches(st->actions.items[i], assume_operations[0]))
			return true;
	}
	return false;
}

/* Any way to assume the role, those not known today included. */
static bool covers_any_assume(const struct statement *st)
{
	for (size_t i = 0; i < st->actions.n; i++) {
		if (str_starts(st->actions.items[i], assume_operations[0]))
			return true;
		for (size_t k = 0; k < ARRAY_LEN(assume_operations); k++) {
			if (glob_matches(st->actions.items[i], assume_operations[k]))
				return true;
		}
	}
	return false;
}

/* --- principals --- */

/* D11: a principal of IAM in a real account; the account need not be synced. */
static bool principal_of(struct str text, struct trust_principal *ret)
{
	struct arn arn;

	if (!arn_parse(text, &arn) || !str_eq(arn.service, STR("iam")) || !arn_is_account(arn.account))
		return false;
	if (!str_starts(arn.resource, STR("user/")) && !str_starts(arn.resource, STR("role/")))
		return false;
	ret->type_id = str_starts(arn.resource, STR("user/")) ? "iam_user" : "role";
	ret->arn = text;
	return true;
}

static int compare_principals(const void *a, const void *b)
{
	const struct trust_principal *x = a, *y = b;
	const int by_type = str_cmp(str_c(x->type_id), str_c(y->type_id));

	return by_type != 0 ? by_type : str_cmp(x->arn, y->arn);
}

/* Whether an unconditional Deny of sts:AssumeRole names the principal, or (arn empty) everybody. */
static bool is_denied(const struct statements *all, struct str arn)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct statement *st = &all->items[i];

		if (!str_eq(st->effect, STR("Deny")) || st->conditional || !covers_assume_role(st))
			continue;
		if (st->everybody)
			return true;
		for (size_t k = 0; k < st->aws.n; k++) {
			if (arn.n > 0 && str_eq(st->aws.items[k], arn))
				return true;
		}
	}
	return false;
}

struct trust_principal *trust_principals(
	struct arena *arena, struct str document, struct str role_arn, size_t *ret_n)
{
	const struct statements all = read_document(arena, document, role_arn);
	struct trust_principal *out;
	size_t cap = 0, n = 0, distinct = 0;

	for (size_t i = 0; i < all.n; i++)
		cap += all.items[i].aws.n;
	out = arena_array_of(arena, cap, struct trust_principal);
	for (size_t i = 0; i < all.n; i++) {
		const struct statement *st = &all.items[i];

		if (!str_eq(st->effect, STR("Allow")) || !covers_assume_role(st))
			continue;
		for (size_t k = 0; k < st->aws.n; k++) {
			if (principal_of(st->aws.items[k], &out[n]) && !is_denied(&all, st->aws.items[k]))
				n++;
		}
	}
	if (n > 0)
		qsort(out, n, sizeof(*out), compare_principals);
	for (size_t i = 0; i < n; i++) {
		if (distinct == 0 || compare_principals(&out[distinct - 1], &out[i]) != 0)
			out[distinct++] = out[i];
	}
	*ret_n = distinct;
	return out;
}

/* --- classification --- */

/* "ecs-tasks.amazonaws.com" -> "ecs_tasks". */
static struct str service_name(struct arena *arena, struct str principal)
{
	struct str rest = principal;
	char *name = str_dup_c(arena, str_lower(arena, str_cut(&rest, '.')));

	for (char *c = name; *c != '\0'; c++)
		*c = *c == '-' ? '_' : *c;
	return str_c(name);
}

/* The byte-wise smallest name among the service principals; empty: none. */
static struct str smallest_service(struct arena *arena, const struct statements *allows)
{
	struct str smallest = STR_EMPTY;

	for (size_t i = 0; i < allows->n; i++) {
		for (size_t k = 0; k < allows->items[i].services.n; k++) {
			const struct str name = service_name(arena, allows->items[i].services.items[k]);

			if (name.n > 0 && (smallest.n == 0 || str_cmp(name, smallest) < 0))
				smallest = name;
		}
	}
	return smallest;
}

/* The first federated principal that tells its protocol decides. */
static const char *federation(const struct statements *allows)
{
	const char *kind = NULL;

	for (size_t i = 0; i < allows->n; i++) {
		for (size_t k = 0; k < allows->items[i].federated.n; k++) {
			const struct str principal = allows->items[i].federated.items[k];

			if (str_contains(principal, STR(":oidc-provider/")))
				return "aws.role.oidc";
			if (str_contains(principal, STR(":saml-provider/")))
				return "aws.role.saml";
			kind = "aws.role.federated";
		}
	}
	return kind;
}

static bool trusts_other_account(const struct statements *allows, struct str own_account)
{
	for (size_t i = 0; i < allows->n; i++) {
		for (size_t k = 0; k < allows->items[i].aws.n; k++) {
			struct arn arn;

			if (arn_parse(allows->items[i].aws.items[k], &arn) && arn_is_account(arn.account) &&
				!str_eq(arn.account, own_account))
				return true;
		}
	}
	return false;
}

struct str trust_classify(struct arena *arena, struct str document, struct str role_arn)
{
	const struct statements all = read_document(arena, document, /* role_arn= */ STR_EMPTY);
	struct statements allows = {.items = all.items};
	struct arn own = {.account = STR_EMPTY};
	const char *federated;
	struct str service;
	bool is_public = false;

	for (size_t i = 0; i < all.n; i++) {
		if (str_eq(all.items[i].effect, STR("Allow")) && covers_any_assume(&all.items[i]))
			allows.items[allows.n++] = all.items[i];
	}
	for (size_t i = 0; i < allows.n; i++)
		is_public = is_public || (allows.items[i].everybody && !allows.items[i].conditional);
	if (is_public)
		return STR("aws.role.public");
	service = smallest_service(arena, &allows);
	if (service.n > 0)
		return str_fmt(arena, "aws.role." STR_FMT, STR_ARG(service));
	federated = federation(&allows);
	if (federated != NULL)
		return str_c(federated);
	(void)arn_parse(role_arn, &own);
	return trusts_other_account(&allows, own.account) ? STR("aws.role.cross_account") : STR("aws.role");
}
