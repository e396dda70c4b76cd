/* server/capabilities.h
 *
 * What the connector announces that it can do, computed from the registered syncers and feeds
 * (spec/rpc-surface.md 3.2).
 *
 * Threads: pure. Ownership: the message lives in the arena. */
#ifndef SERVER_CAPABILITIES_H
#define SERVER_CAPABILITIES_H

#include <stdbool.h>

#include "base/arena.h"
#include "proto/messages.h"
#include "server/connector.h"

V2(ConnectorCapabilities) * capabilities_of(const struct connector *c, struct arena *arena);

/* Some type announces it, or (event feeds) there is one. */
bool capabilities_has(const struct connector *c, V2(Capability) capability);

#endif
