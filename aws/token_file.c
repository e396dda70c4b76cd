#include "aws/token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

static enum err_code read_all(int fd, const char *path, struct buf *out, struct err *reterr)
{
	char chunk[4096];
	ssize_t n;

	do {
		n = read(fd, chunk, sizeof(chunk));
		if (n > 0)
			buf_add(out, chunk, (size_t)n);
	} while ((n > 0 && !out->overflow) || (n < 0 && errno == EINTR));
	mem_wipe(chunk, sizeof(chunk));
	if (n < 0)
		return err_set(reterr, ERR_UNAUTHENTICATED, "cannot read the token file %s: %s", path,
			strerrordesc_np(errno));
	if (out->overflow)
		return err_set(reterr, ERR_UNAUTHENTICATED, "the token file %s is larger than %zu bytes",
			path, out->cap);
	if (out->n == 0)
		return err_set(reterr, ERR_UNAUTHENTICATED, "the token file %s is empty", path);
	return ERR_OK;
}

enum err_code token_file_read(
	const char *path, size_t max_bytes, struct secret **ret_token, struct err *reterr)
{
	CLEANUP(buf_deinit) struct buf content = {.n = 0};
	/* Non-blocking for the sake of a FIFO without a writer, which would hold the caller for ever. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum err_code rc;

	if (fd < 0)
		return err_set(reterr, ERR_UNAUTHENTICATED, "cannot open the token file %s: %s", path,
			strerrordesc_np(errno));
	buf_init(&content, max_bytes);
	content.wipe = true;
	rc = read_all(fd, path, &content, reterr);
	close(fd);
	if (rc == ERR_OK)
		*ret_token = secret_new(buf_view(&content));
	return rc;
}
