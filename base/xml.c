/* DESIGN
 *
 * expat tokenizes; this file keeps what a reader of AWS answers needs of it: local names, the text of each
 * element, and limits. The text of all open elements lies in one buffer, each element's part behind its
 * parent's: an element that ends hands out its part and cuts it off, so mixed content joins by itself and
 * nothing is copied.
 *
 * White space between child elements is dropped, or the indentation of a list with thousands of members would
 * count as the list's text. */
#include "base/xml.h"

#include <expat.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

/* Expat 2.9 gives these a fixed width under new names and warns of the old ones; Debian 12 has only the old ones. */
#if XML_MAJOR_VERSION == 2 && XML_MINOR_VERSION < 9
#define XML_GetCurrentLineNumber64   XML_GetCurrentLineNumber
#define XML_GetCurrentColumnNumber64 XML_GetCurrentColumnNumber
#define XML_GetCurrentByteIndex64    XML_GetCurrentByteIndex
#endif

/* Between namespace and local name. Neither can hold it. */
#define NS_SEPARATOR '\n'
/* What goes to expat at once. */
#define SLICE_BYTES (64 * 1024)
/* A tag that is still open after this many bytes is an attack: expat would look at it again from its start
 * with each slice. AWS's longest tag is below 200 bytes. */
#define MAX_PENDING (2 * SLICE_BYTES)

struct level {
	size_t text_from; /* where this element's text starts in reader->text */
	bool has_ink;     /* something other than white space is in it */
};

struct xml_reader {
	struct xml_handler handler;
	XML_Parser parser;
	size_t max_bytes;
	size_t max_text;
	size_t fed;
	struct buf text;
	struct level levels[XML_MAX_DEPTH];
	unsigned depth;
	enum err_code code; /* not ERR_OK: stopped, with the reason in err */
	struct err err;
};

/* After this expat may still deliver an event or two; every callback looks at code first. */
static void stop(struct xml_reader *r, enum err_code code)
{
	r->code = code;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

static struct str local_name(const char *name)
{
	const char *separator = strrchr(name, NS_SEPARATOR);

	return str_c(separator ? separator + 1 : name);
}

static void on_start(void *userdata, const char *name, const char **attributes)
{
	struct xml_reader *r = userdata;
	struct level *parent = r->depth > 0 ? &r->levels[r->depth - 1] : NULL;
	enum err_code rc;

	(void)attributes;
	if (r->code != ERR_OK)
		return;
	if (r->depth == XML_MAX_DEPTH) {
		stop(r, err_set(&r->err, ERR_TOO_LARGE, "XML is nested deeper than %d", XML_MAX_DEPTH));
		return;
	}
	if (parent && !parent->has_ink)
		r->text.n = parent->text_from;
	r->levels[r->depth++] = (struct level){.text_from = r->text.n, .has_ink = false};
	rc = r->handler.start(r->handler.self, local_name(name), r->depth, &r->err);
	if (rc != ERR_OK)
		stop(r, rc);
}

static void on_end(void *userdata, const char *name)
{
	struct xml_reader *r = userdata;
	struct level *level = &r->levels[r->depth - 1];
	enum err_code rc;

	if (r->code != ERR_OK)
		return;
	rc = r->handler.end(r->handler.self, local_name(name), str_from(buf_view(&r->text), level->text_from),
		r->depth, &r->err);
	r->text.n = level->text_from;
	r->depth--;
	if (rc != ERR_OK)
		stop(r, rc);
}

static bool is_ink(struct str s)
{
	return str_trim(s).n > 0;
}

static void on_text(void *userdata, const char *p, int len)
{
	struct xml_reader *r = userdata;
	struct level *level = &r->levels[r->depth - 1];
	struct str s = str_n(p, (size_t)len);

	if (r->code != ERR_OK)
		return;
	if (s.n > r->max_text - (r->text.n - level->text_from)) {
		stop(r, err_set(&r->err, ERR_TOO_LARGE, "text of an XML element is larger than %zu bytes",
				r->max_text));
		return;
	}
	if (!level->has_ink)
		level->has_ink = is_ink(s);
	buf_str(&r->text, s);
	if (r->text.overflow)
		stop(r, err_set(&r->err, ERR_TOO_LARGE, "the text of XML takes more than %zu bytes",
				r->text.cap));
}

static void on_doctype(void *userdata, const char *name, const char *system_id, const char *public_id,
	int has_internal_subset)
{
	struct xml_reader *r = userdata;

	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_internal_subset;
	stop(r, err_set(&r->err, ERR_PROTOCOL, "XML with a document type declaration is refused"));
}

struct xml_reader *xml_reader_new(const struct xml_handler *h, size_t max_bytes, size_t max_text)
{
	static const XML_Memory_Handling_Suite memory = {mem_alloc, mem_realloc_wiped, mem_free_wiped};
	static const char separator[] = {NS_SEPARATOR, '\0'};
	struct xml_reader *r = mem_zalloc(sizeof(*r));

	r->handler = *h;
	r->max_bytes = max_bytes;
	r->max_text = max_text;
	/* Each open element is below max_text, so together they stay below this; and no text in UTF-8 is larger
	 * than its document. */
	buf_init(&r->text, max_text < max_bytes / XML_MAX_DEPTH ? max_text * XML_MAX_DEPTH : max_bytes);
	r->text.wipe = true; /* AssumeRole's answer passes through it, and through expat's buffers */
	r->parser =
		XML_ParserCreate_MM(NULL, &memory, separator); /* NULL only without memory, which aborts */
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	return r;
}

void xml_reader_free(struct xml_reader *r)
{
	if (!r)
		return;
	XML_ParserFree(r->parser);
	buf_deinit(&r->text);
	mem_free(r);
}

void xml_reader_freep(struct xml_reader **r)
{
	xml_reader_free(*r);
	*r = NULL;
}

/* No byte of the document goes into the message: it may be a credential. */
static enum err_code syntax_error(struct xml_reader *r)
{
	return err_set(&r->err, ERR_PROTOCOL, "not well-formed XML: %s at line %lu, column %lu",
		XML_ErrorString(XML_GetErrorCode(r->parser)),
		(unsigned long)XML_GetCurrentLineNumber64(r->parser),
		(unsigned long)XML_GetCurrentColumnNumber64(r->parser));
}

static enum err_code feed_slice(struct xml_reader *r, struct str slice, bool is_last)
{
	int64_t parsed;

	r->fed += slice.n;
	if (XML_Parse(r->parser, slice.n ? slice.p : "", (int)slice.n, is_last) == XML_STATUS_ERROR &&
		r->code == ERR_OK)
		r->code = syntax_error(r);
	if (r->code != ERR_OK || is_last)
		return r->code;
	parsed = XML_GetCurrentByteIndex64(r->parser);
	if (r->fed - (parsed > 0 ? (size_t)parsed : 0) > MAX_PENDING)
		r->code = err_set(&r->err, ERR_TOO_LARGE, "an XML tag is longer than %d bytes", MAX_PENDING);
	return r->code;
}

enum err_code xml_reader_feed(struct xml_reader *r, struct str chunk, bool is_last, struct err *reterr)
{
	enum err_code rc;

	if (chunk.n > r->max_bytes - r->fed)
		return err_set(reterr, ERR_TOO_LARGE, "XML is larger than %zu bytes", r->max_bytes);
	do {
		struct str slice = str_sub(chunk, 0, SLICE_BYTES);

		chunk = str_from(chunk, slice.n);
		rc = feed_slice(r, slice, is_last && chunk.n == 0);
	} while (rc == ERR_OK && chunk.n > 0);
	if (rc != ERR_OK)
		*reterr = r->err;
	return rc;
}

void xml_write_text(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '&':
			buf_c(b, "&amp;");
			break;
		case '<':
			buf_c(b, "&lt;");
			break;
		case '>':
			buf_c(b, "&gt;");
			break;
		case '"':
			buf_c(b, "&quot;");
			break;
		case '\'':
			buf_c(b, "&apos;");
			break;
		case '\r': /* a reader would turn a bare one into \n */
			buf_c(b, "&#13;");
			break;
		default:
			buf_char(b, s.p[i]);
		}
	}
}
