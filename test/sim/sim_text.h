/* sim/sim_text.h
 *
 * The words of the demo organization: names, paths, tags, and templates of documents, as tables. A template
 * holds placeholders in braces, {account} for example, that sim_text_fill replaces.
 *
 * Threads: constant data. */
#ifndef SIM_TEXT_H
#define SIM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct sim_words {
	const char *const *words;
	size_t n;
};
extern const struct sim_words sim_first_names, sim_last_names, sim_services, sim_regions, sim_departments,
	sim_user_paths, sim_group_names, sim_policy_names, sim_role_purposes, sim_inline_names,
	sim_descriptions, sim_access_levels, sim_account_names, sim_ou_names, sim_set_names, sim_relay_states;

const char *sim_word(const struct sim_words *w, uint64_t hash);

/* A form of trust policy and what a role that has it looks like. */
struct sim_trust_form {
	const char *label;       /* part of the role name */
	const char *path;        /* NULL: an ordinary path */
	const char *external_id; /* what a Condition asks for, or NULL */
	bool instance_profile;
	const char *json;
};
extern const struct sim_trust_form sim_trust_forms[];
extern const size_t sim_trust_forms_n;

/* The fixed first roles: a connector's way in. */
extern const struct sim_trust_form sim_fixed_roles[];
extern const size_t sim_fixed_roles_n;

/* AWS-managed policies that get attached: name and path. */
struct sim_aws_policy {
	const char *name, *path;
};
extern const struct sim_aws_policy sim_aws_policies[];
extern const size_t sim_aws_policies_n;

extern const struct sim_words sim_document_templates;

struct sim_fill {
	const char *key; /* without braces */
	struct str value;
};
/* The template with every {key} of fills replaced; other braces stay. */
struct str sim_text_fill(struct arena *a, const char *template_, const struct sim_fill *fills, size_t n);

#endif
