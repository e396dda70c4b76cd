/* server/capabilities.h
 *
 * What the connector announces that it can do (spec/rpc-surface.md 3.2): a running one, computed from the registered
 * syncers and feeds, and the connector as such.
 *
 * Threads: pure. Ownership: the message lives in the arena. */
#ifndef SERVER_CAPABILITIES_H
#define SERVER_CAPABILITIES_H

#include <stdbool.h>

#include "base/arena.h"
#include "proto/messages.h"
#include "server/connector.h"

V2(ConnectorCapabilities) * capabilities_of(const struct connector *c, struct arena *arena);

/* The static document (spec/config.md 8.1): every type of the connector and all that can be done with it, whatever is
 * configured or works in this version. */
V2(ConnectorCapabilities) * capabilities_of_all(struct arena *arena);

/* Some type announces it. */
bool capabilities_have(const V2(ConnectorCapabilities) * all, V2(Capability) capability);

/* The subcommand: prints the static document as JSON. Returns the exit code. */
int capabilities_main(void);

#endif
