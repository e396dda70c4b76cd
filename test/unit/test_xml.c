/* layers: base */
#include "base/xml.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "support/cunit_main.h"

/* Events as text: "<name" at a start, "text>" at an end, with the depth where a test asks for it. */
struct recorder {
	struct buf out;
	const char *refuse; /* the handler fails at the start of this element */
};

static enum err_code on_start(void *self, struct str name, unsigned depth, struct err *reterr)
{
	struct recorder *r = self;

	if (r->refuse && str_eq_c(name, r->refuse))
		return err_set(reterr, ERR_PRECONDITION, "refused by the handler");
	buf_fmt(&r->out, "<%u" STR_FMT " ", depth, STR_ARG(name));
	return ERR_OK;
}

static enum err_code on_end(void *self, struct str name, struct str text, unsigned depth, struct err *reterr)
{
	struct recorder *r = self;

	(void)reterr;
	buf_fmt(&r->out, "%u" STR_FMT "=", depth, STR_ARG(name));
	buf_str(&r->out, text);
	buf_c(&r->out, "> ");
	return ERR_OK;
}

struct run {
	struct str text;
	size_t chunk; /* bytes per feed; 0: all at once */
	size_t max_bytes, max_text;
	const char *refuse;
};

static enum err_code run(struct recorder *rec, const struct run *in, struct err *err)
{
	struct xml_handler handler = {.start = on_start, .end = on_end, .self = rec};
	CLEANUP(xml_reader_freep) struct xml_reader *r = NULL;
	struct str rest = in->text;
	enum err_code rc;

	buf_init(&rec->out, 1 << 20);
	rec->refuse = in->refuse;
	r = xml_reader_new(
		&handler, in->max_bytes ? in->max_bytes : 1 << 20, in->max_text ? in->max_text : 1 << 16);
	do {
		struct str chunk = str_sub(rest, 0, in->chunk ? in->chunk : rest.n);

		rest = str_from(rest, chunk.n);
		rc = xml_reader_feed(r, chunk, rest.n == 0, err);
	} while (rc == ERR_OK && rest.n > 0);
	return rc;
}

static void test_documents(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"<a/>", "<1a 1a=> "},
		{"<a>x</a>", "<1a 1a=x> "},
		{"<?xml version=\"1.0\"?><a><b>1</b><b>2</b></a>", "<1a <2b 2b=1> <2b 2b=2> 1a=> "},
		{"<a xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><b/></a>", "<1a <2b 2b=> 1a=> "},
		{"<p:a xmlns:p=\"urn:x\"><p:b>t</p:b></p:a>", "<1a <2b 2b=t> 1a=> "},
		{"<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;</a>", "<1a 1a=<&>\"'AB> "},
		{"<a><![CDATA[<b>&amp;]]></a>", "<1a 1a=<b>&amp;> "},
		{"<a>x<b>y</b>z</a>", "<1a <2b 2b=y> 1a=xz> "},
		{"<a>\n  <b>y</b>\n  <b>z</b></a>", "<1a <2b 2b=y> <2b 2b=z> 1a=> "},
		{"<a> x <b> y </b></a>", "<1a <2b 2b= y > 1a= x > "},
		{"<a>  </a>", "<1a 1a=  > "},
		{"<a>one<!-- no -->two<?pi no?></a>", "<1a 1a=onetwo> "},
		{"<a>\xc3\xa9\xf0\x9f\x98\x80</a>", "<1a 1a=\xc3\xa9\xf0\x9f\x98\x80> "},
		{"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>", "<1a 1a=\xc3\xa9> "},
		{"<a k=\"v\">x</a>\n", "<1a 1a=x> "},
	};
	static const size_t chunks[] = {0, 1, 3, 7};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t k = 0; k < ARRAY_LEN(chunks); k++) {
			struct run in = {.text = str_c(cases[i].text), .chunk = chunks[k]};
			struct recorder rec;
			struct err err;

			ASSERT_I64(run(&rec, &in, &err), ERR_OK, cases[i].text);
			ASSERT_STR(buf_view(&rec.out), str_c(cases[i].want), cases[i].text);
			buf_deinit(&rec.out);
		}
	}
}

static void test_refusals(void)
{
	static const struct {
		struct str text;
		const char *msg;
	} cases[] = {
		{STR_INIT(""), "not well-formed XML: no element found at line 1, column 0"},
		{STR_INIT("hello"), NULL},
		{STR_INIT("{\"json\":1}"), NULL},
		{STR_INIT("<a>"), "not well-formed XML: no element found at line 1, column 3"},
		{STR_INIT("<a><b></a>"), "not well-formed XML: mismatched tag at line 1, column 8"},
		{STR_INIT("<a></a><b/>"), NULL},
		{STR_INIT("<a>x"), NULL},
		{STR_INIT("<a"), NULL},
		{STR_INIT("<a>&unknown;</a>"), NULL},
		{STR_INIT("<a>\xff</a>"), NULL},
		{STR_INIT("<a>\xed\xa0\x80</a>"), NULL},
		{STR_INIT("<a>&#0;</a>"), NULL},
		{STR_INIT("<a>\0</a>"), NULL},
		{STR_INIT("<p:a/>"), NULL},
		{STR_INIT("<?xml version=\"1.0\" encoding=\"klingon\"?><a/>"), NULL},
		{STR_INIT("<!DOCTYPE a><a/>"), "XML with a document type declaration is refused"},
		{STR_INIT("<!DOCTYPE a [<!ENTITY b \"x\"><!ENTITY c \"&b;&b;&b;&b;\">]><a>&c;</a>"),
			"XML with a document type declaration is refused"},
		{STR_INIT("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>"),
			"XML with a document type declaration is refused"},
		{STR_INIT("<!DOCTYPE a SYSTEM \"http://127.0.0.1/x.dtd\"><a/>"),
			"XML with a document type declaration is refused"},
		{STR_INIT("<Credentials><SecretAccessKey>hunter2</Credentials>"), NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run in = {.text = cases[i].text};
		struct recorder rec;
		struct err err;

		ASSERT_I64(run(&rec, &in, &err), ERR_PROTOCOL, cases[i].text.p);
		if (cases[i].msg)
			ASSERT_STR(str_c(err.msg), str_c(cases[i].msg), cases[i].text.p);
		CU_ASSERT(!str_contains(str_c(err.msg), STR("hunter2")));
		buf_deinit(&rec.out);
	}
}

static enum err_code run_built(
	const struct buf *text, size_t chunk, size_t max_bytes, size_t max_text, struct err *err)
{
	struct run in = {
		.text = buf_view(text), .chunk = chunk, .max_bytes = max_bytes, .max_text = max_text};
	struct recorder rec;
	enum err_code rc = run(&rec, &in, err);

	buf_deinit(&rec.out);
	return rc;
}

static void repeat(struct buf *b, const char *piece, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_c(b, piece);
}

static void test_depth(void)
{
	CLEANUP(buf_deinit) struct buf text;
	struct err err;

	buf_init(&text, 1 << 22);
	repeat(&text, "<a>", XML_MAX_DEPTH);
	repeat(&text, "</a>", XML_MAX_DEPTH);
	CU_ASSERT_EQUAL(run_built(&text, 0, 0, 0, &err), ERR_OK);
	buf_reset(&text);
	repeat(&text, "<a>", XML_MAX_DEPTH + 1);
	CU_ASSERT_EQUAL(run_built(&text, 0, 0, 0, &err), ERR_TOO_LARGE);
	CU_ASSERT_STRING_EQUAL(err.msg, "XML is nested deeper than 32");
	buf_reset(&text);
	repeat(&text, "<a>", 200000);
	CU_ASSERT_EQUAL(run_built(&text, 1000, 0, 0, &err), ERR_TOO_LARGE);
}

static void test_sizes(void)
{
	CLEANUP(buf_deinit) struct buf text;
	struct err err;

	buf_init(&text, 1 << 22);
	buf_c(&text, "<a>0123456789</a>");
	CU_ASSERT_EQUAL(run_built(&text, 0, text.n, 10, &err), ERR_OK);
	CU_ASSERT_EQUAL(run_built(&text, 1, text.n, 10, &err), ERR_OK);
	CU_ASSERT_EQUAL(run_built(&text, 0, text.n - 1, 10, &err), ERR_TOO_LARGE);
	CU_ASSERT_EQUAL(run_built(&text, 1, text.n - 1, 10, &err), ERR_TOO_LARGE);
	CU_ASSERT_EQUAL(run_built(&text, 0, text.n, 9, &err), ERR_TOO_LARGE);
	CU_ASSERT_STRING_EQUAL(err.msg, "text of an XML element is larger than 9 bytes");

	/* the indentation of many members is not the list's text */
	buf_reset(&text);
	buf_c(&text, "<a>");
	repeat(&text, "\n      <b>0123456789</b>", 10000);
	buf_c(&text, "</a>");
	CU_ASSERT_EQUAL(run_built(&text, 0, 0, 20, &err), ERR_OK);

	/* every open element may be full */
	buf_reset(&text);
	repeat(&text, "<a>0123456789", XML_MAX_DEPTH);
	repeat(&text, "</a>", XML_MAX_DEPTH);
	CU_ASSERT_EQUAL(run_built(&text, 0, 0, 10, &err), ERR_OK);
}

/* In UTF-8 a Latin-1 text can be larger than its document: refused, never cut. */
static void test_text_that_grows(void)
{
	CLEANUP(buf_deinit) struct buf text;
	struct err err;

	buf_init(&text, 1 << 20);
	buf_c(&text, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>");
	repeat(&text, "\xe9", 1000);
	buf_c(&text, "<b>");
	repeat(&text, "\xe9", 1000);
	buf_c(&text, "</b></a>");
	CU_ASSERT_EQUAL(run_built(&text, 0, text.n, text.n, &err), ERR_TOO_LARGE);
}

static void test_endless_tag(void)
{
	CLEANUP(buf_deinit) struct buf text;
	struct err err;

	buf_init(&text, 1 << 22);
	buf_c(&text, "<a b=\"");
	repeat(&text, "0123456789", 100000);
	CU_ASSERT_EQUAL(run_built(&text, 1000, 1 << 22, 0, &err), ERR_TOO_LARGE);
	CU_ASSERT_STRING_EQUAL(err.msg, "an XML tag is longer than 131072 bytes");
	/* long text is not a tag */
	buf_reset(&text);
	buf_c(&text, "<a>");
	repeat(&text, "0123456789", 100000);
	buf_c(&text, "</a>");
	CU_ASSERT_EQUAL(run_built(&text, 1000, 1 << 22, 1 << 20, &err), ERR_OK);
}

static void test_handler_stops(void)
{
	struct run in = {.text = STR("<a><b/><stop/><c/></a>"), .refuse = "stop"};
	struct recorder rec;
	struct err err;

	CU_ASSERT_EQUAL(run(&rec, &in, &err), ERR_PRECONDITION);
	CU_ASSERT_STRING_EQUAL(err.msg, "refused by the handler");
	ASSERT_STR(buf_view(&rec.out), STR("<1a <2b 2b=> "), "nothing comes after the refusal");
	buf_deinit(&rec.out);
}

static void test_write(void)
{
	CLEANUP(buf_deinit) struct buf out;

	buf_init(&out, 1000);
	xml_write_text(&out, STR("a<b>&\"c\"'\r\n\xc3\xa9"));
	ASSERT_STR(
		buf_view(&out), STR("a&lt;b&gt;&amp;&quot;c&quot;&apos;&#13;\n\xc3\xa9"), "xml_write_text");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"documents", test_documents},
		{"refusals", test_refusals},
		{"depth", test_depth},
		{"sizes", test_sizes},
		{"text that grows", test_text_that_grows},
		{"endless tag", test_endless_tag},
		{"handler stops", test_handler_stops},
		{"write", test_write},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"xml", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
