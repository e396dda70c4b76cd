/* base/xml.h
 *
 * XML from outside, as a stream: bytes go in by chunks, element events come out. The one place that knows expat.
 *
 * Limits: nesting depth, text per element, total bytes. DTDs and entity declarations are refused, so there is no entity expansion
 * and no external reference.
 *
 * Threads: one reader, one thread. Ownership: what callbacks get is valid during the callback. */
#ifndef BASE_XML_H
#define BASE_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define XML_MAX_DEPTH 32

struct xml_handler {
	/* name: local name, without namespace. depth: 1 for the root. */
	enum err_code (*start)(void *self, struct str name, unsigned depth, struct err *reterr);
	/* text: all character data directly inside the element; of mixed content, all pieces joined. White space before a
	 * child element is dropped when nothing but white space came before it. */
	enum err_code (*end)(
		void *self, struct str name, struct str text, unsigned depth, struct err *reterr);
	void *self;
};

struct xml_reader;

struct xml_reader *xml_reader_new(const struct xml_handler *h, size_t max_bytes, size_t max_text);
void xml_reader_free(struct xml_reader *r); /* NULL is fine */
void xml_reader_freep(struct xml_reader **r);

/* ERR_PROTOCOL: not well-formed, or a DTD. ERR_TOO_LARGE: a limit. Or what the handler returned. After an error only
 * xml_reader_free may follow. is_last: no more bytes come; a document that is not complete then is ERR_PROTOCOL. */
MUST_CHECK enum err_code xml_reader_feed(
	struct xml_reader *r, struct str chunk, bool is_last, struct err *reterr);

/* Appends s escaped for element content (& < > and quotes). */
struct buf;
void xml_write_text(struct buf *b, struct str s);

#endif
