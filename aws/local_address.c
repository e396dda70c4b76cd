#include "aws/local_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Agents: ECS; EKS Pod Identity, IPv4 and IPv6. */
#define ECS_AGENT      0xa9feaa02u /* 169.254.170.2 */
#define EKS_AGENT      0xa9feaa17u /* 169.254.170.23 */
#define EKS_AGENT_IPV6 "fd00:ec2::23"

static bool is_local_v4(uint32_t address)
{
	return address >> 24 == 127 || address == ECS_AGENT || address == EKS_AGENT;
}

static bool is_local_v6(const struct in6_addr *address)
{
	struct in6_addr eks;
	uint32_t v4;

	if (IN6_IS_ADDR_V4MAPPED(address)) {
		memcpy(&v4, &address->s6_addr[12], sizeof(v4));
		return is_local_v4(ntohl(v4));
	}
	inet_pton(AF_INET6, EKS_AGENT_IPV6, &eks);
	return IN6_IS_ADDR_LOOPBACK(address) || IN6_ARE_ADDR_EQUAL(address, &eks);
}

/* Adds an address in the form of a URL. False: it does not qualify. */
static bool add(struct arena *a, const struct sockaddr *address, struct local_addresses *out)
{
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	bool is_v6 = address->sa_family == AF_INET6;

	if (is_v6) {
		memcpy(&v6, address, sizeof(v6));
		if (!is_local_v6(&v6.sin6_addr))
			return false;
		inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
	} else {
		memcpy(&v4, address, sizeof(v4));
		if (!is_local_v4(ntohl(v4.sin_addr.s_addr)))
			return false;
		inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
	}
	if (out->n < LOCAL_ADDRESS_MAX)
		out->url_hosts[out->n++] = str_fmt(a, is_v6 ? "[%s]" : "%s", text);
	return true;
}

enum err_code local_addresses_of(
	struct arena *a, struct str host, struct local_addresses *ret, struct err *reterr)
{
	static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct local_addresses out = {.n = 0};
	struct addrinfo *found = NULL;
	bool all_local = true;
	struct str name = host;
	int rc;

	if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
		name = str_sub(name, 1, name.n - 2);
	rc = getaddrinfo(str_dup_c(a, name), NULL, &hints, &found);
	if (rc != 0)
		return err_set(reterr, ERR_UNAUTHENTICATED, "cannot resolve the host '" STR_FMT "': %s",
			STR_ARG(host), gai_strerror(rc));
	for (const struct addrinfo *i = found; i && all_local; i = i->ai_next)
		all_local = add(a, i->ai_addr, &out);
	freeaddrinfo(found);
	if (!all_local || out.n == 0)
		return err_set(reterr, ERR_UNAUTHENTICATED,
			"'" STR_FMT "' is neither this host nor an agent of ECS or EKS: credentials are "
			"asked for there over "
			"https only",
			STR_ARG(host));
	*ret = out;
	return ERR_OK;
}
