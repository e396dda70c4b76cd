#include "support/scripted_http.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "support/http_server.h"

struct scripted_http {
	struct http_server *server;
	scripted_fn *fn;
	void *self;
	struct mutex lock; /* guards all below, and is held while the script runs */
	size_t n_requests, now, most;
	struct arena *arena;
};

struct str scripted_header(const struct scripted_request *req, const char *name)
{
	return http_server_header(&(struct http_server_request){.headers = req->head}, name);
}

/* False: the connection is to be closed. */
static bool send_answer(int fd, const struct scripted_answer *a)
{
	int status = a->status ? a->status : 200;
	const char *headers = a->headers ? a->headers : "";

	switch (a->manner) {
	case SCRIPTED_WHOLE:
		return http_server_answer(fd, status, headers, a->body);
	case SCRIPTED_CUT:
		(void)http_server_answer_part(fd, status, headers, a->body, a->body.n / 2);
		break;
	case SCRIPTED_HANG:
		(void)http_server_answer_part(fd, status, headers, a->body, a->body.n / 2);
		http_server_wait_for_close(fd);
		break;
	case SCRIPTED_NEVER:
		http_server_wait_for_close(fd);
		break;
	case SCRIPTED_CLOSE:
		break;
	}
	return false;
}

static struct scripted_answer ask_script(struct scripted_http *s, const struct http_server_request *req)
{
	struct scripted_request asked = {
		.method = req->method, .path = req->target, .head = req->headers, .body = req->body};

	LOCK_SCOPE(&s->lock);
	asked.n = s->n_requests++;
	if (++s->now > s->most)
		s->most = s->now;
	return s->fn(s->self, &asked, s->arena);
}

static void end_request(struct scripted_http *s)
{
	LOCK_SCOPE(&s->lock);
	s->now--;
}

static bool serve(void *arg, const struct http_server_request *req, int fd)
{
	struct scripted_http *s = arg;
	struct scripted_answer answer = ask_script(s, req);
	bool ends = answer.manner != SCRIPTED_HANG && answer.manner != SCRIPTED_NEVER, keep;

	if (answer.delay_ms)
		clock_sleep_ms(answer.delay_ms);
	if (ends) /* before the client can know, and begin another one */
		end_request(s);
	keep = send_answer(fd, &answer);
	if (!ends)
		end_request(s);
	return keep;
}

struct scripted_http *scripted_http_start(scripted_fn *fn, void *self)
{
	struct scripted_http *s = mem_zalloc(sizeof(*s));

	s->fn = fn;
	s->self = self;
	s->arena = arena_new(0);
	mutex_init(&s->lock);
	s->server = http_server_start(serve, s);
	return s;
}

void scripted_http_stop(struct scripted_http *s)
{
	if (!s)
		return;
	http_server_stop(s->server);
	mutex_deinit(&s->lock);
	arena_free(s->arena);
	mem_free(s);
}

unsigned scripted_http_port(const struct scripted_http *s)
{
	return http_server_port(s->server);
}

size_t scripted_http_requests(struct scripted_http *s)
{
	LOCK_SCOPE(&s->lock);
	return s->n_requests;
}

size_t scripted_http_most_at_once(struct scripted_http *s)
{
	LOCK_SCOPE(&s->lock);
	return s->most;
}
