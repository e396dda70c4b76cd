#include "base/encode.h"

#include <string.h>

static const char b64_std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char b64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static struct str b64_write(struct arena *a, struct str bytes, const char *alphabet, bool pad)
{
	const unsigned char *in = (const unsigned char *)bytes.p;
	size_t n = bytes.n, i;
	char *text = arena_alloc(a, n / 3 * 4 + 5), *out = text;

	for (i = 0; i + 3 <= n; i += 3) {
		*out++ = alphabet[in[i] >> 2];
		*out++ = alphabet[(in[i] & 3) << 4 | in[i + 1] >> 4];
		*out++ = alphabet[(in[i + 1] & 15) << 2 | in[i + 2] >> 6];
		*out++ = alphabet[in[i + 2] & 63];
	}
	if (n - i == 1) {
		*out++ = alphabet[in[i] >> 2];
		*out++ = alphabet[(in[i] & 3) << 4];
	} else if (n - i == 2) {
		*out++ = alphabet[in[i] >> 2];
		*out++ = alphabet[(in[i] & 3) << 4 | in[i + 1] >> 4];
		*out++ = alphabet[(in[i + 1] & 15) << 2];
	}
	while (pad && (out - text) % 4 != 0)
		*out++ = '=';
	*out = '\0';
	return str_n(text, (size_t)(out - text));
}

/* Value of a digit, -1 for any other byte. */
static int b64_digit(char c, const char *alphabet)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == alphabet[62])
		return 62;
	return c == alphabet[63] ? 63 : -1;
}

/* text without padding. One text only means one sequence of bytes: left-over bits must be zero, so that
 * nobody can make two tokens of one. */
static bool b64_read(struct arena *a, struct str text, const char *alphabet, struct str *ret_bytes)
{
	uint32_t bits = 0;
	unsigned n_bits = 0;
	char *bytes, *out;

	if (text.n % 4 == 1)
		return false;
	bytes = out = arena_alloc(a, text.n / 4 * 3 + 3); /* smaller than the text, which had its limit */
	for (size_t i = 0; i < text.n; i++) {
		int digit = b64_digit(text.p[i], alphabet);

		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			*out++ = (char)(bits >> n_bits);
			bits &= (UINT32_C(1) << n_bits) - 1;
		}
	}
	if (bits != 0)
		return false;
	*out = '\0';
	*ret_bytes = str_n(bytes, (size_t)(out - bytes));
	return true;
}

struct str b64_encode(struct arena *a, struct str bytes)
{
	return b64_write(a, bytes, b64_std, /* pad= */ true);
}

bool b64_decode(struct arena *a, struct str text, struct str *ret_bytes)
{
	if (text.n % 4 != 0)
		return false;
	if (str_ends(text, STR("==")))
		text.n -= 2;
	else if (str_ends(text, STR("=")))
		text.n -= 1;
	return b64_read(a, text, b64_std, ret_bytes);
}

struct str b64url_encode(struct arena *a, struct str bytes)
{
	return b64_write(a, bytes, b64_url, /* pad= */ false);
}

bool b64url_decode(struct arena *a, struct str text, struct str *ret_bytes)
{
	return b64_read(a, text, b64_url, ret_bytes);
}

void hex_write(char *out, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
}

struct str hex_encode(struct arena *a, struct str bytes)
{
	char *out = arena_array(a, bytes.n + 1, 2); /* the one more holds the NUL */

	hex_write(out, (const uint8_t *)bytes.p, bytes.n);
	return str_n(out, 2 * bytes.n);
}

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.' || c == '_' || c == '~';
}

void percent_encode(struct buf *out, struct str bytes, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char u = (unsigned char)bytes.p[i];

		if (is_unreserved(bytes.p[i]) || (keep_slash && u == '/'))
			buf_char(out, bytes.p[i]);
		else
			buf_add(out, (char[]){'%', digits[u >> 4], digits[u & 15]}, 3);
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool percent_decode(struct arena *a, struct str text, struct str *ret_bytes)
{
	char *bytes = arena_alloc(a, text.n + 1), *out = bytes;

	for (size_t i = 0; i < text.n; i++) {
		int high, low;

		if (text.p[i] != '%') {
			*out++ = text.p[i];
			continue;
		}
		if (text.n - i < 3)
			return false;
		high = hex_digit(text.p[i + 1]);
		low = hex_digit(text.p[i + 2]);
		if (high < 0 || low < 0)
			return false;
		*out++ = (char)(high << 4 | low);
		i += 2;
	}
	*out = '\0';
	*ret_bytes = str_n(bytes, (size_t)(out - bytes));
	return true;
}
