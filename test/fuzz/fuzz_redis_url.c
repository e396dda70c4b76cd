/* layers: store base
 *
 * URLs of Redis, and the hosts that MOVED and Sentinel name. */
#include "store/redis_url.h"

#include "support/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct str text = str_n((const char *)data, size);
	struct redis_host host;
	struct redis_url url;
	struct err err;

	if (redis_host_parse(arena, text, 0, &host))
		FUZZ_CHECK(host.host.n > 0 && host.port > 0 && host.port <= 65535);
	if (redis_url_parse(arena, text, &url, &err) != ERR_OK)
		return 0;
	FUZZ_CHECK((url.n_hosts > 0) != (url.path.n > 0));
	for (size_t i = 0; i < url.n_hosts; i++)
		FUZZ_CHECK(url.hosts[i].host.n > 0 && url.hosts[i].port > 0 && url.hosts[i].port <= 65535);
	secret_unref(url.password);
	return 0;
}
