/* DESIGN
 *
 * A recursive-descent parser over RFC 5322 section 3.4, in the order in which Go's net/mail tries the
 * alternatives: first the plain addr-spec, then name-addr, then a group. The order matters because it decides
 * which cause is reported. */
#include "proto/email.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ADDRESS_MAX 254
#define LOCAL_MAX   64
#define HOST_MAX    253
#define LABEL_MAX   63

/* Collects text up to what an address may have, and counts on, so that longer ones are known to be too
 * long. */
struct text {
	char p[ADDRESS_MAX];
	size_t n;
};

struct parser {
	struct str s; /* what is left */
	struct text address;
	size_t addresses; /* found in a group */
	char *cause;      /* EMAIL_CAUSE_SIZE */
};

static void text_add(struct text *t, const char *p, size_t n)
{
	size_t room = t->n < sizeof(t->p) ? sizeof(t->p) - t->n : 0;

	if (n > 0)
		memcpy(t->p + (t->n < sizeof(t->p) ? t->n : 0), p, n < room ? n : room);
	t->n += n;
}

PRINTF_LIKE(2, 3)
static bool fail(struct parser *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->cause, EMAIL_CAUSE_SIZE, fmt, ap);
	va_end(ap);
	return false;
}

/* Text as Go's %q prints it, or a rune with ' as quote. Cut to what a cause has room for. */
struct quoted {
	char p[128];
};
#define QUOTE_RESERVE 6 /* the longest character (4 bytes, as has an escape), closing mark, NUL */

static struct quoted quote(struct str s, char mark)
{
	static const char controls[] = "\a\b\f\n\r\t\v", names[] = "abfnrtv";
	struct quoted q;
	size_t n = 0;

	q.p[n++] = mark;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool continues = (c & 0xc0) == 0x80; /* a character is copied whole or not at all */
		const char *control = c != 0 ? strchr(controls, c) : NULL;

		if (!continues && n + QUOTE_RESERVE > sizeof(q.p))
			break;
		if (control != NULL)
			n += (size_t)snprintf(q.p + n, sizeof(q.p) - n, "\\%c", names[control - controls]);
		else if (c == (unsigned char)mark || c == '\\')
			n += (size_t)snprintf(q.p + n, sizeof(q.p) - n, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			n += (size_t)snprintf(q.p + n, sizeof(q.p) - n, "\\x%02x", c);
		else
			q.p[n++] = (char)c;
	}
	q.p[n++] = mark;
	q.p[n] = '\0';
	return q;
}

static bool is_vchar(char c) /* RFC 6532: every byte of a multi-byte character counts as visible */
{
	return (c >= '!' && c <= '~') || (unsigned char)c >= 0x80;
}

static bool is_atext(char c)
{
	return is_vchar(c) && strchr("()<>[]:;@\\,\"", c) == NULL;
}

static bool peek(const struct parser *p, char c)
{
	return p->s.n > 0 && p->s.p[0] == c;
}

static bool consume(struct parser *p, char c)
{
	if (!peek(p, c))
		return false;
	p->s = str_from(p->s, 1);
	return true;
}

static void skip_space(struct parser *p)
{
	while (consume(p, ' ') || consume(p, '\t'))
		;
}

static bool skip_comment(struct parser *p) /* behind its opening parenthesis */
{
	size_t depth = 1;

	while (p->s.n > 0 && depth > 0) {
		if (p->s.p[0] == '\\' && p->s.n > 1)
			p->s = str_from(p->s, 1);
		else if (p->s.p[0] == '(')
			depth++;
		else if (p->s.p[0] == ')')
			depth--;
		p->s = str_from(p->s, 1);
	}
	return depth == 0 || fail(p, "mail: misformatted parenthetical comment");
}

static bool skip_cfws(struct parser *p)
{
	skip_space(p);
	while (consume(p, '(')) {
		if (!skip_comment(p))
			return false;
		skip_space(p);
	}
	return true;
}

/* A run of atext and dots. */
static bool take_atom(struct parser *p, struct str *ret)
{
	size_t n = 0;

	while (n < p->s.n && is_atext(p->s.p[n]))
		n++;
	if (n == 0)
		return fail(p, "mail: invalid string");
	*ret = str_sub(p->s, 0, n);
	p->s = str_from(p->s, n);
	return true;
}

static bool take_dot_atom(struct parser *p, struct text *out)
{
	struct str atom;

	if (!take_atom(p, &atom))
		return false;
	if (str_starts(atom, STR(".")))
		return fail(p, "mail: leading dot in atom");
	if (str_contains(atom, STR("..")))
		return fail(p, "mail: double dot in atom");
	if (str_ends(atom, STR(".")))
		return fail(p, "mail: trailing dot in atom");
	text_add(out, atom.p, atom.n);
	return true;
}

/* From its opening quote; out gets the content without escapes. Nothing is consumed on failure. */
static bool take_quoted(struct parser *p, struct text *out)
{
	bool escaped = false;

	for (size_t i = 1; i < p->s.n; i++) {
		char c = p->s.p[i];

		if (!escaped && c == '"') {
			p->s = str_from(p->s, i + 1);
			return true;
		}
		if (!escaped && c == '\\') {
			escaped = true;
			continue;
		}
		if (!is_vchar(c) && c != ' ' && c != '\t')
			return fail(
				p, "mail: bad character in quoted-string: %s", quote(str_n(&c, 1), '\'').p);
		text_add(out, &c, 1);
		escaped = false;
	}
	return fail(p, "mail: unclosed quoted-string");
}

static bool is_ip(struct str s)
{
	char text[INET6_ADDRSTRLEN], addr[sizeof(struct in6_addr)];

	if (s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET, text, addr) == 1 || inet_pton(AF_INET6, text, addr) == 1;
}

static bool take_domain_literal(struct parser *p, struct text *out)
{
	struct str literal;
	size_t n = 1;

	for (; n < p->s.n && p->s.p[n] != ']'; n++)
		if (!is_vchar(p->s.p[n]) || p->s.p[n] == '[' || p->s.p[n] == '\\')
			return fail(p, "mail: bad character in domain-literal: %s",
				quote(str_sub(p->s, n, 1), '\'').p);
	if (n == p->s.n)
		return fail(p, "mail: unclosed domain-literal");
	literal = str_sub(p->s, 1, n - 1);
	if (!is_ip(literal))
		return fail(p, "mail: invalid IP address in domain-literal: %s", quote(literal, '"').p);
	text_add(out, p->s.p, n + 1);
	p->s = str_from(p->s, n + 1);
	return true;
}

static bool take_local_at_domain(struct parser *p, struct text *out)
{
	skip_space(p);
	if (p->s.n == 0)
		return fail(p, "mail: no addr-spec");
	if (peek(p, '"')) {
		if (!take_quoted(p, out) || out->n == 0)
			return fail(p, "mail: empty quoted string in addr-spec");
	} else if (!take_dot_atom(p, out)) {
		return false;
	}
	if (!consume(p, '@'))
		return fail(p, "mail: missing @ in addr-spec");
	text_add(out, "@", 1);
	skip_space(p);
	if (p->s.n == 0)
		return fail(p, "mail: no domain in addr-spec");
	return peek(p, '[') ? take_domain_literal(p, out) : take_dot_atom(p, out);
}

/* Nothing is consumed on failure. */
static bool take_addr_spec(struct parser *p)
{
	struct str start = p->s;
	struct text address = {.n = 0};

	if (!take_local_at_domain(p, &address)) {
		p->s = start;
		return false;
	}
	if (p->addresses++ == 0)
		p->address = address;
	return true;
}

/* A display name: words, of which one is enough. *ret_atom: it is one word that an addr-spec could begin
 * with. */
static bool take_phrase(struct parser *p, bool *ret_atom)
{
	size_t words = 0;

	*ret_atom = true;
	for (;; words++) {
		struct text quoted = {.n = 0};
		struct str atom;
		bool ok;

		if (words > 0 && !skip_cfws(p))
			return false;
		skip_space(p);
		if (p->s.n == 0)
			break;
		ok = peek(p, '"') ? take_quoted(p, &quoted) : take_atom(p, &atom);
		if (!ok && words == 0) {
			char word_cause[EMAIL_CAUSE_SIZE];

			memcpy(word_cause, p->cause, sizeof(word_cause));
			return fail(p, "mail: missing word in phrase: %.150s", word_cause);
		}
		if (!ok)
			break;
		for (size_t i = 0; i < quoted.n && i < sizeof(quoted.p); i++)
			*ret_atom &= is_atext(quoted.p[i]);
	}
	*ret_atom &= words == 1;
	return true;
}

static bool take_group_members(struct parser *p);

static bool take_address(struct parser *p, bool group_allowed)
{
	bool atom = false;

	skip_space(p);
	if (p->s.n == 0)
		return fail(p, "mail: no address");
	if (take_addr_spec(p)) {
		skip_space(p);
		return !consume(p, '(') || skip_comment(p);
	}
	if (!peek(p, '<') && !take_phrase(p, &atom))
		return false;
	skip_space(p);
	if (group_allowed && consume(p, ':'))
		return take_group_members(p);
	if (!consume(p, '<'))
		return fail(p, atom ? "mail: missing '@' or angle-addr" : "mail: no angle-addr");
	if (!take_addr_spec(p))
		return false;
	return consume(p, '>') || fail(p, "mail: unclosed angle-addr");
}

static bool take_group_members(struct parser *p)
{
	skip_space(p);
	if (consume(p, ';'))
		return skip_cfws(p);
	for (;;) {
		if (!take_address(p, /* group_allowed= */ false) || !skip_cfws(p))
			return false;
		if (consume(p, ';'))
			return skip_cfws(p);
		if (!consume(p, ','))
			return fail(p, "mail: expected comma");
	}
}

static bool parse(struct parser *p)
{
	if (!take_address(p, /* group_allowed= */ true) || !skip_cfws(p))
		return false;
	if (p->s.n > 0)
		return fail(p, "mail: expected single address, got %s", quote(p->s, '"').p);
	if (p->addresses == 0)
		return fail(p, "mail: empty group");
	if (p->addresses > 1)
		return fail(p, "mail: group with multiple addresses");
	return true;
}

/* The character that begins at s.p[i], whole. */
static struct str char_at(struct str s, size_t i)
{
	size_t n = 1;

	while (i + n < s.n && ((unsigned char)s.p[i + n] & 0xc0) == 0x80)
		n++;
	return str_sub(s, i, n);
}

static bool check_host(struct parser *p, struct str host)
{
	struct str rest = host, label;

	if (host.n > HOST_MAX)
		return fail(p, "hostname cannot exceed 253 characters");
	if (str_ends(rest, STR(".")))
		rest.n--;
	do {
		label = str_cut(&rest, '.');
		if (label.n == 0 || label.n > LABEL_MAX)
			return fail(p, "hostname part must be non-empty and cannot exceed 63 characters");
		if (label.p[0] == '-')
			return fail(p, "hostname parts cannot begin with hyphens");
		if (label.p[label.n - 1] == '-')
			return fail(p, "hostname parts cannot end with hyphens");
		for (size_t i = 0; i < label.n; i++) {
			char c = label.p[i];
			bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				  (c >= '0' && c <= '9') || c == '-';

			if (!ok)
				return fail(p,
					"hostname parts can only contain alphanumeric characters or hyphens, "
					"got %s",
					quote(char_at(label, i), '"').p);
		}
	} while (rest.p != NULL);
	return true;
}

bool email_check(struct str text, char ret_cause[EMAIL_CAUSE_SIZE])
{
	struct parser p = {.s = text, .cause = ret_cause};
	struct str domain, local;

	if (!parse(&p))
		return false;
	if (p.address.n > ADDRESS_MAX)
		return fail(&p, "email addresses cannot exceed 254 characters");
	domain = str_n(p.address.p, p.address.n);
	local = str_cut(&domain, '@'); /* the first one, also where it stands inside a quoted local part */
	if (local.n > LOCAL_MAX)
		return fail(&p, "email address local phrase cannot exceed 64 characters");
	return check_host(&p, domain);
}
