/* DESIGN
 *
 * Runs a fuzz target without a fuzzing engine, so that every build checks what fuzzing has found: all files
 * of a corpus folder, each as it is and in MUTATIONS deterministic variants. No coverage guides them; finding
 * new paths is the engine's job (preset fuzz). What they find is still much: truncations, flipped bits,
 * lengths that lie, spliced inputs.
 *
 *	fuzz_encode test/fuzz/corpus/encode        all of it
 *	fuzz_encode --write FILE N OUT             writes variant N of FILE, for a debugger
 *
 * Each input stands alone in a heap block of exactly its size, so that AddressSanitizer sees one byte too
 * far. When the target dies, the last line on stderr names the input. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "support/fuzz.h"

#if defined(__SANITIZE_ADDRESS__)
#define DRIVER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DRIVER_ASAN 1
#endif
#endif
#ifdef DRIVER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

enum {
	MUTATIONS = 300,
	MAX_FILE = 1024 * 1024,
	MAX_EDITS = 6, /* per variant */
};

struct bytes {
	uint8_t *p;
	size_t n;
};

static char running[600]; /* what is in the target now, for the one who has to find out why it died */

static void say_what_ran(void)
{
	/* Nothing can be done about a failing write while dying. */
	ssize_t n = write(STDERR_FILENO, running, strlen(running));

	(void)n;
}

static void on_crash(int sig)
{
	say_what_ran();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void watch_crashes(void)
{
#ifdef DRIVER_ASAN
	__sanitizer_set_death_callback(say_what_ran);
	signal(SIGABRT, on_crash);
#else
	static const int crashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

	for (size_t i = 0; i < ARRAY_LEN(crashes); i++)
		signal(crashes[i], on_crash);
#endif
}

static bool read_file(const char *path, struct bytes *ret)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	ret->p = mem_alloc(MAX_FILE);
	n = fread(ret->p, 1, MAX_FILE, f);
	if (ferror(f) || fgetc(f) != EOF) {
		fprintf(stderr, "%s: cannot be read, or is larger than %d bytes\n", path, MAX_FILE);
		mem_free(ret->p);
		fclose(f);
		return false;
	}
	fclose(f);
	ret->p = mem_realloc(ret->p, n);
	ret->n = n;
	return true;
}

static uint64_t next_random(uint64_t *state) /* xorshift64 */
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static size_t below(uint64_t *state, size_t n)
{
	return n ? (size_t)(next_random(state) % n) : 0;
}

/* Puts n bytes of `from` in place of the `gone` bytes at `at`. */
static void splice(struct bytes *b, size_t at, size_t gone, const uint8_t *from, size_t n)
{
	uint8_t *p = mem_alloc(b->n - gone + n);

	if (at)
		memcpy(p, b->p, at);
	if (n)
		memcpy(p + at, from, n);
	if (b->n - at - gone)
		memcpy(p + at + n, b->p + at + gone, b->n - at - gone);
	mem_free(b->p);
	b->p = p;
	b->n = b->n - gone + n;
}

/* Bytes that parsers treat specially, and the ends of ranges. */
static const uint8_t special[] = {0, 1, 0x7f, 0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xfe, 0xff,
	'\n', '\r', ' ', '"', '\\', '%', '+', '/', '=', '<', '>', '&', ';', '{', '}', '[', ']', ',', ':', '-',
	'.', '0', '9', 'e'};

static void edit(struct bytes *b, const struct bytes *file, uint64_t *random)
{
	size_t at = below(random, b->n), n = below(random, b->n - at + 1);
	size_t from = below(random, file->n);

	switch (next_random(random) % 7) {
	case 0: /* flip a bit */
		if (b->n)
			b->p[at] ^= (uint8_t)(1u << below(random, 8));
		break;
	case 1: /* another byte */
		if (b->n)
			b->p[at] = special[below(random, sizeof(special))];
		break;
	case 2: /* one more byte */
		splice(b, at, 0, &special[below(random, sizeof(special))], 1);
		break;
	case 3: /* cut the end off */
		splice(b, at, b->n - at, NULL, 0);
		break;
	case 4: /* a piece less */
		splice(b, at, n < 16 ? n : n % 16, NULL, 0);
		break;
	case 5: /* a piece of the original, maybe over what was there */
		if (b->n < MAX_FILE && file->n)
			splice(b, at, next_random(random) % 2 ? n : 0, file->p + from,
				below(random, file->n - from) + 1);
		break;
	default: /* a piece twice */
		if (b->n < MAX_FILE && n) {
			uint8_t *piece = mem_alloc(n);

			memcpy(piece, b->p + at, n);
			splice(b, at, 0, piece, n);
			mem_free(piece);
		}
	}
}

/* Variant 0 is the file itself. A variant depends on the file's bytes only, not on what else is in the
 * folder. */
static struct bytes variant_of(const struct bytes *file, int variant)
{
	struct bytes b = {.p = mem_alloc(file->n), .n = file->n};
	uint64_t random = str_hash(str_n((const char *)file->p, file->n)) + (uint64_t)variant * 0x9e3779b9;

	if (file->n)
		memcpy(b.p, file->p, file->n);
	if (random == 0)
		random = 1;
	for (size_t edits = variant ? 1 + below(&random, MAX_EDITS) : 0; edits > 0; edits--)
		edit(&b, file, &random);
	return b;
}

static int run_file(const char *path)
{
	struct bytes file;

	if (!read_file(path, &file))
		return 1;
	for (int variant = 0; variant <= MUTATIONS; variant++) {
		struct bytes b = variant_of(&file, variant);

		snprintf(running, sizeof(running), "died in variant %d of %s\n", variant, path);
		(void)LLVMFuzzerTestOneInput(b.p, b.n);
		mem_free(b.p);
	}
	mem_free(file.p);
	return 0;
}

static int write_variant(const char *path, int variant, const char *out_path)
{
	struct bytes file, b;
	FILE *out;
	bool ok;

	if (!read_file(path, &file))
		return 1;
	b = variant_of(&file, variant);
	out = fopen(out_path, "wb");
	ok = out && fwrite(b.p, 1, b.n, out) == b.n;
	ok = out && fclose(out) == 0 && ok;
	if (!ok)
		fprintf(stderr, "%s: %s\n", out_path, strerror(errno));
	mem_free(b.p);
	mem_free(file.p);
	return ok ? 0 : 1;
}

static int no_dot(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int run_folder(const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, no_dot, alphasort), rc = 0;
	size_t blocks = mem_live_blocks();
	char path[512];

	if (n <= 0) {
		fprintf(stderr, "%s: no corpus there\n", folder);
		return 1;
	}
	snprintf(running, sizeof(running), "died in the empty input\n");
	(void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		rc |= run_file(path);
		free(entries[i]);
	}
	free(entries);
	if (mem_live_blocks() != blocks) {
		fprintf(stderr, "the target left %zu heap blocks behind\n", mem_live_blocks() - blocks);
		rc = 1;
	}
	printf("%s: %d files, %d inputs\n", rc ? "FAILED" : "ok", n, n * (MUTATIONS + 1) + 1);
	return rc;
}

int main(int argc, char **argv)
{
	uint64_t variant;

	watch_crashes();
	if (argc == 2)
		return run_folder(argv[1]);
	if (argc == 5 && strcmp(argv[1], "--write") == 0 && str_to_u64(str_c(argv[3]), &variant) &&
		variant <= MUTATIONS)
		return write_variant(argv[2], (int)variant, argv[4]);
	fprintf(stderr, "usage: %s FOLDER | --write FILE VARIANT OUT\n", argv[0]);
	return 2;
}
