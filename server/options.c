#include "server/options.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "server/config.h"

/* --- What values look like --- */

static bool is_port(struct str s)
{
	uint64_t port;

	return s.n <= 5 && str_to_u64(s, &port) && port <= 65535;
}

static bool all_of(struct str s, const char *extra)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && (s.p[i] == '\0' || !strchr(extra, s.p[i])))
			return false;
	return s.n > 0;
}

/* host:port or [v6]:port */
static bool is_tcp_address(struct str s)
{
	ptrdiff_t colon = str_rfind_char(s, ':');
	struct str host;

	if (colon < 0 || !is_port(str_from(s, (size_t)colon + 1)))
		return false;
	host = str_sub(s, 0, (size_t)colon);
	if (str_starts(host, STR("[")))
		return str_ends(host, STR("]")) && all_of(str_sub(host, 1, host.n - 2), ":.%");
	return all_of(host, ".-_");
}

/* An absolute path that fits struct sockaddr_un with its NUL. */
static bool is_address(struct str s)
{
	struct str path = str_from(s, 5);

	if (str_starts(s, STR("unix:")))
		return str_starts(path, STR("/")) && path.n > 1 && path.n < 108;
	return is_tcp_address(s);
}

/* "us-east-1", "us-gov-west-1", "eusc-de-east-1": two words or more, then a number. Regions appear in host
 * names. */
static bool is_region(struct str s)
{
	struct str rest = s;
	size_t words = 0;

	if (s.n > 32)
		return false;
	while (rest.p) {
		struct str word = str_cut(&rest, '-');
		uint64_t number;

		if (!rest.p)
			return words >= 2 && word.n <= 2 && str_to_u64(word, &number);
		if (word.n == 0)
			return false;
		for (size_t i = 0; i < word.n; i++)
			if (word.p[i] < 'a' || word.p[i] > 'z')
				return false;
		words++;
	}
	return false;
}

static bool is_key_prefix(struct str s)
{
	return s.n <= 64 && all_of(s, "._-:");
}

static const char *const sso_regions[] = {"us-east-2", "us-east-1", "us-west-1", "us-west-2", "af-south-1",
	"ap-east-1", "ap-southeast-3", "ap-south-1", "ap-northeast-3", "ap-northeast-2", "ap-southeast-1",
	"ap-southeast-2", "ap-northeast-1", "ca-central-1", "eu-central-1", "eu-west-1", "eu-west-2",
	"eu-south-1", "eu-west-3", "eu-north-1", "me-south-1", "me-central-1", "sa-east-1", NULL};
static const char *const account_targets[] = {"iam_user", "sso_user", NULL};
static const char *const outputs[] = {"table", "jsonl", NULL};

/* --- The tables --- */

#define ADDRESS_EXPECTED "host:port, [v6]:port or unix:/path"
#define NOT_YET(what)    what " is not available in this version yet: start without it"

#define AT(field)        .offset = offsetof(struct config, field)
#define CLIENT_AT(field) .offset = offsetof(struct client_config, field), .group = OPTION_GROUP_CLIENT
#define SECONDS          .value = "SECONDS", .type = OPTION_INT
#define MILLISECONDS     .value = "MS", .type = OPTION_INT
#define PEM              .value = "FILE", .type = OPTION_STRING

/* The sync engine's own options. Their types matter all the same: they say whether a value follows. */
#define ENGINE(option_name, option_type, what)                                                               \
	{                                                                                                    \
		.name = (option_name), .type = (option_type), .show = OPTION_IGNORED,                        \
		.group = OPTION_GROUP_ENGINE, .help = (what)                                                 \
	}
#define NOT_AVAILABLE(option_name, field, what)                                                              \
	.name = (option_name), .type = OPTION_BOOL, .show = OPTION_REFUSED,                                  \
	.refusal = NOT_YET("--" option_name), .help = (what), AT(field)

/* A row is a paragraph, not a column. */
/* clang-format off */
static const struct option server_items[] = {
	/* Listening */
	{.name = "listen", .type = OPTION_LIST, .group = OPTION_GROUP_LISTEN, .value = "ADDRESS", AT(listen),
		.preset = "127.0.0.1:50051", .accept = is_address, .expects = ADDRESS_EXPECTED,
		.help = "Where gRPC is served: " ADDRESS_EXPECTED ". May be given several times. Port 0 takes a free one."},
	{.name = "tls-cert-file", PEM, .group = OPTION_GROUP_LISTEN, AT(tls_cert_file),
		.help = "Certificate chain of the server, PEM. Without it gRPC is served in plain text."},
	{.name = "tls-key-file", PEM, .group = OPTION_GROUP_LISTEN, AT(tls_key_file),
		.help = "Private key of the certificate, PEM."},
	{.name = "tls-client-ca-file", PEM, .group = OPTION_GROUP_LISTEN, AT(tls_client_ca_file),
		.help = "Certificates that may sign clients, PEM. With it every client must present a certificate."},
	{.name = "admin-listen", .type = OPTION_STRING, .group = OPTION_GROUP_LISTEN, .value = "ADDRESS",
		AT(admin_listen), .accept = is_tcp_address, .expects = "host:port or [v6]:port",
		.help = "Where /metrics, /healthz and /readyz are served over HTTP; off when not given."},
	{.name = "rpc-threads", .type = OPTION_INT, .group = OPTION_GROUP_LISTEN, .value = "N", AT(rpc_threads),
		.preset = "16", .min = 1, .max = 1024, .help = "Calls that are worked on at the same time."},
	{.name = "rpc-queue", .type = OPTION_INT, .group = OPTION_GROUP_LISTEN, .value = "N", AT(rpc_queue),
		.preset = "256", .min = 1, .max = 65536,
		.help = "Calls that may wait for a thread. Further ones are answered UNAVAILABLE at once, with a hint when to "
			"come back."},
	{.name = "rpc-timeout-seconds", SECONDS, .group = OPTION_GROUP_LISTEN, AT(rpc_timeout_seconds), .preset = "1800",
		.min = 0, .max = 86400,
		.help = "Longest time for one call; the client's deadline counts when it is earlier. 0: only that one counts."},
	{.name = "drain-seconds", SECONDS, .group = OPTION_GROUP_LISTEN, AT(drain_seconds), .preset = "30", .min = 0,
		.max = 3600, .help = "How long running calls may go on after SIGTERM before they are cancelled."},

	/* AWS */
	{.name = "global-region", .type = OPTION_STRING, .group = OPTION_GROUP_AWS, .value = "REGION", AT(global_region),
		.accept = is_region, .expects = "a region name such as us-east-1",
		.help = "Region of IAM and STS calls; else AWS_REGION, AWS_DEFAULT_REGION, the shared profile's, and in the "
			"end the home region of the partition."},
	{.name = "global-access-key-id", .type = OPTION_STRING, .group = OPTION_GROUP_AWS, .value = "ID",
		AT(global_access_key_id), .sensitive = true,
		.help = "Static credentials, together with the next. Without them they are looked for where AWS's tools "
			"look: environment, web identity, shared files, container, EC2 instance."},
	{.name = "global-secret-access-key", .type = OPTION_SECRET, .group = OPTION_GROUP_AWS, .value = "KEY",
		AT(global_secret_access_key), .sensitive = true,
		.help = "Better given in the environment or the file: the command line of a process can be read by others."},
	{.name = "use-assume", .type = OPTION_BOOL, .group = OPTION_GROUP_AWS, AT(use_assume),
		.help = "Work with the role of --role-arn instead of the credentials found."},
	{.name = "role-arn", .type = OPTION_STRING, .group = OPTION_GROUP_AWS, .value = "ARN", AT(role_arn),
		.help = "Role in the account to be synced."},
	{.name = "external-id", .type = OPTION_STRING, .group = OPTION_GROUP_AWS, .value = "ID", AT(external_id),
		.sensitive = true, .help = "External id of that role; 32 to 64 characters when --global-role-arn is given."},
	{.name = "global-role-arn", .type = OPTION_STRING, .group = OPTION_GROUP_AWS, .value = "ARN",
		AT(global_role_arn), .help = "Role that is assumed first, and that assumes --role-arn (two hops)."},
	{.name = "global-binding-external-id", .type = OPTION_STRING, .group = OPTION_GROUP_AWS, .value = "ID",
		AT(global_binding_external_id), .sensitive = true, .help = "External id of --global-role-arn."},
	{.name = "iam-assume-role-name", .type = OPTION_STRING, .group = OPTION_GROUP_AWS, .value = "NAME",
		AT(iam_assume_role_name), .preset = "OrganizationAccountAccessRole",
		.help = "Role to assume in member accounts of the organization."},
	{.name = "global-aws-sso-region", .type = OPTION_STRING, .group = OPTION_GROUP_AWS, .value = "REGION",
		AT(global_aws_sso_region), .preset = "us-east-1", .select = sso_regions, .accept = is_region,
		.help = "Region of IAM Identity Center; any region name is accepted."},
	{.name = "http-timeout-seconds", SECONDS, .group = OPTION_GROUP_AWS, AT(http_timeout_seconds), .preset = "300",
		.min = 1, .max = 1800, .help = "Longest time for one request to AWS."},
	{.name = "aws-quota-percent", .type = OPTION_INT, .group = OPTION_GROUP_AWS, .value = "PERCENT",
		AT(aws_quota_percent), .preset = "100", .min = 1, .max = 100000,
		.help = "How much of AWS's request quotas is used: less leaves room for other tools, more is for accounts whose "
			"quotas AWS has raised."},

	/* What is synced */
	{.name = "sync-resource-types", .type = OPTION_LIST, .group = OPTION_GROUP_SYNC, .value = "TYPE,...",
		AT(sync_resource_types), .help = "Only these resource types; all of them when not given."},
	{.name = "sync-only-attached-policies", .type = OPTION_BOOL, .group = OPTION_GROUP_SYNC,
		AT(sync_only_attached_policies), .help = "Only managed policies that are attached to something."},
	{.name = "create-account-resource-type", .type = OPTION_STRING, .group = OPTION_GROUP_SYNC, .value = "TYPE",
		AT(create_account_resource_type), .preset = "iam_user", .select = account_targets,
		.help = "What an account that is created will be: iam_user or sso_user."},
	{.name = "require-all-permissions", .type = OPTION_BOOL, .group = OPTION_GROUP_SYNC, AT(require_all_permissions),
		.help = "Fail when AWS denies reading policies, instead of syncing without them and warning."},

	{.name = "global-aws-orgs-enabled", .type = OPTION_BOOL, .group = OPTION_GROUP_SYNC, AT(global_aws_orgs_enabled),
		.help = "AWS Organizations: the IAM of every member account as well, through --iam-assume-role-name."},
	{.name = "global-aws-sso-enabled", .type = OPTION_BOOL, .group = OPTION_GROUP_SYNC, AT(global_aws_sso_enabled),
		.help = "AWS IAM Identity Center: accounts, permission sets, assignments, its users and groups. Needs Organizations."},
	{.name = "global-aws-cross-account-iam-enabled", .type = OPTION_BOOL, .group = OPTION_GROUP_SYNC,
		AT(global_aws_cross_account_iam_enabled),
		.help = "With Identity Center, the IAM of every member account as well (without it that is always so)."},
	{.name = "sync-secrets", .type = OPTION_BOOL, .group = OPTION_GROUP_SYNC, AT(sync_secrets),
		.help = "Access keys as resources."},
	{.name = "sync-sso-user-last-login", .type = OPTION_BOOL, .group = OPTION_GROUP_SYNC, AT(sync_sso_user_last_login),
		.help = "With Identity Center, logins of its users as a feed of events, from CloudTrail."},
	{.name = "read-ahead", .type = OPTION_INT, .group = OPTION_GROUP_SYNC, .value = "N", AT(read_ahead), .preset = "8",
		.min = 0, .max = 64, .help = "Member accounts, assignments of accounts and groups that are read at once before the engine asks for them; 0: none."},

	/* Not available yet */
	{NOT_AVAILABLE("provisioning", provisioning, "Changes: Grant, Revoke, CreateAccount, DeleteResource."),
		.group = OPTION_GROUP_SYNC, .letter = 'p'},
	{.name = "client-id", .type = OPTION_STRING, .show = OPTION_REFUSED, .group = OPTION_GROUP_ENGINE, AT(client_id),
		.sensitive = true,
		.refusal = "service mode (--client-id) is not part of this server: the sync engine runs apart and calls it",
		.help = "Platform credentials; they select service mode."},

	/* Session store */
	{.name = "store-url", .type = OPTION_STRING, .group = OPTION_GROUP_STORE, .value = "URL", AT(store_url),
		.sensitive = true,
		.help = "A Redis (5 or newer) in which several servers share facts and AWS's quotas: redis://, rediss://, "
			"redis+sentinel://, rediss+sentinel:// or unix://. Without it each server keeps its own, in memory."},
	{.name = "store-password", .type = OPTION_SECRET, .group = OPTION_GROUP_STORE, .value = "PASSWORD",
		AT(store_password), .sensitive = true,
		.help = "Password of Redis, instead of the one in the URL. Better given in the environment or the file."},
	{.name = "store-sentinel-password", .type = OPTION_SECRET, .group = OPTION_GROUP_STORE, .value = "PASSWORD",
		AT(store_sentinel_password), .sensitive = true,
		.help = "Password of the Sentinels; those without one are not sent any."},
	{.name = "store-tls-ca-file", PEM, .group = OPTION_GROUP_STORE, AT(store_tls_ca_file),
		.help = "With rediss://, certificates that may sign Redis's, PEM; the system's when not given."},
	{.name = "store-tls-cert-file", PEM, .group = OPTION_GROUP_STORE, AT(store_tls_cert_file),
		.help = "Certificate chain that is shown to Redis, PEM."},
	{.name = "store-tls-key-file", PEM, .group = OPTION_GROUP_STORE, AT(store_tls_key_file),
		.help = "Private key of that certificate, PEM."},
	{.name = "store-tls-server-name", .type = OPTION_STRING, .group = OPTION_GROUP_STORE, .value = "NAME",
		AT(store_tls_server_name), .help = "Name in Redis's certificate, when it is not the host of the URL."},
	{.name = "store-tls-skip-verify", .type = OPTION_BOOL, .group = OPTION_GROUP_STORE, AT(store_tls_skip_verify),
		.help = "Accept any certificate of Redis's: encrypted, but to whom is not known."},
	{.name = "store-connect-timeout-ms", MILLISECONDS, .group = OPTION_GROUP_STORE, AT(store_connect_timeout_ms),
		.preset = "1000", .min = 10, .max = 60000, .help = "Longest time until a connection to Redis is logged in."},
	{.name = "store-command-timeout-ms", MILLISECONDS, .group = OPTION_GROUP_STORE, AT(store_command_timeout_ms),
		.preset = "2000", .min = 10, .max = 60000,
		.help = "Longest time for an answer of Redis's. One that is slower counts as away: facts are then fetched from AWS."},
	{.name = "store-idle-seconds", SECONDS, .group = OPTION_GROUP_STORE, AT(store_idle_seconds), .preset = "60",
		.min = 1, .max = 86400, .help = "Connections unused for so long are not used again; less than Redis's own timeout."},
	{.name = "store-key-prefix", .type = OPTION_STRING, .group = OPTION_GROUP_STORE, .value = "TEXT",
		AT(store_key_prefix), .preset = "baton", .accept = is_key_prefix,
		.expects = "1 to 64 letters, digits, '.', '_', '-' and ':'",
		.help = "What all keys in Redis begin with. Servers with different prefixes share nothing."},
	{.name = "store-servers", .type = OPTION_INT, .group = OPTION_GROUP_STORE, .value = "N", AT(store_servers),
		.preset = "1", .min = 1, .max = 1000,
		.help = "How many servers share the store. While Redis is away each keeps to its part of AWS's quotas: a "
			"quota divided by this number, or by the number seen in Redis if that is larger."},
	{.name = "store-max-bytes", .type = OPTION_INT, .group = OPTION_GROUP_STORE, .value = "BYTES",
		AT(store_max_bytes), .preset = "268435456", .min = 1024 * 1024, .max = INT64_C(1) << 40,
		.help = "Memory for facts kept during a sync. The oldest go first when it is full. Also the largest fact that "
			"is read from Redis."},
	{.name = "store-max-age-seconds", SECONDS, .group = OPTION_GROUP_STORE, AT(store_max_age_seconds),
		.preset = "86400", .min = 60, .max = 30 * 86400, .help = "How long a fact may serve its sync."},

	/* Log and process */
	{.name = "log-level", .type = OPTION_STRING, .group = OPTION_GROUP_LOG, .value = "LEVEL", AT(log_level_text),
		.preset = "info", .help = "debug, info, warn or error."},
	{.name = "log-format", .type = OPTION_STRING, .group = OPTION_GROUP_LOG, .value = "FORMAT", AT(log_format_text),
		.help = "json or console; console is the default on a terminal, json elsewhere."},
	{.name = "log-path", .type = OPTION_LIST, .group = OPTION_GROUP_LOG, .value = "FILE", AT(log_path),
		.help = "Files that are appended to, or stderr or stdout; stderr when not given. May be given several times."},
	{.name = "dump-core", .type = OPTION_BOOL, .group = OPTION_GROUP_LOG, AT(dump_core),
		.help = "Allow core dumps and debuggers. A dump holds credentials."},

	/* The sync engine's */
	{.name = "client-secret", .type = OPTION_STRING, .show = OPTION_IGNORED, .group = OPTION_GROUP_ENGINE,
		.sensitive = true, .help = "Platform credentials."},
	{.name = "file", .letter = 'f', .type = OPTION_STRING, .show = OPTION_IGNORED, .group = OPTION_GROUP_ENGINE,
		.help = "Output file of a one-shot sync."},
	ENGINE("ticketing", OPTION_BOOL, "Ticketing services; AWS has none."),
	ENGINE("skip-full-sync", OPTION_BOOL, "No full syncs in service mode."),
	ENGINE("sync-resources", OPTION_LIST, "Targeted sync of these resources."),
	ENGINE("skip-entitlements-and-grants", OPTION_BOOL, "The engine asks for resources only."),
	ENGINE("skip-grants", OPTION_BOOL, "The engine asks for no grants."),
	ENGINE("workers", OPTION_INT, "Parallel cursors of the engine."),
	ENGINE("parallel-sync", OPTION_BOOL, "Old name for workers = -1."),
	ENGINE("task-concurrency", OPTION_INT, "Tasks at the same time in service mode."),
	ENGINE("storage-engine", OPTION_STRING, "Format of the engine's file."),
	ENGINE("keep-previous-sync-c1z", OPTION_BOOL, "Keep the engine's last file."),
	ENGINE("external-resource-c1z", OPTION_STRING, "Match against another file."),
	ENGINE("external-resource-entitlement-id-filter", OPTION_STRING, "Match against another file."),
	ENGINE("external-resource-traits", OPTION_LIST, "Match against another file."),
	ENGINE("c1z-temp-dir", OPTION_STRING, "Where the engine keeps temporary files."),
	ENGINE("auth-method", OPTION_STRING, "Not used by this connector."),
	ENGINE("log-event-log", OPTION_BOOL, "Windows only."),
	ENGINE("log-level-debug-expires-at", OPTION_STRING, "Lambda only."),
	ENGINE("session-store-maximum-size", OPTION_INT, "Here: --store-max-bytes."),
	ENGINE("otel-collector-endpoint", OPTION_STRING, "OpenTelemetry of the engine."),
	ENGINE("otel-collector-endpoint-tls-cert-path", OPTION_STRING, "OpenTelemetry of the engine."),
	ENGINE("otel-collector-endpoint-tls-cert", OPTION_STRING, "OpenTelemetry of the engine."),
	ENGINE("otel-collector-endpoint-tls-insecure", OPTION_BOOL, "OpenTelemetry of the engine."),
	ENGINE("otel-tracing-disabled", OPTION_BOOL, "OpenTelemetry of the engine."),
	ENGINE("otel-logging-disabled", OPTION_BOOL, "OpenTelemetry of the engine."),
	ENGINE("health-check", OPTION_BOOL, "HTTP health check of service mode; here: --admin-listen."),
	ENGINE("health-check-port", OPTION_INT, "HTTP health check of service mode; here: --admin-listen."),
	ENGINE("health-check-bind-address", OPTION_STRING, "HTTP health check of service mode; here: --admin-listen."),

	/* One-shot commands of the engine's process */
	ENGINE("grant-entitlement", OPTION_STRING, "One grant."),
	ENGINE("grant-principal", OPTION_STRING, "One grant."),
	ENGINE("grant-principal-type", OPTION_STRING, "One grant."),
	ENGINE("revoke-grant", OPTION_STRING, "One revocation."),
	ENGINE("create-account-profile", OPTION_STRING, "One account creation."),
	ENGINE("create-account-login", OPTION_STRING, "One account creation."),
	ENGINE("create-account-email", OPTION_STRING, "One account creation."),
	ENGINE("delete-resource", OPTION_STRING, "One deletion."),
	ENGINE("delete-resource-type", OPTION_STRING, "One deletion."),
	ENGINE("rotate-credentials", OPTION_STRING, "One rotation."),
	ENGINE("rotate-credentials-type", OPTION_STRING, "One rotation."),
	ENGINE("invoke-action", OPTION_STRING, "One action."),
	ENGINE("invoke-action-args", OPTION_STRING, "One action."),
	ENGINE("invoke-action-resource-type", OPTION_STRING, "One action."),
	ENGINE("list-action-schemas", OPTION_BOOL, "Print the actions."),
	ENGINE("list-action-schemas-resource-type", OPTION_STRING, "Print the actions."),
	ENGINE("list-resource-actions", OPTION_STRING, "Not acted upon by the engine either."),
	ENGINE("invoke-resource-action", OPTION_STRING, "Not acted upon by the engine either."),
	ENGINE("invoke-resource-action-resource-type", OPTION_STRING, "Not acted upon by the engine either."),
	ENGINE("invoke-resource-action-args", OPTION_STRING, "Not acted upon by the engine either."),
	ENGINE("event-feed", OPTION_STRING, "Print events."),
	ENGINE("event-feed-id", OPTION_STRING, "Print events."),
	ENGINE("event-feed-start-at", OPTION_STRING, "Print events."),
	ENGINE("event-feed-cursor", OPTION_STRING, "Print events."),
	ENGINE("create-ticket", OPTION_BOOL, "Tickets."),
	ENGINE("bulk-create-ticket", OPTION_BOOL, "Tickets."),
	ENGINE("get-ticket", OPTION_BOOL, "Tickets."),
	ENGINE("list-ticket-schemas", OPTION_BOOL, "Tickets."),
	ENGINE("ticket-id", OPTION_STRING, "Tickets."),
	ENGINE("ticket-template-path", OPTION_STRING, "Tickets."),
	ENGINE("bulk-ticket-template-path", OPTION_STRING, "Tickets."),
	ENGINE("diff-syncs", OPTION_BOOL, "Tools on the engine's files."),
	ENGINE("base-sync-id", OPTION_STRING, "Tools on the engine's files."),
	ENGINE("applied-sync-id", OPTION_STRING, "Tools on the engine's files."),
	ENGINE("compact-syncs", OPTION_BOOL, "Tools on the engine's files."),
	ENGINE("compact-output-path", OPTION_STRING, "Tools on the engine's files."),
	ENGINE("compact-file-paths", OPTION_LIST, "Tools on the engine's files."),
	ENGINE("compact-sync-ids", OPTION_LIST, "Tools on the engine's files."),
};

static const struct option client_items[] = {
	{.name = "target", .type = OPTION_STRING, .value = "ADDRESS", CLIENT_AT(target), .preset = "127.0.0.1:50051",
		.accept = is_address, .expects = ADDRESS_EXPECTED,
		.help = "The server: " ADDRESS_EXPECTED ". Of a host with several addresses all are asked in turn."},
	{.name = "output", .type = OPTION_STRING, .value = "FORMAT", CLIENT_AT(output), .preset = "table",
		.select = outputs, .help = "table: counts per type. jsonl: every object as a line of JSON."},
	{.name = "cursors", .type = OPTION_INT, .value = "N", CLIENT_AT(cursors), .preset = "8", .min = 1, .max = 256,
		.help = "Calls a crawl has open at the same time."},
	{.name = "timeout-seconds", SECONDS, CLIENT_AT(timeout_seconds), .min = 0, .max = 86400,
		.help = "Longest time for one call. 0: 5 for healthcheck, no limit for crawl."},
	{.name = "progress", .type = OPTION_BOOL, CLIENT_AT(progress), .preset = "true",
		.help = "Show progress when stderr is a terminal; --progress=false does not."},
	{.name = "tls-ca-file", PEM, CLIENT_AT(tls_ca_file),
		.help = "Certificates that may have signed the server's, PEM. With it the connection uses TLS."},
	{.name = "tls-cert-file", PEM, CLIENT_AT(tls_cert_file), .help = "Own certificate for mutual TLS, PEM."},
	{.name = "tls-key-file", PEM, CLIENT_AT(tls_key_file), .help = "Private key of the own certificate, PEM."},
	{.name = "tls-server-name", .type = OPTION_STRING, .value = "NAME", CLIENT_AT(tls_server_name),
		.help = "Name in the server's certificate, when it is not the host of --target."},
};

/* clang-format on */

const struct option_table server_options = {
	.items = server_items, .n = ARRAY_LEN(server_items), .is_ambient = true};
const struct option_table client_options = {.items = client_items, .n = ARRAY_LEN(client_items)};

/* --- Look-up --- */

const struct option *options_find(const struct option_table *t, struct str name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eq_c(name, t->items[i].name))
			return &t->items[i];
	return NULL;
}

const struct option *options_find_letter(const struct option_table *t, char letter)
{
	for (size_t i = 0; i < t->n; i++)
		if (letter != 0 && t->items[i].letter == letter)
			return &t->items[i];
	return NULL;
}

#define LONGEST_NAME 48

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein distance, one row at a time. Both are at most LONGEST_NAME long. */
static size_t distance(struct str a, struct str b)
{
	size_t row[LONGEST_NAME + 1];

	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a.p[i - 1] != b.p[j - 1]));
			diagonal = above;
		}
	}
	return row[b.n];
}

const struct option *options_closest(const struct option_table *t, struct str name)
{
	const struct option *closest = NULL;
	size_t least = name.n < 8 ? 2 : 3; /* more letters apart than that is another word */

	if (name.n < 3 || name.n > LONGEST_NAME)
		return NULL;
	for (size_t i = 0; i < t->n; i++) {
		size_t d = distance(name, str_c(t->items[i].name));

		if (d < least) {
			least = d;
			closest = &t->items[i];
		}
	}
	return closest;
}

void option_env_name(const struct option *o, char ret_name[OPTION_ENV_MAX])
{
	size_t n = sizeof(OPTION_ENV_PREFIX) - 1;

	memcpy(ret_name, OPTION_ENV_PREFIX, n);
	for (const char *p = o->name; *p && n + 1 < OPTION_ENV_MAX; p++)
		ret_name[n++] = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	ret_name[n] = '\0';
}

bool option_is_sensitive(const struct option *o)
{
	return o->sensitive || o->type == OPTION_SECRET;
}

/* --- Help --- */

#define HELP_WIDTH  100
#define HELP_COLUMN 34

static const char *const group_titles[OPTION_GROUP_COUNT] = {
	[OPTION_GROUP_LISTEN] = "Listening",
	[OPTION_GROUP_AWS] = "AWS account and credentials",
	[OPTION_GROUP_SYNC] = "What is synced",
	[OPTION_GROUP_STORE] = "Session store",
	[OPTION_GROUP_LOG] = "Log and process",
	[OPTION_GROUP_CLIENT] = "Options",
};

/* Words one by one, broken before HELP_WIDTH; goes on at *column. */
static void add_wrapped(struct buf *out, struct str text, size_t *column)
{
	while (text.p && text.n > 0) {
		struct str word = str_cut(&text, ' ');

		if (*column + 1 + word.n > HELP_WIDTH) {
			buf_fmt(out, "\n%*s", HELP_COLUMN, "");
			*column = HELP_COLUMN;
		} else if (*column > HELP_COLUMN) {
			buf_char(out, ' ');
			(*column)++;
		}
		buf_str(out, word);
		*column += word.n;
	}
}

/* What stands behind the explanation: "[$BATON_LISTEN, default 127.0.0.1:50051]". */
static void add_note(struct buf *out, const struct option_table *t, const struct option *o, size_t *column)
{
	char env[OPTION_ENV_MAX];
	char note[200];
	const char *preset = o->preset ? o->preset : "";

	option_env_name(o, env);
	if (t->is_ambient)
		(void)snprintf(note, sizeof(note), "[$%s%s%s]", env, o->preset ? ", default " : "", preset);
	else if (o->preset)
		(void)snprintf(note, sizeof(note), "[default %s]", preset);
	else
		return;
	add_wrapped(out, str_c(note), column);
}

static void add_option(struct buf *out, const struct option_table *t, const struct option *o)
{
	size_t start = out->n, width, column = HELP_COLUMN;

	buf_fmt(out, "  --%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
	width = out->n - start;
	if (width + 2 > HELP_COLUMN)
		buf_fmt(out, "\n%*s", HELP_COLUMN, "");
	else
		buf_fmt(out, "%*s", (int)(HELP_COLUMN - width), "");
	add_wrapped(out, str_c(o->help), &column);
	add_note(out, t, o, &column);
	buf_char(out, '\n');
}

void options_help(const struct option_table *t, struct buf *out)
{
	for (int group = 0; group < OPTION_GROUP_COUNT; group++) {
		bool titled = false;

		for (size_t i = 0; i < t->n; i++) {
			const struct option *o = &t->items[i];

			if ((int)o->group != group || o->show != OPTION_SHOWN)
				continue;
			if (!titled)
				buf_fmt(out, "\n%s:\n", group_titles[group]);
			titled = true;
			add_option(out, t, o);
		}
	}
}
