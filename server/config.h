/* server/config.h
 *
 * The configuration: flags before environment before file before default, checked as a whole, then immutable.
 *
 * Threads: immutable after load; any thread may read. Ownership: a configuration owns its strings and
 * secrets; config_free when nobody reads any more. Errors: ERR_INVALID for everything the operator can mend;
 * no message contains a secret. */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "server/command.h"
#include "server/settings.h"

#define BATON_AWSD_VERSION "0.1.0"

struct str_list {
	struct str *items; /* each NUL-terminated */
	size_t n;
};

/* Of `serve`. Strings are NUL-terminated, and empty when not given. */
struct config {
	struct arena *arena; /* of the strings */

	/* Listening */
	struct str_list listen; /* "host:port", "[v6]:port" or "unix:/path"; at least one */
	struct str tls_cert_file;
	struct str tls_key_file;
	struct str tls_client_ca_file;
	struct str admin_listen; /* "host:port" of the admin HTTP; empty: off */
	int64_t rpc_threads;
	int64_t rpc_queue;           /* calls that may wait for a thread; more are told to come back */
	int64_t rpc_timeout_seconds; /* of one call, at most; 0: only the client's deadline counts */
	int64_t drain_seconds;

	/* AWS */
	struct str global_region;
	struct str global_access_key_id;         /* empty or given together with the next */
	struct secret *global_secret_access_key; /* NULL: none */
	bool use_assume;
	struct str role_arn;
	struct str external_id; /* never in a log */
	struct str global_role_arn;
	struct str global_binding_external_id; /* never in a log */
	struct str global_aws_sso_region;
	struct str iam_assume_role_name;
	int64_t http_timeout_seconds;
	int64_t aws_quota_percent;
	int64_t read_ahead;

	/* What is synced */
	struct str_list sync_resource_types; /* empty: everything */
	bool sync_only_attached_policies;
	struct str create_account_resource_type; /* "iam_user" or "sso_user" */
	bool require_all_permissions;

	/* Not available yet: config_load refuses them, so they are false and empty. Read them rather than
	 * assume it. */
	bool provisioning;
	bool global_aws_orgs_enabled;
	bool global_aws_sso_enabled;
	bool global_aws_cross_account_iam_enabled;
	bool sync_secrets;
	bool sync_sso_user_last_login;
	struct str client_id;

	/* Session store */
	struct str store_url;          /* empty: in memory; never in a log */
	struct secret *store_password; /* NULL: none, or in the URL */
	struct secret *store_sentinel_password;
	struct str store_tls_ca_file;
	struct str store_tls_cert_file;
	struct str store_tls_key_file;
	struct str store_tls_server_name;
	bool store_tls_skip_verify;
	int64_t store_connect_timeout_ms;
	int64_t store_command_timeout_ms;
	int64_t store_idle_seconds;
	struct str store_key_prefix;
	int64_t store_servers;
	int64_t store_max_bytes;
	int64_t store_max_age_seconds;

	/* Log and process */
	struct str log_level_text; /* as given; log_level is what it means */
	struct str log_format_text;
	struct str_list log_path; /* empty: stderr */
	bool dump_core;
	enum log_level log_level;
	enum log_format log_format;

	/* What the operator should know and what stops nothing, one sentence each, ending in ", ignoring".
	 * For main to log once the log is up. */
	struct str_list warnings;
	struct str file; /* the YAML file that was read; empty: none */
};

/* report: on failure the whole text for the operator is appended, of several lines if several things are
 * wrong; reterr->msg holds what fits of it on one line. */
MUST_CHECK enum err_code config_load(
	const struct config_source *src, struct config **ret_config, struct buf *report, struct err *reterr);
void config_free(struct config *c); /* NULL is fine */
void config_freep(struct config **c);

/* Of `crawl` and `healthcheck`: flags only, because in the server's container the environment is the
 * server's. */
struct client_config {
	struct arena *arena;
	struct str target;        /* "host:port", "[v6]:port" or "unix:/path" */
	struct str output;        /* "table" or "jsonl" */
	int64_t cursors;          /* parallel calls of a crawl */
	int64_t timeout_seconds;  /* of one call; 0: the command's own default */
	bool progress;            /* show progress when stderr is a terminal */
	struct str tls_ca_file;   /* not empty: TLS, and this is who signed the server's certificate */
	struct str tls_cert_file; /* with tls_key_file: the client's own certificate */
	struct str tls_key_file;
	struct str tls_server_name; /* in the server's certificate, when it is not the target's host */
};

MUST_CHECK enum err_code client_config_load(const struct config_source *src,
	struct client_config **ret_config, struct buf *report, struct err *reterr);
void client_config_free(struct client_config *c); /* NULL is fine */
void client_config_freep(struct client_config **c);

#endif
