/* server/signals.h
 *
 * Signals as events of the main thread: blocked everywhere, waited for here.
 *
 * Threads: main thread, before any other is made. */
#ifndef SERVER_SIGNALS_H
#define SERVER_SIGNALS_H

/* SIGTERM, SIGINT and SIGHUP wait for signals_wait, in every thread made from now on; SIGPIPE is a return
 * value of write. */
void signals_block(void);

/* The next of them. Afterwards the three kill as usual: who asks twice means now. */
const char *signals_wait(void);

#endif
