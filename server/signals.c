#include "server/signals.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

static sigset_t waited_for(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return set;
}

void signals_block(void)
{
	sigset_t set = waited_for();
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGPIPE, &ignore, NULL);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

const char *signals_wait(void)
{
	sigset_t set = waited_for();
	int got = 0;

	while (sigwait(&set, &got) != 0)
		;
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return sigabbrev_np(got);
}
